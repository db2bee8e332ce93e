/**
 * Finds the kinds of job whose runs wait: for a process that manages them, as producers may have started them, or for the end of a pause.
 */
import { Effect } from "effect"
import * as RunStore from "../../store/RunStore.js"
import { isManaged } from "../offline/isManaged.js"
import * as format from "../terminal/format.js"
import { timeZone } from "../terminal/timeZone.js"
import * as Finding from "./Finding.js"

export const check = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const waiting = (yield* store.producers.waiting).filter(({ kind }) => kind !== "tasks")
  const unmanaged = yield* Effect.filter(waiting, ({ kind }) => Effect.negate(isManaged(store, kind)))
  const zone = yield* timeZone
  const paused = (yield* store.kinds.paused).map(({ at, by, kind }) =>
    Finding.warning(
      "jobs",
      `kind ${kind} is paused since ${format.dateTime(at, zone)}${by === undefined ? "" : `, by ${by}`}: none of its jobs begins`,
      `charlotte unpause ${kind}`
    )
  )
  const waits = unmanaged.map(({ kind, runs }) =>
    Finding.warning(
      "jobs",
      `${format.count(runs, "run")} of kind ${kind} ${runs === 1 ? "waits" : "wait"}, and no process manages them`,
      "start the process with the layer of that kind"
    )
  )
  return [...waits, ...paused]
})
