/**
 * `charlotte pin` and `charlotte unpin`: through the process that runs jobs, or in the database if there is none.
 */
import { Effect } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import { acting } from "./acting.js"
import { sender } from "./sender.js"
import * as JobRef from "../target/JobRef.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"

export interface Options {
  readonly job: string
  readonly json: boolean
}

const change =
  (what: "pin" | "unpin", text: (id: JobId) => string) =>
  ({ job, json }: Options) =>
    Effect.gen(function* () {
      const id = yield* acting((jobs) => Effect.tap(JobRef.find(jobs, job), (id) => jobs[what](id, { by: sender() })))
      yield* json
        ? writeJson({ id, pinned: what === "pin" })
        : writeLines([[StyledLine.raw("✓ ", "good"), StyledLine.raw(text(id))]])
    }).pipe(Effect.provide(Home.layerUntouched))

export const pinJob = change("pin", (id) => `job ${id} is kept until it is unpinned`)

export const unpinJob = change("unpin", (id) => `job ${id} is kept for as long as retention says`)
