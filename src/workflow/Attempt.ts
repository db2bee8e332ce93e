/**
 * The attempt of a job that runs a workflow: what it knows of its execution, and for what it waits.
 */
import { Context, DateTime, Effect, Exit } from "effect"
import { resumeSignal } from "../domain/Run.js"
import type { AnyJob, ParkOptions } from "../manager/Orchestrator.js"
import type { Decision, DecisionStore, Execution } from "../store/port/RunStoreService.js"
import * as exits from "./exits.js"
import { persist } from "./persist.js"

export interface Attempt {
  readonly job: AnyJob<unknown>
  readonly execution: Execution
  /** Whether the body of the workflow runs, rather than its compensation. */
  inBody: boolean
  /** Whether the manager has interrupted it. */
  readonly isInterrupted: () => boolean
  /** Reads the decisions, unless they are read already. The number that an attempt knows is what its park names. */
  readonly load: Effect.Effect<void>
  /** The exit that was decided for a deferred, or `undefined`. */
  readonly decided: (deferred: string) => Effect.Effect<Exit.Exit<unknown, unknown> | undefined>
  /** Decides the exit of a deferred of this execution; the first decision counts. */
  readonly decide: (deferred: string, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
  /** Sets the time at which the deferred of a clock is done. */
  readonly schedule: (deferred: string, due: number) => void
  /** Notes for what it waits, for people. */
  readonly awaits: (what: string) => void
  /** How it parks: until the earliest of its clocks, or another decision. */
  readonly parking: () => ParkOptions
}

/** The attempt that the current fiber belongs to. */
export class CurrentAttempt extends Context.Tag("charlotte/workflow/CurrentAttempt")<CurrentAttempt, Attempt>() {}

/** The name of the decision about a deferred. */
export const decisionName = (deferred: string): string => `deferred/${deferred}`

/** The last time that a date can have. */
const lastTime = 8.64e15

export const make = ({
  decisions,
  execution,
  isInterrupted,
  job,
  now
}: {
  readonly decisions: DecisionStore
  readonly execution: Execution
  readonly isInterrupted: () => boolean
  readonly job: AnyJob<unknown>
  readonly now: Effect.Effect<DateTime.Utc>
}): Attempt => {
  let known: Map<string, string> | undefined
  const dueTimes = new Map<string, number>()
  const awaited = new Set<string>()

  const read = Effect.map(persist(decisions.about(execution)), (all: ReadonlyArray<Decision>) => {
    known = new Map(all.map(({ name, value }) => [name, value]))
  })

  const find = (deferred: string): Effect.Effect<string | undefined> =>
    Effect.suspend(() => {
      const value = known?.get(decisionName(deferred))
      return value === undefined ? Effect.map(read, () => known?.get(decisionName(deferred))) : Effect.succeed(value)
    })

  const decide: Attempt["decide"] = (deferred, exit) =>
    Effect.gen(function* () {
      const name = decisionName(deferred)
      const value = yield* exits.encode(exit)
      const isFirst = yield* persist(decisions.decide({ ...execution, name, value, at: yield* now }))
      if (isFirst) known?.set(name, value)
    })

  return {
    job,
    execution,
    inBody: true,
    isInterrupted,
    load: Effect.suspend(() => (known === undefined ? read : Effect.void)),
    decide,
    decided: (deferred) =>
      Effect.gen(function* () {
        const value = yield* find(deferred)
        if (value !== undefined) return yield* exits.decode(value)
        const due = dueTimes.get(deferred)
        if (due === undefined || (yield* now).epochMillis < due) {
          awaited.add(deferred)
          return undefined
        }
        // It stays over, even if the time is set back.
        yield* decide(deferred, Exit.void)
        return Exit.void
      }),
    schedule: (deferred, due) => void dueTimes.set(deferred, Math.min(due, lastTime)),
    awaits: (what) => void awaited.add(what),
    parking: () => {
      const due = Math.min(...[...dueTimes].flatMap(([deferred, due]) => (awaited.has(deferred) ? [due] : [])))
      return {
        reason: awaited.size === 0 ? "the workflow is suspended" : `awaits ${[...awaited].join(", ")}`,
        signal: resumeSignal,
        ...(Number.isFinite(due) && { until: DateTime.unsafeMake(due) }),
        ...(known !== undefined && { decisions: known.size })
      }
    }
  }
}
