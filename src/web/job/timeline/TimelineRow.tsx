import * as format from "../../../progress/format.js"
import { visible } from "../../ui/visible.js"
import { type Bar, boxOf, type Row } from "./rows.js"
import type { Range } from "./timeScale.js"

export interface Props {
  readonly id: string
  readonly row: Row
  readonly seen: Range
  readonly now: number
  readonly isActive: boolean
  readonly isSelected: boolean
  readonly onClick: () => void
  readonly onToggle: () => void
}

/** The minimum width of a bar, as a share of the track. */
const narrowest = 0.002

const titleOf = ({ from, text, to }: Bar, now: number): string =>
  visible(
    `${text}\n${format.timeOfDay(from)} – ${to === undefined ? "now" : format.timeOfDay(to)}, ${format.clock((to ?? now) - from)}`
  )

const summary = ({ bars, label }: Row, now: number): string => {
  const last = bars.findLast(({ kind }) => kind === "attempt" || kind === "unit" || kind === "phase")
  return last === undefined ? label : `${label}: ${last.text}, ${format.clock((last.to ?? now) - last.from)}`
}

export const TimelineRow = ({ id, isActive, isSelected, now, onClick, onToggle, row, seen }: Props) => (
  <div
    id={id}
    class={`timeline-row row-${row.kind}${isActive ? " active" : ""}`}
    role="treeitem"
    aria-level={row.kind === "task" ? 2 : 1}
    aria-posinset={row.place.at}
    aria-setsize={row.place.of}
    aria-selected={isSelected}
    {...(row.isOpen === undefined ? {} : { "aria-expanded": row.isOpen })}
    aria-label={visible(summary(row, now))}
    onClick={onClick}
  >
    <span class="timeline-label" title={visible(row.label)}>
      {row.isOpen !== undefined && (
        <span
          class="toggle"
          onClick={(event) => {
            event.stopPropagation()
            onToggle()
          }}
        >
          {row.isOpen ? "▾" : "▸"}
        </span>
      )}
      {visible(row.label)}
    </span>
    <span class="timeline-track">
      {row.bars.map((bar, at) => {
        const box = boxOf(bar, seen, now)
        if (box === undefined) return null
        const style = { left: `${box.x * 100}%`, width: `${Math.max(narrowest, box.width) * 100}%` }
        return <span key={at} class={`bar kind-${bar.kind} look-${bar.look}`} style={style} title={titleOf(bar, now)} />
      })}
    </span>
  </div>
)
