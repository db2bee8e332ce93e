/**
 * What answers the requests about the server itself.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Context, Effect } from "effect"
import { pid } from "node:process"
import { JobManager } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import { Api, Health, Ready } from "../contract/Api.js"
import { NotReady } from "../contract/errors.js"
import { spaceProblems } from "./freeSpace.js"
import { Metrics } from "./Metrics.js"
import { Streams } from "./OpenStreams.js"
import { version } from "../contract/Version.js"

export class Control extends Context.Tag("charlotte/http/Control")<
  Control,
  {
    /** What else keeps the server from being ready. */
    readonly problems: Effect.Effect<ReadonlyArray<string>>
    /** The directory below which jobs write. */
    readonly logs: string | undefined
    /** Somebody asks the server to end. */
    readonly shutdown: Effect.Effect<void>
  }
>() {}

export const layer = HttpApiBuilder.group(Api, "charlotteDaemon", (handlers) =>
  Effect.gen(function* () {
    const control = yield* Control
    const manager = yield* JobManager
    const metrics = yield* Metrics
    const store = yield* RunStore
    const streams = yield* Streams

    const freeSpace = spaceProblems(control.logs)

    const problems = Effect.gen(function* () {
      const { unrecorded } = yield* manager.health
      const reading = yield* Effect.flip(store.latestCursor).pipe(
        Effect.map(({ message }) => [message]),
        Effect.orElseSucceed(() => [])
      )
      const closing = (yield* streams.hasClosed) ? ["the server is shutting down"] : []
      const writing = unrecorded.map(({ error, jobId }) => `job ${jobId} cannot be recorded: ${error.message}`)
      return [...closing, ...reading, ...writing, ...(yield* freeSpace), ...(yield* control.problems)]
    })

    return handlers
      .handle("shutdown", () => control.shutdown)
      .handle("health", () => Effect.succeed(new Health({ version, pid })))
      .handle("ready", () =>
        Effect.flatMap(problems, (problems) =>
          problems.length === 0 ? Effect.succeed(new Ready({ ready: true })) : new NotReady({ problems })
        )
      )
      .handle("metrics", () => metrics.text)
  })
)
