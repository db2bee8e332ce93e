/**
 * What a start asks for, and what the model expects of it.
 */
import type { JobId } from "charlotte"
import { Duration, FastCheck } from "effect"
import { config } from "../support/jobs.js"
import type { Kind } from "./Kind.js"

export interface Start {
  /** The key that the check returns. */
  readonly key: string | undefined
  readonly startKey: string | undefined
  readonly group: string | undefined
  readonly priority: number
  /** The delay, in whole days. */
  readonly days: number
  readonly whenFull: "refuse" | "queue"
  readonly whenKeyTaken: "refuse" | "attach" | "replace" | "queue"
  readonly idempotencyKey: string | undefined
}

/** How a start reaches the store. */
export interface How {
  /** Whether it asks for nothing but an immediate start: it then needs a permit before its keys are read. */
  readonly isPlain: boolean
  /** Whether the run waits, whatever room there is. */
  readonly isQueued: boolean
  /** Whether its check has run; otherwise it runs when the run begins. */
  readonly isChecked: boolean
  readonly maxQueued: number
  /** Distinguishes requests with the same idempotency key. */
  readonly request: string
}

export type Decision =
  | { readonly _tag: "Refused"; readonly error: string }
  /** `attaches`: the idempotency key is recorded with the run. */
  | { readonly _tag: "Existing"; readonly id: JobId.JobId; readonly attaches?: boolean }
  | {
      readonly _tag: "New"
      readonly isPending: boolean
      readonly isBehindKey: boolean
      readonly replaced: ReadonlyArray<JobId.JobId>
    }

export const plain: Start = {
  key: undefined,
  startKey: undefined,
  group: undefined,
  priority: 0,
  days: 0,
  whenFull: "refuse",
  whenKeyTaken: "refuse",
  idempotencyKey: undefined
}

/** The start as the kind can have it. */
export const startOf = ({ hasGroups, hasKey }: Kind, start: Start): Start => ({
  ...start,
  group: hasGroups ? start.group : undefined,
  // Without any start key, it is invalid to say what a taken key does, unless the kind has a key.
  whenKeyTaken: start.startKey === undefined && !hasKey ? "refuse" : start.whenKeyTaken
})

/** The configuration, whose labels determine its keys and its group. */
export const configOf = ({ group, key, startKey }: Start) => ({
  ...config,
  labels: {
    ...(key === undefined ? {} : { key }),
    ...(startKey === undefined ? {} : { startKey }),
    ...(group === undefined ? {} : { group })
  }
})

/** The options of the start. A producer has no permits to wait for, and does not know the key of a manager's layer. */
export const optionsOf = (
  { hasKey }: Kind,
  { days, idempotencyKey, priority, startKey, whenFull, whenKeyTaken }: Start,
  isProducer = false
) => ({
  priority,
  ...(days === 0 ? {} : { delay: Duration.days(days) }),
  ...(startKey === undefined || (hasKey && !isProducer) ? {} : { key: startKey }),
  ...(whenKeyTaken === "refuse" ? {} : { whenKeyTaken }),
  ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  ...(isProducer ? {} : { whenFull })
})

export const howOf = (
  kind: Kind,
  start: Start,
  { isProducer = false, ...how }: Omit<How, "isPlain" | "request"> & { readonly isProducer?: boolean }
): How => {
  const { idempotencyKey: _, priority: __, ...options } = optionsOf(kind, start, isProducer)
  const isPlain =
    JSON.stringify(options) === JSON.stringify({ whenFull: "refuse" }) && start.idempotencyKey === undefined
  return { ...how, isPlain, request: JSON.stringify([configOf(start), start.priority, options]) }
}

const { constantFrom, integer, oneof, record } = FastCheck

export const priorities = integer({ min: -1, max: 1 })

const key = constantFrom(undefined, undefined, "a", "b")

/** Any start; most of them without a delay. */
export const starts: FastCheck.Arbitrary<Start> = record({
  key,
  startKey: key,
  group: constantFrom(undefined, "x", "x", "y"),
  priority: priorities,
  days: constantFrom(0, 0, 0, 0, 1, 1_000),
  whenFull: constantFrom("refuse" as const, "queue" as const, "queue" as const),
  whenKeyTaken: constantFrom("refuse" as const, "attach" as const, "replace" as const, "queue" as const),
  idempotencyKey: oneof(
    { arbitrary: constantFrom(undefined), weight: 3 },
    { arbitrary: constantFrom("i", "j"), weight: 1 }
  )
})
