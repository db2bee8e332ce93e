/**
 * One life of a process: its fibers make way for each other at random, its time is virtual, and when it is killed all that
 * it had to do is gone, without a finalizer.
 */
import {
  Cause,
  Clock,
  Context,
  Duration,
  Effect,
  type Exit,
  type Fiber,
  FiberRef,
  HashSet,
  Logger,
  Random as EffectRandom,
  type Scheduler
} from "effect"
import { KernelRef } from "../../src/internal/ProcessIdentity.js"
import { RealClock } from "../../src/internal/RealClock.js"
import { firstLine, type Machine } from "./Machine.js"

export interface Life {
  readonly pid: number
  readonly isAlive: () => boolean
  /** Whether the kernel has stopped it: time passes, and nothing of it runs. */
  readonly isFrozen: () => boolean
  readonly freeze: () => void
  /** It continues: whatever was due meanwhile is late. */
  readonly thaw: () => void
  /** Whether something is ready to run. */
  readonly isBusy: () => boolean
  /** Lets one fiber that is ready run until it waits or makes way. */
  readonly step: () => void
  /** Runs an effect as a fiber of this process. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>, done?: (exit: Exit.Exit<A, E>) => void) => Fiber.RuntimeFiber<A, E>
  /** Runs an action later, if the process still lives then. */
  readonly after: (millis: number, action: () => void) => () => void
  /** Waits in virtual time. */
  readonly sleep: (millis: number) => Effect.Effect<void>
  /**
   * The fiber that runs this makes way no more. When a fiber that fails, or has failed with an interruption, makes way where it
   * can be interrupted, Effect 3.22 forgets the failure. Its own scheduler makes way every 2,048 operations only.
   */
  readonly hasten: Effect.Effect<void>
  /** The fiber that runs this often falls far behind the others. One that did it all the time would get nowhere. */
  readonly dawdle: Effect.Effect<void>
  /** What every fiber of it finds in place of the real world. */
  readonly references: Context.Context<RealClock | KernelRef>
  readonly kill: () => void
}

interface Ready {
  readonly fiber: unknown
  readonly tasks: Array<() => void>
  /** So many times others go before it. */
  patience: number
}

interface Urgent {
  readonly fiber: unknown
  readonly task: () => void
}

/** Whether the task is that the fiber goes on. */
const isTurn = (fiber: unknown, task: () => void): boolean =>
  typeof fiber === "object" && fiber !== null && "run" in fiber && fiber.run === task

/** How often a fiber makes way. That takes it some operations itself: one that did it all the time would get nowhere. */
const often = 0.03

/** Operations that a fiber takes to get under way. */
const start = 20

/** Now and then one falls far behind the others, and much happens meanwhile. */
const rarely = 0.05
const dawdling = 0.5

