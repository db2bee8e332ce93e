/**
 * How far a job is, as a bar and as numbers: what a job of an own kind has reported, or its tasks.
 */
import * as format from "../../progress/format.js"
import { progressText } from "../../progress/progressText.js"
import type { ListedJob } from "../api/models.js"
import { visible } from "./visible.js"

type Reported = NonNullable<ListedJob["progress"]>

/** What a screen reader says of a bar. */
const described = (progress: Reported) => ({
  role: "progressbar" as const,
  "aria-label": "Progress",
  "aria-valuemin": 0,
  "aria-valuenow": progress.done,
  "aria-valuemax": progress.total,
  "aria-valuetext": visible(progressText(progress))
})

const width = 64

export const partsOf = ({ done, failed = 0, running = 0 }: Partial<Reported> & Pick<Reported, "done">) => [
  { name: "good", count: done },
  { name: "bad", count: failed },
  { name: "run", count: running }
]

/** In a row of a list. */
export const RowProgress = ({ progress }: { readonly progress: Reported }) => {
  const { done, failed = 0, text, total } = progress
  if (total === 0) return null
  let at = 0
  return (
    <span class="row-progress" title={text && visible(text)}>
      <svg viewBox={`0 0 ${width} 6`} preserveAspectRatio="none" {...described(progress)}>
        <rect class="row-progress-rest" width={width} height="6" rx="3" />
        {partsOf(progress).map(({ count, name }) => {
          const x = (at / total) * width
          at += count
          return count === 0 ? null : (
            <rect key={name} class={`row-progress-${name}`} x={x} width={(count / total) * width} height="6" rx="3" />
          )
        })}
      </svg>
      <span class="number">
        {done}/{total}
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

/** In the head of a job. */
export const Progress = ({ progress }: { readonly progress: Reported }) => {
  const { done, failed = 0, interrupted = 0, pending, running = 0, text, total, waiting = 0 } = progress
  if (total === 0) return null
  const isOfTasks = pending !== undefined
  const parts = [
    ["good", done, "done"],
    ["run", running, "running"],
    ["bad", failed, "failed"],
    ["rest", waiting, "waiting"],
    ["cut", interrupted, "interrupted"],
    ["idle", pending ?? total - done, "to do"]
  ] as const
  return (
    <div class="progress">
      <div class="progress-bar" {...described(progress)}>
        {parts.map(([tone, number]) =>
          number === 0 ? null : <span key={tone} class={`part-${tone}`} style={{ flexGrow: number }} />
        )}
      </div>
      <p class="number">
        <strong>
          {done.toLocaleString("en")} of {isOfTasks ? format.count(total, "task") : total.toLocaleString("en")}
        </strong>
        {isOfTasks &&
          parts.slice(1).map(([tone, number, word]) =>
            number === 0 ? null : (
              <span key={tone} class={tone === "bad" ? "bad" : "faint"}>
                {" · "}
                {number} {word}
              </span>
            )
          )}
        {text !== undefined && (
          <span class="progress-text faint">
            {" · "}
            {visible(text)}
          </span>
        )}
      </p>
    </div>
  )
}
