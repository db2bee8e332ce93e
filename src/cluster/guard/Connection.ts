/**
 * The connection to one guard process.
 */
import { Data, Deferred, Effect, FiberId } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import { uptime } from "node:os"
import * as race from "../../internal/race.js"
import { RealClock } from "../../internal/RealClock.js"
import { cookieName, type Variables } from "../../process/ChildEnvironment.js"
import { encode, lines, type Message } from "./protocol.js"

/**
 * The guard process could not be started.
 *
 * @since 0.2.0
 * @category errors
 */
export class GuardNotStarted extends Data.TaggedError("GuardNotStarted")<{ readonly reason: string }> {
  override get message() {
    return `the guard process did not start: ${this.reason}`
  }
}

export interface Connection {
  /** Sends without waiting, regardless of the state of the guard: unread messages are buffered. */
  readonly send: (message: Message, answered?: () => void) => void
  /** How long the oldest unacknowledged message has waited, in milliseconds. */
  readonly unansweredFor: () => number
  readonly kill: () => void
  /** Completes with how the guard has ended. */
  readonly ended: Effect.Effect<string>
  /** Closes the guard's input, and returns when the guard has ended. */
  readonly close: Effect.Effect<void>
}

/** Limits on its start and its end, in milliseconds. */
const startTime = 10_000
const endTime = 2_000

export interface Options {
  readonly command: readonly [file: string, ...args: ReadonlyArray<string>]
  readonly around: Variables
  readonly silence: number
  /** The uptime of the machine at which the lease was fresh. */
  readonly freshAt: number
}

const start = ({ around, command, freshAt, silence }: Options): ChildProcess => {
  const [file, ...args] = command
  const outer = around[cookieName]
  return spawn(file, [...args, String(silence), String(freshAt)], {
    cwd: "/",
    // If this node runs in a job of another manager, the end of that job ends the guard, too.
    env: outer === undefined ? {} : { [cookieName]: outer },
    // A separate session, so that signals to the process group of the node do not reach the guard.
    detached: true,
    stdio: ["pipe", "pipe", "ignore"]
  })
}

/** Starts a guard, and returns when it has responded for the first time. */
export const open = (options: Options): Effect.Effect<Connection, GuardNotStarted> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const child = yield* Effect.try({
      try: () => start(options),
      catch: (cause) => new GuardNotStarted({ reason: String(cause) })
    })
    const answered = Deferred.unsafeMake<void, GuardNotStarted>(FiberId.none)
    const { ended, ...connection } = connect(child, (reason) =>
      Deferred.unsafeDone(answered, new GuardNotStarted({ reason }))
    )
    connection.send({ type: "beat", uptime: options.freshAt }, () => Deferred.unsafeDone(answered, Effect.void))
    const tooLong = Effect.zipRight(
      sleep(startTime),
      Effect.suspend(() => {
        connection.kill()
        return new GuardNotStarted({ reason: `it did not answer within ${startTime} ms` })
      })
    )
    yield* race.first([Deferred.await(answered), tooLong])
    const close = Effect.suspend(() => {
      child.stdin?.end()
      return race.first([ended, Effect.zipRight(Effect.map(sleep(endTime), connection.kill), ended)])
    })
    return { ...connection, ended, close: Effect.asVoid(close) }
  }).pipe(Effect.uninterruptible)

const connect = (child: ChildProcess, onEnd: (how: string) => void): Omit<Connection, "close"> => {
  const ended = Deferred.unsafeMake<string>(FiberId.none)
  const { stdin, stdout } = child
  const waiting = new Map<number, { readonly since: number | undefined; readonly answered: () => void }>()
  let last = 0

  const end = (how: string) => {
    Deferred.unsafeDone(ended, Effect.succeed(how))
    onEnd(how)
  }
  child.once("error", ({ message }) => end(message))
  child.once("exit", (code, signal) => end(signal === null ? `it exited with ${code}` : `it was ended by ${signal}`))
  // The exit of the guard shows that it has ended.
  stdin?.on("error", () => {})
  stdout?.on("error", () => {})
  stdout?.setEncoding("utf8").on(
    "data",
    lines((line) => {
      const number = Number(line)
      waiting.get(number)?.answered()
      waiting.delete(number)
    })
  )
  // The guard must not keep the node alive.
  child.unref()
  for (const stream of [stdin, stdout]) if (stream instanceof Socket) stream.unref()

  return {
    send: (message, answered = () => {}) => {
      last += 1
      // A watch may be acknowledged later, when the node has its lease again.
      waiting.set(last, { since: message.type === "watch" ? undefined : uptime(), answered })
      stdin?.write(encode({ number: last, message }))
    },
    unansweredFor: () => {
      for (const { since } of waiting.values()) if (since !== undefined) return (uptime() - since) * 1_000
      return 0
    },
    kill: () => void child.kill("SIGKILL"),
    ended: Deferred.await(ended)
  }
}
