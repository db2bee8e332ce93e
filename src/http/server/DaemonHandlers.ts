/**
 * Handlers of the daemon's endpoints.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Effect } from "effect"
import { pid } from "node:process"
import type { Health } from "../../manager/JobManager.js"
import { Api, Health as Liveness, Ready } from "../contract/Api.js"
import { NotReady } from "../contract/errors.js"
import { spaceProblems } from "./freeSpace.js"
import { Managers, oldestWriteSeconds } from "./Managers.js"
import { Metrics } from "./Metrics.js"
import { OpenStreams } from "./OpenStreams.js"
import { version } from "../contract/Version.js"

export interface Options {
  /** Further reasons why the server is not ready. */
  readonly problems?: Effect.Effect<ReadonlyArray<string>>
  /** The directory of job logs. */
  readonly logs?: string
  /** Called by `POST /shutdown`. */
  readonly shutdown: Effect.Effect<void>
}

export const layer = ({ logs, problems: furtherProblems = Effect.succeed([]), shutdown }: Options) =>
  HttpApiBuilder.group(Api, "charlotteDaemon", (handlers) =>
    Effect.gen(function* () {
      const managers = yield* Managers
      const metrics = yield* Metrics
      const streams = yield* OpenStreams

      const freeSpace = spaceProblems(logs)

      const reading = Effect.flip(managers.store.latestCursor).pipe(
        Effect.map(({ message }) => [message]),
        Effect.orElseSucceed(() => [])
      )

      const healthOfAll = Effect.forEach(managers.all, ({ manager }) => manager.health)

      const problems = Effect.fnUntraced(function* (health: ReadonlyArray<Health>) {
        const others = yield* furtherProblems
        // A failing read takes seconds, and would report the same problem.
        const readErrors = yield* others.length > 0 ? Effect.succeed([]) : reading
        const closing = (yield* streams.hasClosed) ? ["the server is shutting down"] : []
        const writeErrors = health
          .flatMap(({ unrecorded }) => unrecorded)
          .map(({ error, jobId }) => `job ${jobId} cannot be recorded: ${error.message}`)
        const oldest = oldestWriteSeconds(health)
        const isLate =
          oldest !== undefined && health.some(({ healthy, unrecorded }) => !healthy && unrecorded.length === 0)
        const lateWrites = isLate
          ? [`a write has waited for ${oldest} s: another transaction may hold a lock of the database`]
          : []
        return [...closing, ...readErrors, ...writeErrors, ...lateWrites, ...(yield* freeSpace), ...others]
      })

      return handlers
        .handle("shutdown", () => shutdown)
        .handle("health", () => Effect.succeed(new Liveness({ version, pid })))
        .handle("ready", () =>
          Effect.gen(function* () {
            const health = yield* healthOfAll
            const found = yield* problems(health)
            if (found.length > 0) return yield* new NotReady({ problems: found })
            const oldest = oldestWriteSeconds(health)
            const overdue = health.flatMap(({ overdue = [] }) => overdue)
            const clockAhead = health[0]?.clockAhead
            return new Ready({
              ready: true,
              ...(oldest !== undefined && { oldestWriteSeconds: oldest }),
              ...(overdue.length > 0 && { overdue }),
              ...(clockAhead !== undefined && { clockAheadSeconds: Math.round(clockAhead / 1_000) })
            })
          })
        )
        .handle("metrics", () => metrics.text)
    })
  )
