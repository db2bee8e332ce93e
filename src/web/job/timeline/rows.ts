/**
 * The rows of a timeline: the job, its units, their tasks, and the bars in each.
 */
import { stateText } from "../../../progress/shownState.js"
import {
  type Attempt,
  type JobModel,
  type Phase,
  type Span,
  stateOf,
  type Task,
  type Unit
} from "../../../progress/JobModel.js"

export type BarKind = "phase" | "unit" | "attempt" | Span["kind"]

export interface Bar {
  readonly kind: BarKind
  readonly from: number
  /** Missing while the activity continues. */
  readonly to: number | undefined
  /** The class of the colour. */
  readonly look: "running" | "good" | "bad" | "warn" | "idle" | "cut"
  /** The meaning of the bar, in words. */
  readonly text: string
}

export interface Row {
  readonly key: string
  readonly kind: "job" | "unit" | "task"
  readonly label: string
  readonly unit?: string
  readonly task?: number
  /** For a unit: whether its tasks are shown. */
  readonly isOpen?: boolean
  /** The row's position among the rows of its level, from 1, and their number. */
  readonly place: { readonly at: number; readonly of: number }
  readonly bars: ReadonlyArray<Bar>
}

export interface Rows {
  readonly rows: ReadonlyArray<Row>
  /** The number of units without any activity yet. */
  readonly idleUnits: number
}

const looks = { running: "running", passed: "good", failed: "bad", cut: "cut" } as const

const phaseLooks = {
  queued: "idle",
  running: "running",
  stopping: "warn",
  parked: "warn",
  interrupted: "cut",
  crashed: "bad"
} as const satisfies { readonly [K in Phase["kind"]]: Bar["look"] }

const because = (reason: string | undefined): string => (reason === undefined || reason === "" ? "" : `: ${reason}`)

const ofPhase = ({ attempt, from, kind, reason, to }: Phase): Bar => ({
  kind: "phase",
  from,
  to,
  look: kind === "running" && to !== undefined ? "good" : phaseLooks[kind],
  text: `${kind === "running" ? `attempt ${attempt} of the job` : kind}${because(reason)}`
})

const spanNames = {
  setup: "setup",
  agent: "agent",
  gate: "gate",
  pause: "pause",
  waiting: "waiting",
  verifying: "verifying the merged result"
} as const satisfies { readonly [K in Span["kind"]]: string }

const ofSpan = ({ from, isSlow, kind, label, reason, state, to }: Span): Bar => ({
  kind,
  from,
  to,
  look: kind === "pause" || kind === "waiting" ? "idle" : isSlow && to === undefined ? "warn" : looks[state],
  text: `${spanNames[kind]} ${label}${because(reason)}`
})

const ofAttempt = ({ from, number, reason, state, to }: Attempt): Bar => ({
  kind: "attempt",
  from,
  to,
  look: looks[state],
  text: `attempt ${number}${because(reason)}`
})

const ofTask = ({ attempts, number, pauses, title, unit }: Task, index: number, all: ReadonlyArray<Task>): Row => ({
  key: `${unit}/${number}`,
  kind: "task",
  label: `${number} ${title}`,
  unit,
  task: number,
  place: { at: index + 1, of: all.length },
  bars: [...attempts.flatMap((attempt) => [ofAttempt(attempt), ...attempt.spans.map(ofSpan)]), ...pauses.map(ofSpan)]
})

const looksOfUnits: { readonly [state: string]: Bar["look"] } = { merged: "good", failed: "bad", running: "running" }

const firstStart = (unit: Unit): number | undefined => {
  const starts = [...unit.tasks.values()].flatMap(({ attempts }) => attempts.slice(0, 1).map(({ from }) => from))
  const all = unit.from === undefined ? starts : [...starts, unit.from]
  return all.length === 0 ? undefined : Math.min(...all)
}

/** With more rows, only running or failed units show their tasks. */
const few = 60

/** `toggled`: the units that the user has opened or closed, contrary to the rule. */
export const rows = (model: JobModel, toggled: ReadonlySet<string>): Rows => {
  const begun = [...model.units.values()].flatMap((unit) => {
    const from = firstStart(unit)
    return from === undefined ? [] : [{ unit, from }]
  })
  const tasks = begun.reduce((sum, { unit }) => sum + unit.tasks.size, 0)
  const opensAll = begun.length + tasks <= few
  const highest = 1 + begun.length
  const ofUnits = begun.flatMap(({ from, unit }, index): ReadonlyArray<Row> => {
    const byRule = opensAll || unit.state === "running" || unit.state === "failed"
    const isOpen = toggled.has(unit.id) !== byRule
    const whole: Bar = {
      kind: "unit",
      from,
      to: unit.to,
      look: looksOfUnits[stateOf(unit)] ?? "idle",
      text: `unit ${unit.id}: ${stateText(stateOf(unit))}`
    }
    const begunTasks = [...unit.tasks.values()].filter(({ attempts }) => attempts.length > 0)
    const bars = [whole, ...unit.spans.map(ofSpan)]
    const place = { at: index + 2, of: highest }
    const own: Row = { key: unit.id, kind: "unit", label: unit.id, unit: unit.id, isOpen, place, bars }
    return isOpen ? [own, ...begunTasks.map(ofTask)] : [own]
  })
  const job: Row = {
    key: "",
    kind: "job",
    label: "job",
    place: { at: 1, of: highest },
    bars: model.phases.map(ofPhase)
  }
  return { rows: [job, ...ofUnits], idleUnits: model.units.size - begun.length }
}

export interface Box {
  /** Shares of the width, from 0 to 1. */
  readonly x: number
  readonly width: number
}

/** The position of a bar in a range; undefined if the bar is outside it. */
export const boxOf = (
  bar: Bar,
  { from, to }: { readonly from: number; readonly to: number },
  now: number
): Box | undefined => {
  const end = Math.max(bar.to ?? now, bar.from)
  if (end < from || bar.from > to) return undefined
  const length = to - from
  const x = (Math.max(bar.from, from) - from) / length
  return { x, width: (Math.min(end, to) - from) / length - x }
}
