/**
 * `charlotte pause` and `charlotte unpause`: through the process that runs jobs, or in the database if there is none. `charlotte limit`:
 * through the process that runs jobs, which keeps the limit.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import * as JobSource from "../target/JobSource.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import { acting } from "./acting.js"
import { sender } from "./sender.js"

export interface Options {
  readonly kind: string
  readonly json: boolean
}

const change =
  (what: "pause" | "unpause", text: (kind: string) => string) =>
  ({ json, kind }: Options) =>
    Effect.gen(function* () {
      yield* acting((jobs) => jobs[what](kind, { by: sender() }))
      yield* json
        ? writeJson({ kind, paused: what === "pause" })
        : writeLines([[StyledLine.raw("✓ ", "good"), StyledLine.piece(text(kind))]])
    }).pipe(Effect.provide(Home.layerUntouched))

export const pause = change(
  "pause",
  (kind) => `jobs of kind ${kind} are paused; let them begin again with: charlotte unpause ${kind}`
)

export const unpause = change("unpause", (kind) => `jobs of kind ${kind} begin again`)

export const limit = ({ json, kind, maxJobs }: Options & { readonly maxJobs: number | "default" }) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isNone(host)) return yield* new DaemonNotRunning({ address: (yield* Home.Home).socket })
    const { client } = host.value
    yield* client.limit(kind, maxJobs, { by: sender() })
    const limit = (yield* client.kinds).find((served) => served.kind === kind)?.maxJobs
    yield* json
      ? writeJson({ kind, limit })
      : writeLines([
          [
            StyledLine.raw("✓ ", "good"),
            StyledLine.piece(
              `at most ${limit === 1 ? `1 job of kind ${kind} runs` : `${limit} jobs of kind ${kind} run`} at once`
            )
          ]
        ])
  }).pipe(Effect.provide(Home.layerUntouched))
