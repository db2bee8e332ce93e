/**
 * The guard processes of a node, one after the other: each gets all processes to guard.
 */
import { Effect, type Scope } from "effect"
import { uptime } from "node:os"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import { ParentEnvironment } from "../../process/ChildEnvironment.js"
import type * as TreeGuard from "../../process/TreeGuard.js"
import * as Connection from "./Connection.js"
import { GuardProgram } from "./GuardProgram.js"

/**
 * The operations of a guard, besides the operations that `ProcessRunner` uses.
 *
 * @since 0.2.0
 * @category models
 */
export interface Service extends TreeGuard.Service {
  /**
   * Reports that the node has its lease. `age` is how many milliseconds ago the node queried the database: the time until the response
   * counts as silence.
   */
  readonly beat: (age: number) => Effect.Effect<void>
}

/** Minimum lifetime of a guard in milliseconds: after a shorter one, the next guard is started only after a pause. */
const shortLife = 100
const pause = 1_000

interface Watched {
  identity?: { readonly pid: number; readonly startTime: number }
  /** Callers that wait until the process is guarded. */
  readonly waiting: Set<() => void>
}

export const make = (silence: number): Effect.Effect<Service, Connection.GuardNotStarted, Scope.Scope> =>
  Effect.gen(function* () {
    const command = yield* GuardProgram
    const around = yield* ParentEnvironment
    const { now, sleep } = yield* RealClock
    const watched = new Map<string, Watched>()
    let freshAt = uptime() * 1_000
    let current: Connection.Connection | undefined

    const announce = (connection: Connection.Connection, cookie: string, { identity, waiting }: Watched) => {
      connection.send({ type: "watch", cookie }, () => {
        waiting.forEach((resume) => resume())
        waiting.clear()
      })
      if (identity !== undefined) connection.send({ type: "spawned", cookie, ...identity })
    }

    const start = Effect.suspend(() => Connection.open({ command, around, silence, freshAt })).pipe(
      Effect.map((connection) => {
        for (const [cookie, each] of watched) announce(connection, cookie, each)
        current = connection
      }),
      Effect.uninterruptible
    )

    const startUntilUp: Effect.Effect<void> = Effect.catchAll(start, ({ message }) =>
      Effect.zipRight(
        Effect.logError(`${message}; no process of a job is started before there is a guard`),
        Effect.zipRight(
          sleep(pause),
          Effect.suspend(() => startUntilUp)
        )
      )
    )

    const replace = Effect.gen(function* () {
      const since = yield* now
      const how = yield* current?.ended ?? Effect.succeed("")
      current = undefined
      yield* Effect.logWarning(`the guard process is gone (${how}); another is started`)
      if ((yield* now) - since < shortLife) yield* sleep(pause)
      yield* startUntilUp
    })

    yield* Effect.acquireRelease(start, () => Effect.suspend(() => current?.close ?? Effect.void))
    yield* background.fork(Effect.forever(replace))

    const release = (cookie: string) =>
      Effect.sync(() => {
        if (watched.delete(cookie)) current?.send({ type: "release", cookie })
      })

    return {
      beat: (age) =>
        Effect.sync(() => {
          freshAt = Math.max(freshAt, uptime() * 1_000 - age)
          // Killed rather than closed: once the guard continues, it would take the end of its input for the end of its node.
          if (current !== undefined && current.unansweredFor() > silence) current.kill()
          else current?.send({ type: "beat", uptime: freshAt })
        }),

      watch: (cookie) =>
        Effect.async<void>((resume) => {
          const added: Watched = { waiting: new Set([() => resume(Effect.void)]) }
          watched.set(cookie, added)
          if (current !== undefined) announce(current, cookie, added)
          return release(cookie)
        }),

      spawned: ({ cookie, pid, startTime }) =>
        Effect.sync(() => {
          const found = watched.get(cookie)
          if (found === undefined || startTime === undefined) return
          found.identity = { pid, startTime }
          current?.send({ type: "spawned", cookie, pid, startTime })
        }),

      release
    }
  })
