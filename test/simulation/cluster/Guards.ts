/**
 * The guards of the nodes, as they are but for the pipe between: each has the processes of its node killed when that is gone, or has
 * stood still for too long.
 */
import { Effect } from "effect"
import type { Service } from "../../../src/cluster/guard/Guard.js"
import type { Message } from "../../../src/cluster/guard/protocol.js"
import * as Watchdog from "../../../src/cluster/guard/Watchdog.js"
import type { Life } from "../Life.js"
import type { Machine } from "../Machine.js"
import type { Processes } from "../Processes.js"

export interface Guard {
  readonly service: Service
  /** Its node is gone. */
  readonly end: () => void
  /** It is gone itself. */
  readonly kill: () => void
}

/** Milliseconds, as by default. */
const silence = 6_000

export const make = (
  { timeline, violate }: Machine,
  {
    life,
    mayKill,
    processes
  }: {
    readonly life: Life
    readonly processes: Processes
    /** Whether the node is gone, or has been without its lease. */
    readonly mayKill: () => boolean
  }
): Guard => {
  const waiting = new Map<number, () => void>()
  let number = 0
  let freshAt = timeline.now()
  let isGone = false

  const watchdog = Watchdog.make({
    table: {
      ...processes.table,
      signal: (target, signal) => {
        if (!mayKill()) violate(`the guard of ${life.pid} kills ${target}, and that node has its lease`)
        return processes.table.signal(target, signal)
      }
    },
    silence,
    freshAt,
    uptime: timeline.now,
    schedule: (run, millis) => ({ cancel: timeline.after(millis, () => (isGone ? undefined : run())) }),
    answer: (number) => {
      waiting.get(number)?.()
      waiting.delete(number)
    },
    exit: () => {
      isGone = true
    }
  })

  /** Messages arrive in order. */
  const send = (message: Message, answered = () => {}) => {
    const own = ++number
    waiting.set(own, answered)
    timeline.after(1, () => (isGone ? undefined : watchdog.receive({ number: own, message })))
  }

  const release = (cookie: string) => Effect.sync(() => send({ type: "release", cookie }))

  return {
    end: () => (isGone ? undefined : watchdog.end()),
    kill: () => {
      isGone = true
    },
    service: {
      beat: (age) =>
        Effect.sync(() => {
          freshAt = Math.max(freshAt, timeline.now() - age)
          send({ type: "beat", uptime: freshAt })
        }),
      watch: (cookie) =>
        Effect.async<void>((resume) => {
          send({ type: "watch", cookie }, () => (life.isAlive() ? resume(Effect.void) : undefined))
          return release(cookie)
        }),
      spawned: ({ cookie, pid, startTime = 0 }) => Effect.sync(() => send({ type: "spawned", cookie, pid, startTime })),
      release
    }
  }
}
