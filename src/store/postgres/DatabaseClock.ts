/**
 * The clock of the server, for what several machines share. It is read now and then; in between, the time that passes is added, so that a
 * wrong or changed clock of this machine makes no difference.
 */
import { DateTime, Effect, type Scope } from "effect"
import { uptime } from "node:os"
import type { StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import { clockDifference, notableDifference } from "../../internal/clockDifference.js"
import { now as ownTime } from "../../internal/now.js"
import { MachineTime, RealClock } from "../../internal/RealClock.js"
import type { Service } from "../port/RunStoreService.js"

/** Milliseconds between two readings of the clock of the server. */
const interval = 10_000

/** A difference up to this many milliseconds is left alone: a busy machine or network may feign it. */
const negligible = 1_000

/** Milliseconds since the machine started, sleep included. */
const sinceBoot = () => uptime() * 1_000

export const make = (
  serverTime: Effect.Effect<DateTime.Utc, StoreError>
): Effect.Effect<Pick<Service, "now" | "clockAhead">, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { now: running, sleep } = yield* RealClock
    const wall = yield* MachineTime
    const read = Effect.gen(function* () {
      const before = { wall: yield* wall, running: yield* running, sinceBoot: sinceBoot() }
      const server = yield* serverTime
      const took = (yield* running) - before.running
      return { ...before, took, server: server.epochMillis - took / 2 }
    })

    let last = yield* read
    const ahead = Effect.zipWith(wall, running, (wall, running) => {
      const ran = running - last.running
      // The clock was set, or the machine has slept, during which the other clock stands still.
      const isUneven = Math.abs(wall - last.wall - ran) > negligible
      const millis = Math.round(wall - last.server - (isUneven ? sinceBoot() - last.sinceBoot : ran))
      return Math.abs(millis) > negligible + last.took / 2 ? millis : 0
    })

    let isNoted = false
    const note = Effect.flatMap(ahead, (millis) => {
      const isWrong = Math.abs(millis) > notableDifference
      if (isWrong === isNoted) return Effect.void
      isNoted = isWrong
      return isWrong
        ? Effect.logWarning(
            `the clock of this machine is ${clockDifference(millis)} that of the database, whose time is used; set it, or let NTP do so`
          )
        : Effect.logInfo("the clock of this machine agrees with that of the database again")
    })
    const follow = Effect.gen(function* () {
      yield* sleep(interval)
      const next = yield* read
      // An answer that took long says little, unless the last one did as well.
      if (next.took <= Math.max(negligible, last.took)) last = next
      yield* note
    })
    yield* note
    yield* background.fork(Effect.forever(Effect.ignore(follow)))
    return {
      now: Effect.zipWith(ownTime, ahead, (own, millis) =>
        millis === 0 ? own : DateTime.unsafeMake(own.epochMillis - millis)
      ),
      clockAhead: ahead
    }
  })
