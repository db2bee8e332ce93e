/**
 * The writers of a store. If several transactions write at the same time, writes that decide which runs begin and who holds a key have
 * a separate writer and connection: a transaction of an application that stays open after a start delays only these.
 */
import { Effect, Scope } from "effect"
import * as background from "../../internal/background.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { Key } from "../port/RunStoreService.js"
import type { Released } from "./Batch.js"
import * as groups from "./groups.js"
import type { Guard } from "./Guard.js"
import * as keys from "./keys.js"
import type { Session } from "./Session.js"
import * as Writer from "./Writer.js"

export interface Lanes {
  /** All writes except `admit`. */
  readonly write: Writer.Writer["write"]
  /** Writes that lock a kind, or a key. */
  readonly admit: Writer.Writer["write"]
  /** Hands on keys that no run holds, without waiting for it. `keys.left` finds lost ones. */
  readonly handOn: (released: ReadonlyArray<Released>) => Effect.Effect<void>
  /** Settles the marked groups of these kinds, without waiting for it. */
  readonly regroup: (kinds: ReadonlySet<string>) => Effect.Effect<void>
  /** Milliseconds since the oldest waiting write was first tried; 0 if none waits. */
  readonly age: Effect.Effect<number>
}

export const make = (options: {
  readonly session: Session
  readonly notifier: ChangeNotifier
  readonly guard: Guard
}): Effect.Effect<Lanes, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const handOn: Lanes["handOn"] = (released) =>
      Effect.forEach(
        distinct(released),
        ({ at, key }) => {
          const write = admission.write<void, never>({
            operation: "hand on a key",
            lane: "fast",
            body: (batch) => keys.handOn(batch, key, at)
          })
          return Scope.extend(background.fork(Effect.ignore(write)), scope)
        },
        { discard: true }
      )
    const regroup: Lanes["regroup"] = (kinds) =>
      Effect.forEach(
        kinds,
        (kind) => {
          const write = admission.write<void, never>({
            operation: "settle groups",
            lane: "fast",
            body: (batch) =>
              Effect.gen(function* () {
                const connection = yield* batch.connection
                yield* batch.lockAdmission(kind)
                if (yield* groups.settleMarked(connection, kind)) batch.waits({ kind, waitsFor: "group" })
              })
          })
          return Scope.extend(background.fork(Effect.ignore(write)), scope)
        },
        { discard: true }
      )
    const after = { onReleased: handOn, onRegrouped: regroup }
    const record = yield* Writer.make({ ...options, ...after, lane: "record" })
    const admission = options.session.dialect.isConcurrent
      ? yield* Writer.make({ ...options, ...after, lane: "admission" })
      : record
    return {
      write: record.write,
      admit: admission.write,
      handOn,
      regroup,
      age: Effect.zipWith(record.age, admission.age, Math.max)
    }
  })

const distinct = (released: ReadonlyArray<Released>): Iterable<Released> => {
  const nameOf = ({ key, kind, of }: Key) => JSON.stringify([kind, of, key])
  return new Map(released.map((one) => [nameOf(one.key), one])).values()
}
