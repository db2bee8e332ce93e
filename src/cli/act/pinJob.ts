/**
 * `charlotte pin` and `charlotte unpin`: through the process that runs jobs, or in the database if there is none.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import { sender } from "./sender.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
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
      const host = yield* JobSource.host
      const id = Option.isSome(host)
        ? yield* Effect.tap(JobRef.find(host.value.client, job), (id) => host.value.client[what](id, { by: sender() }))
        : yield* Effect.flatMap(
            Effect.promise(() => import("../offline/withStore.js")),
            ({ logChange, withStore }) =>
              withStore((store, jobs) =>
                Effect.tap(JobRef.find(jobs, job), (id) =>
                  Effect.zipRight(
                    store[what](id),
                    logChange(`job ${id} is ${what === "pin" ? "" : "no longer "}pinned`)
                  )
                )
              )
          )
      yield* json
        ? writeJson({ id, pinned: what === "pin" })
        : writeLines([[StyledLine.raw("✓ ", "good"), StyledLine.raw(text(id))]])
    }).pipe(Effect.provide(Home.layerUntouched))

export const pinJob = change("pin", (id) => `job ${id} is kept until it is unpinned`)

export const unpinJob = change("unpin", (id) => `job ${id} is kept for as long as retention says`)
