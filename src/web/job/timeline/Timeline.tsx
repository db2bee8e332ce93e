/**
 * When a job, its units and its tasks were busy, and with what.
 */
import { useSignal } from "@preact/signals"
import { useMemo, useRef } from "preact/hooks"
import { useKeys } from "../../app/keys.js"
import { now } from "../../app/live.js"
import * as format from "../../../progress/format.js"
import { useWheelZoom } from "../../ui/useWheelZoom.js"
import { type Handle, VirtualRows } from "../../ui/VirtualRows.js"
import type { JobModel } from "../../../progress/JobModel.js"
import { rows as rowsOf, type Row } from "./rows.js"
import { move, type Range, ticks, zoom } from "./timeScale.js"
import { TimelineRow } from "./TimelineRow.js"

export interface Props {
  readonly model: JobModel
  readonly version: number
  readonly selected: { readonly unit: string; readonly task: number | undefined } | undefined
  readonly onSelect: (unit: string, task: number | undefined) => void
}

const keyOf = (selected: Props["selected"]): string =>
  selected === undefined ? "" : selected.task === undefined ? selected.unit : `${selected.unit}/${selected.task}`

/** The minimum width of a tick in pixels. */
const tickWidth = 90

export const Timeline = ({ model, onSelect, selected, version }: Props) => {
  const toggled = useSignal<ReadonlySet<string>>(new Set())
  /** Undefined for the whole timeline, also as it grows. */
  const range = useSignal<Range | undefined>(undefined)
  const active = useSignal<string | undefined>(undefined)
  const width = useSignal(600)
  const handle = useRef<Handle>(null)
  const box = useRef<HTMLDivElement>(null)

  const { idleUnits, rows } = useMemo(() => rowsOf(model, toggled.value), [version, toggled.value, model])
  const from = model.from ?? 0
  const end = model.phases.at(-1)?.to ?? Math.max(now.value, model.to ?? from)
  const bounds = { from, to: Math.max(end, from + 1_000) }
  const seen = range.value ?? bounds
  const current = rows.some(({ key }) => key === active.value) ? active.value : keyOf(selected)
  const at = rows.findIndex(({ key }) => key === current)

  const change = (next: Range): void => {
    range.value = next.from <= bounds.from && next.to >= bounds.to ? undefined : next
  }
  const middle = (seen.from + seen.to) / 2
  const zoomBy = (factor: number, centre = middle): void => change(zoom(seen, factor, centre, bounds))
  const moveBy = (share: number): void => change(move(seen, share, bounds))

  useWheelZoom(box, (factor, { clientX }) => {
    const track = box.current?.querySelector(".timeline-ticks")?.getBoundingClientRect()
    const share = track === undefined ? 0.5 : Math.min(1, Math.max(0, (clientX - track.left) / track.width))
    zoomBy(1 / factor, seen.from + (seen.to - seen.from) * share)
  })

  useKeys("Timeline", [
    { keys: "+", label: "Zoom in", run: () => zoomBy(0.6) },
    { keys: "-", label: "Zoom out", run: () => zoomBy(1 / 0.6) },
    { keys: "0", label: "Show all of it", run: () => (range.value = undefined) },
    { keys: ",", label: "Earlier", run: () => moveBy(-0.3) },
    { keys: ".", label: "Later", run: () => moveBy(0.3) }
  ])

  const toggle = (row: Row): void => {
    if (row.kind !== "unit") return
    const next = new Set(toggled.value)
    if (!next.delete(row.key)) next.add(row.key)
    toggled.value = next
  }
  const select = (row: Row): void => {
    if (row.unit !== undefined) onSelect(row.unit, row.task)
  }
  const goTo = (index: number): void => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))]
    if (row === undefined) return
    active.value = row.key
    handle.current?.reveal(rows.indexOf(row))
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[at]
    const run: { readonly [key: string]: () => void } = {
      ArrowDown: () => goTo(at + 1),
      ArrowUp: () => goTo(at - 1),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      ArrowLeft: () =>
        row?.isOpen === true ? toggle(row) : goTo(rows.findLastIndex(({ kind }, i) => i < at && kind === "unit")),
      ArrowRight: () => (row?.isOpen === false ? toggle(row) : goTo(at + 1)),
      Enter: () => row !== undefined && select(row),
      " ": () => row !== undefined && toggle(row)
    }
    if (!Object.hasOwn(run, event.key) || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    run[event.key]?.()
  }

  const found = ticks(seen, Math.max(2, Math.floor(width.value / tickWidth)))
  const x = (time: number): string => `${((time - seen.from) / (seen.to - seen.from)) * 100}%`
  return (
    <div ref={box} class="timeline">
      <div class="graph-tools">
        <span class="legend" aria-hidden="true">
          <i class="bar kind-agent look-good" /> agent <i class="bar kind-gate look-good" /> gate{" "}
          <i class="bar kind-agent look-bad" /> failed <i class="bar kind-agent look-cut" /> cut off{" "}
          <i class="bar kind-waiting look-idle" /> waiting
        </span>
        <span class="grow" />
        <button type="button" aria-label="Earlier" onClick={() => moveBy(-0.3)} disabled={range.value === undefined}>
          ‹
        </button>
        <button type="button" aria-label="Later" onClick={() => moveBy(0.3)} disabled={range.value === undefined}>
          ›
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoomBy(1 / 0.6)}>
          −
        </button>
        <button type="button" onClick={() => (range.value = undefined)}>
          All
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoomBy(0.6)}>
          +
        </button>
      </div>
      <div class="timeline-head" aria-hidden="true">
        <span class="timeline-label faint">{format.clock(seen.to - seen.from)}</span>
        <span class="timeline-ticks">
          {found.map(({ at, label }) => (
            <span key={at} class="tick" style={{ left: x(at) }}>
              {label}
            </span>
          ))}
        </span>
      </div>
      <VirtualRows
        class="timeline-rows"
        role="tree"
        label="Timeline"
        count={rows.length}
        active={at === -1 ? undefined : { row: at, id: `timeline-${at}` }}
        handle={handle}
        onKeyDown={onKeyDown}
        onResize={(all) => (width.value = all * 0.7)}
        render={(index) => {
          const row = rows[index]
          if (row === undefined) return null
          return (
            <TimelineRow
              key={row.key}
              id={`timeline-${index}`}
              row={row}
              seen={seen}
              now={end}
              isActive={index === at}
              isSelected={row.key !== "" && row.key === keyOf(selected)}
              onClick={() => {
                active.value = row.key
                select(row)
              }}
              onToggle={() => toggle(row)}
            />
          )
        }}
      />
      {idleUnits > 0 && <p class="note faint">{format.count(idleUnits, "unit")} not begun</p>}
    </div>
  )
}
