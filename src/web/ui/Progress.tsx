/**
 * How many tasks are done, as a bar and as numbers.
 */
import type { ListedJob } from "../api/models.js"

const width = 64

type Counts = NonNullable<ListedJob["progress"]>

export const partsOf = ({ completed, failed, running, skipped }: Counts) => [
  { name: "good", count: completed + skipped },
  { name: "bad", count: failed },
  { name: "run", count: running }
]

export const Progress = ({ progress }: { readonly progress: Counts }) => {
  const { completed, failed, interrupted = 0, pending, running, skipped, waiting = 0 } = progress
  const total = completed + failed + interrupted + pending + running + skipped + waiting
  if (total === 0) return null
  const parts = partsOf(progress)
  let at = 0
  return (
    <span class="row-progress">
      <svg viewBox={`0 0 ${width} 6`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="row-progress-rest" width={width} height="6" rx="3" />
        {parts.map(({ count, name }) => {
          const x = (at / total) * width
          at += count
          return count === 0 ? null : (
            <rect key={name} class={`row-progress-${name}`} x={x} width={(count / total) * width} height="6" rx="3" />
          )
        })}
      </svg>
      <span class="number">
        {completed + skipped}/{total}
        {failed > 0 && (
          <span class="bad">
            {" "}
            ✕{failed}
            <span class="visually-hidden"> failed</span>
          </span>
        )}
      </span>
    </span>
  )
}
