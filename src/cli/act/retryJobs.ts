/**
 * Retries several jobs, through the process that runs jobs, or in the database if there is none. The retries are queued.
 */
import { Effect, Option, Stream } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as JobRef from "../target/JobRef.js"
import { acting } from "./acting.js"
import { sender } from "./sender.js"
import * as severalJobs from "./severalJobs.js"

export type Filter = severalJobs.Filter<"failed" | "cancelled">

interface Manner {
  readonly fresh: boolean
  readonly json: boolean
}

export const each = ({
  again,
  fresh,
  jobs: names,
  json
}: Manner & { readonly jobs: ReadonlyArray<string>; readonly again: boolean }) =>
  acting((jobs) =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(names, (name) => JobRef.find(jobs, name))
      yield* severalJobs.each(ids, (id) => jobs.retry(id, { again, fresh, by: sender() }), {
        json,
        toJson: (retriedAs) => ({ retriedAs }),
        done: (id, retriedAs) => `job ${id} is retried as ${retriedAs}`
      })
    })
  ).pipe(Effect.provide(Home.layerUntouched))

export const matching = ({ fresh, json, ...filter }: Filter & Manner) =>
  acting(({ retryMany }) =>
    Effect.gen(function* () {
      const progress = yield* Stream.runLast(retryMany({ ...severalJobs.queryOf(filter), fresh }))
      const { retried, ...rest } = Option.getOrElse(progress, () => ({ retried: 0, refused: 0 }))
      yield* severalJobs.report("retried", { done: retried, ...rest }, { json })
    })
  ).pipe(Effect.provide(Home.layerUntouched))