export const make = (
  machine: Machine,
  options: {
    readonly pid: number
    readonly bootId: string
    readonly isAlive: (pid: number) => boolean
    /** How probable it is at each operation that a fiber makes way; often by default. */
    readonly makesWay?: number
    /** Clears away what only the kernel would. */
    readonly onKilled: (life: Life) => void
  }
): Life => {
  const { random, timeline, trace } = machine
  const { bootId, makesWay = often, pid } = options
  let alive = true
  let frozen = false
  /** What was due while it was frozen. */
  let late: Array<() => void> = []
  /** What is ready, by its fiber: of one fiber in order, of several in any. */
  let ready: Array<Ready> = []
  const queues = new Map<unknown, Ready>()
  const timers = new Set<() => void>()

  // Effect starts the fibers of a concurrent `forEach` by tasks of its own, and counts on it that they have begun before
  // anything else happens to the fiber that waits for them: one that is interrupted before would wait for ever.
  let urgent: Array<Urgent> = []
  let starting: unknown
  /** So many operations are left before it may make way. */
  let head = 0

  const hasty = new WeakSet<object>()
  const slow = new WeakSet<object>()
  const isSlow = (fiber: unknown) => typeof fiber === "object" && fiber !== null && slow.has(fiber)

  const schedule = (task: () => void, fiber: unknown = task) => {
    if (!alive) return
    if (fiber === starting || (fiber !== task && !isTurn(fiber, task))) return void urgent.push({ task, fiber })
    const queue = queues.get(fiber)
    if (queue !== undefined) return void queue.tasks.push(task)
    const isBehind = random.chance(isSlow(fiber) ? dawdling : rarely)
    const fresh = { fiber, tasks: [task], patience: isBehind ? random.between(2, 30) : 0 }
    queues.set(fiber, fresh)
    ready.push(fresh)
  }

  const scheduler: Scheduler.Scheduler = {
    shouldYield: (fiber) => {
      if (hasty.has(fiber)) return false
      if (head > 0) head -= 1
      else if (random.chance(makesWay)) return 0
      return false
    },
    scheduleTask: (task, _priority, fiber) => schedule(task, fiber)
  }

  const after: Life["after"] = (millis, action) => {
    const cancel = timeline.after(millis, () => {
      timers.delete(cancel)
      if (frozen) late.push(action)
      else action()
    })
    timers.add(cancel)
    return () => {
      timers.delete(cancel)
      cancel()
    }
  }

  const sleep = (millis: number) =>
    Effect.async<void>((resume) => {
      const cancel = after(millis, () => resume(Effect.void))
      return Effect.sync(cancel)
    })

  const { wallClock: shown } = machine
  const nanos = () => BigInt(Math.round(shown() * 1_000_000))
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: shown,
    currentTimeMillis: Effect.sync(shown),
    unsafeCurrentTimeNanos: nanos,
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) => sleep(Duration.toMillis(duration))
  }

  const wallClock: Context.Tag.Service<RealClock> = {
    now: Effect.sync(timeline.now),
    sleep,
    // Whoever is ready by now may come before or after: no order is promised.
    turn: Effect.async<void>((resume) => {
      schedule(() => resume(Effect.void))
    })
  }

  const references = Context.make(RealClock, wallClock).pipe(
    Context.add(KernelRef, {
      self: { pid, bootId, startTime: String(pid), pidNamespace: "one" },
      isAlive: (other) => Effect.sync(() => other.bootId === bootId && options.isAlive(other.pid))
    })
  )

  const logger = Logger.make<unknown, void>(({ cause, message }) => {
    const texts = (Array.isArray(message) ? message : [message]).map(String)
    const why = Cause.isEmpty(cause) ? [] : [firstLine(cause)]
    trace.say(`${pid} logs: ${withoutIds(machine, [...texts, ...why].join(" "))}`)
  })

  const chance = EffectRandom.make(random.next())

  const life: Life = {
    pid,
    isAlive: () => alive,
    isFrozen: () => frozen,
    freeze: () => {
      frozen = true
    },
    thaw: () => {
      const due = late
      frozen = false
      late = []
      for (const action of due) action()
    },
    isBusy: () => !frozen && urgent.length + ready.length > 0,
    step: () => {
      const first = urgent.shift()
      if (first !== undefined) {
        starting = isTurn(first.fiber, first.task) ? undefined : first.fiber
        head = start
        first.task()
        head = 0
        starting = undefined
        return
      }
      const index = random.below(ready.length)
      const chosen = ready[index]
      if (chosen !== undefined && chosen.patience > 0 && ready.length > 1) {
        chosen.patience -= 1
        return
      }
      const task = chosen?.tasks.shift()
      if (chosen?.tasks.length === 0) {
        queues.delete(chosen.fiber)
        const last = ready.pop()
        if (last !== undefined && last !== chosen) ready[index] = last
      }
      task?.()
    },
    fork: (effect, done) => {
      const fiber = Effect.runFork(
        effect.pipe(
          Effect.provide(references),
          Effect.withClock(clock),
          Effect.withRandom(chance),
          Effect.locally(FiberRef.currentLoggers, HashSet.make(logger))
        ),
        { scheduler, immediate: false }
      )
      if (done !== undefined) fiber.addObserver((exit) => alive && done(exit))
      return fiber
    },
    after,
    sleep,
    hasten: Effect.withFiberRuntime((fiber) => Effect.sync(() => void hasty.add(fiber))),
    dawdle: Effect.withFiberRuntime((fiber) => Effect.sync(() => void slow.add(fiber))),
    references,
    kill: () => {
      alive = false
      late = []
      urgent = []
      ready = []
      queues.clear()
      for (const cancel of timers) cancel()
      timers.clear()
      options.onKilled(life)
    }
  }
  return life
}

/** As people read it. */
const withoutIds = (machine: Machine, text: string): string =>
  text.replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, (id) => machine.nameOf(id))
