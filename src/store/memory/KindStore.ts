/**
 * The pauses of kinds in the in-memory store.
 */
import { Effect, Order } from "effect"
import { PausedKind } from "../../domain/Run.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { KindStore } from "../port/KindStore.js"

export interface MemoryKindStore extends KindStore {
  readonly hasPaused: (kind: string) => boolean
}

const byKind = Order.mapInput(Order.string, ({ kind }: PausedKind) => kind)

export const make = (notifier: Pick<ChangeNotifier, "wakeWaiting">): MemoryKindStore => {
  const pauses = new Map<string, PausedKind>()
  return {
    hasPaused: (kind) => pauses.has(kind),
    paused: Effect.sync(() => [...pauses.values()].sort(byKind)),
    pause: ({ at, by, kind }) =>
      Effect.sync(() => {
        if (pauses.has(kind)) return
        pauses.set(kind, new PausedKind({ kind, at, ...(by === undefined ? {} : { by }) }, { disableValidation: true }))
      }),
    unpause: (kind) =>
      Effect.suspend(() => {
        pauses.delete(kind)
        return notifier.wakeWaiting([{ kind, waitsFor: "permit" }])
      }),
    recall: () => Effect.void,
    isPaused: (kind) => Effect.sync(() => pauses.has(kind))
  }
}
