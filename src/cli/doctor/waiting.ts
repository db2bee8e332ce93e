/**
 * Finds the kinds of job whose runs wait while no process manages them, as producers may have started them.
 */
import { Effect } from "effect"
import * as RunStore from "../../store/RunStore.js"
import { isManaged } from "../offline/isManaged.js"
import * as format from "../terminal/format.js"
import * as Finding from "./Finding.js"

export const check = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const waiting = (yield* store.producers.waiting).filter(({ kind }) => kind !== "tasks")
  const unmanaged = yield* Effect.filter(waiting, ({ kind }) => Effect.negate(isManaged(store, kind)))
  return unmanaged.map(({ kind, runs }) =>
    Finding.warning(
      "jobs",
      `${format.count(runs, "run")} of kind ${kind} ${runs === 1 ? "waits" : "wait"}, and no process manages them`,
      "start the process with the layer of that kind"
    )
  )
})
