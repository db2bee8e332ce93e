/**
 * The commands of the model-based test, with what is drawn for them.
 */
import { FastCheck, Option } from "effect"
import {
  limit,
  pause,
  reschedule,
  restart,
  resume,
  resumeByProducer,
  retry,
  retryByProducer,
  signal,
  signalByProducer,
  unknown,
  wait
} from "./changing.js"
import { list, pin, prune } from "./keeping.js"
import { limits } from "./Kind.js"
import { plain, priorities, starts } from "./Start.js"
import { start, startByProducer, startInside, startMany, startTwice } from "./starting.js"
import { stop, stopAll, stopByProducer } from "./stopping.js"
import { emit, end, park, step, stopWhileItEnds } from "./working.js"

const { array, boolean, constant, constantFrom, integer, nat, oneof, record } = FastCheck

const days = constantFrom(undefined, undefined, 0, 1, 1_000)

/** A run that crashes too often in a row fails, so at times there is nothing else in between. */
const restarts = record({
  hows: array(constantFrom("closes" as const, "crashes" as const, "crashes" as const), { minLength: 1, maxLength: 4 }),
  limits: oneof(constant(Option.none()), limits.map(Option.some))
}).map(({ hows, limits }) => restart(hows, limits))

const ends = constantFrom(
  ...(["succeed", "succeed", "fail", "fail", "failHopelessly", "giveUp", "cancel", "die", "interrupt"] as const)
)

/** A sequence of commands, which shrinks to a minimal failing one. */
export const commands = FastCheck.commands(
  [
    starts.map(start),
    starts.map(start),
    starts.map(start),
    starts.map((asked) => start({ ...plain, key: asked.key, group: asked.group })),
    starts.map(startMany),
    record({ start: starts, isRolledBack: boolean() }).map(({ isRolledBack, start }) =>
      startInside(start, isRolledBack)
    ),
    starts.map(startByProducer),
    constantFrom("a", "b").map(startTwice),
    record({ n: nat(), days, isForSignal: boolean() }).map(({ n, ...how }) => park(n, how)),
    nat().map(signal),
    nat().map(signalByProducer),
    record({ n: nat(), count: integer({ min: 1, max: 5 }) }).map(({ count, n }) => emit(n, count)),
    record({ n: nat(), name: constantFrom("s", "t"), isOk: boolean(), value: nat() }).map(({ n, ...how }) =>
      step(n, how)
    ),
    record({ n: nat(), how: ends }).map(({ how, n }) => end(n, how)),
    record({ n: nat(), how: ends }).map(({ how, n }) => end(n, how)),
    record({ n: nat(), callers: integer({ min: 1, max: 3 }), hasGrace: boolean() }).map(({ n, ...how }) =>
      stop(n, how)
    ),
    nat().map(stopWhileItEnds),
    nat().map(stopByProducer),
    constant(stopAll),
    nat().map(resume),
    nat().map(resume),
    nat().map(resumeByProducer),
    nat().map(retryByProducer),
    boolean().map(pause),
    constant(false).map(pause),
    constantFrom(1, 2, 3, "default" as const).map(limit),
    record({ n: nat(), days, priority: oneof(constant(undefined), priorities) }).map(({ n, ...to }) =>
      reschedule(n, to)
    ),
    record({ n: nat(), again: boolean(), fresh: boolean(), callers: integer({ min: 1, max: 3 }) }).map(
      ({ n, ...how }) => retry(n, how)
    ),
    record({ n: nat(), isPinned: boolean() }).map(({ isPinned, n }) => pin(n, isPinned)),
    constant(prune),
    constantFrom("x", "y").map(list),
    constant(unknown),
    integer({ min: 1, max: 4_000 }).map(wait),
    constantFrom(1, 2, 30).map(wait),
    constantFrom(1, 2, 30).map(wait),
    restarts
  ],
  { maxCommands: 100, size: "max" }
)
