/**
 * Shuts down the daemon of the home, and waits until it has exited.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Either, Option } from "effect"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import { Home } from "../../daemon/home/Home.js"
import { Problem } from "../../daemon/Problem.js"
import * as JobClient from "../../http/client/JobClient.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import { poll } from "../../internal/RealClock.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as Service from "../service/Service.js"

/** Longer than a shutdown may take, in milliseconds of real time. */
const shutdownTimeout = 12_000
const patienceToAnswer = 2_000
const pause = 20

/** The daemon that has exited; none if none was running. */
export const down: Effect.Effect<
  Option.Option<LockOwner.LockOwner>,
  LockOwner.HomeBusy | Problem | Service.ServiceFailed,
  FileSystem | Home
> = Effect.gen(function* () {
  const { directory, log, socket } = yield* Home
  const found = yield* LockOwner.find
  const holder = Option.getOrUndefined(found)
  if (holder?.what === "run") return yield* new LockOwner.HomeBusy({ directory, holder })
  yield* Service.stop
  if (holder === undefined) return found
  // The daemon may have been started before the service was installed.
  if (!(yield* isUp(holder))) return found
  const asked = yield* Effect.flatMap(JobClient.make({ socket }), ({ shutdown }) => shutdown).pipe(
    Effect.scoped,
    Effect.timeout(patienceToAnswer),
    Effect.either
  )
  // No response: it does not listen yet, its socket was deleted, or it is shutting down already and a signal would kill its jobs.
  const isEnding = Option.exists(yield* LockOwner.find, ({ ending }) => ending === true)
  if ((Either.isRight(asked) || isEnding) && (yield* hasEnded(holder))) return found
  yield* signal(holder)
  if (yield* hasEnded(holder)) return found
  return yield* new Problem({
    name: "StillUp",
    problem: `${holder} does not exit; its log may say why: ${log}. Killing it loses no job: kill -9 ${holder.process.pid}`,
    exitCode: ExitCode.failed,
    details: { holder, log }
  })
})

/** Waits for the exit, up to the deadline. */
const hasEnded = (holder: LockOwner.LockOwner) =>
  poll(Effect.negate(isUp(holder)), { until: (hasEnded) => hasEnded, pause, atMost: shutdownTimeout })

/** A process in another container is known only by its note. */
const isUp = ({ file, process, since }: LockOwner.LockOwner) =>
  Effect.gen(function* () {
    const { isAlive, self } = yield* KernelRef
    if (self.pidNamespace === process.pidNamespace) return yield* isAlive(process)
    return Option.exists(yield* LockOwner.find, (other) => other.file === file && +other.since === +since)
  })

/** Only if the pid certainly is still the daemon's. */
const signal = ({ process: { pid, ...identity } }: LockOwner.LockOwner) =>
  Effect.gen(function* () {
    const { isAlive, self } = yield* KernelRef
    const isSure = self.pidNamespace === identity.pidNamespace && identity.startTime !== ""
    if (isSure && (yield* isAlive({ pid, ...identity }))) {
      yield* Effect.ignore(Effect.try(() => process.kill(pid, "SIGTERM")))
    }
  })
