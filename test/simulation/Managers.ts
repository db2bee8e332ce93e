/**
 * The managers of a run: each lives in a process of its own, one after the other, and at times one tries to be a second one.
 */
import { Cause, Effect, Exit, Option } from "effect"
import * as Audit from "../../src/store/Audit.js"
import * as LifeModule from "./Life.js"
import * as Machine from "./Machine.js"
import type * as ManagerModule from "./Manager.js"
import type { Operations } from "./Operations.js"
import type { World } from "./World.js"

export interface Managers {
  /** The one that is there, if it has not been killed. */
  readonly current: () => ManagerModule.Manager | undefined
  readonly lives: () => ReadonlyArray<LifeModule.Life>
  readonly isAlive: (pid: number) => boolean
  /** When the current one was ready, in virtual time; undefined while there is none that is. */
  readonly readySince: () => number | undefined
  readonly boot: () => void
  readonly bootLater: () => void
  /** The process is killed, and sometimes the machine loses its power. */
  readonly crash: () => void
  /** A clean shutdown; the next manager follows. */
  readonly close: (then?: () => void) => void
  readonly compete: () => void
  readonly endRival: () => void
  /** What `charlotte doctor --audit` would say; what may be left of processes is for the next manager to clear away. */
  readonly audit: (when: string, options?: { readonly isOver: boolean }) => void
  readonly figures: () => {
    readonly crashes: number
    /** How many of them came while processes of jobs were alive. */
    readonly alive: number
    /** The longest time, in virtual milliseconds, that a manager took to be ready while nothing else was wrong. */
    readonly recovery: number
  }
}

/** Within so many virtual milliseconds a manager is ready, whatever the last one has left. */
const longestRecovery = 2_000

/** Within so many virtual milliseconds after its grace a manager has closed, whatever its jobs do. */
const longestRest = 3_000

export const make = (
  world: ManagerModule.Simulated & Pick<World, "isCalm" | "maxJobs">,
  options: {
    readonly boot: ManagerModule.Boot
    readonly operations: Pick<Operations, "forget">
    readonly stopGrace: number
    readonly recovery: "automatic" | "manual"
    readonly makesWay?: number
  }
): Managers => {
  const { database, machine, maxJobs, processes } = world
  const { random, timeline, violate } = machine
  const { makesWay, recovery, stopGrace } = options
  const lives = new Map<number, LifeModule.Life>()
  let current: ManagerModule.Manager | undefined
  let rival: ManagerModule.Manager | undefined
  let readySince: number | undefined
  let bootId = 1
  let pids = 1
  let crashes = 0
  let alive = 0
  let slowest = 0

  const makeLife = () => {
    const life = LifeModule.make(machine, {
      pid: pids++,
      bootId: `boot${bootId}`,
      ...(makesWay !== undefined && { makesWay }),
      isAlive: (pid) => lives.get(pid)?.isAlive() === true,
      onKilled: (life) => {
        lives.delete(life.pid)
        database.abandon(life)
      }
    })
    lives.set(life.pid, life)
    return life
  }

  const bootLater = () => {
    const delay = random.chance(0.5) ? 0 : random.between(0, 2_000)
    timeline.after(delay, () => {
      if (current === undefined) boot()
    })
  }

  const boot = () => {
    const life = makeLife()
    const begunInCalm = world.isCalm()
    const begun = timeline.now()
    machine.trace.say(`${life.pid} boots`)
    const manager = options.boot(life, { maxJobs, stopGrace, recovery }, (exit) => {
      machine.trace.say(
        `${life.pid} ${Exit.isSuccess(exit) ? "is the manager" : `is not: ${Machine.firstLine(exit.cause)}`}`
      )
      if (Exit.isSuccess(exit)) {
        readySince = timeline.now()
        if (machine.calmSince() >= begun) return
        const took = timeline.now() - begun
        slowest = Math.max(slowest, took)
        if (took > longestRecovery) violate(`${life.pid} took ${took} ms to be ready, and nothing was in its way`)
        return
      }
      const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
      if (failure?._tag !== "StoreError") violate(`no manager came up: ${Machine.firstLine(exit.cause)}`)
      else if (begunInCalm) violate(`no manager came up, and nothing was wrong: ${Machine.firstLine(exit.cause)}`)
      end(manager)
      bootLater()
    })
    current = manager
  }

  const audit: Managers["audit"] = (when, { isOver } = { isOver: false }) => {
    const { violations } = Effect.runSync(Effect.provide(Audit.run({ maxJobs }), database.plain))
    for (const { found, remedy, wrong } of violations)
      if (isOver || remedy !== "process") violate(`${when}: ${wrong}: ${found}`)
  }

  /** The process is gone, from one moment to the next. */
  const end = (manager: ManagerModule.Manager) => {
    manager.life.kill()
    options.operations.forget(manager)
    if (current === manager) current = readySince = undefined
    if (rival === manager) rival = undefined
  }

  const endRival = () => {
    if (rival !== undefined) end(rival)
  }

  const crash = () => {
    if (current === undefined) return
    crashes += 1
    if (processes.running().length > 0) alive += 1
    machine.trace.say(`${current.life.pid} is killed`)
    endRival()
    end(current)
    audit("after a crash")
    if (random.chance(0.05)) {
      machine.trace.say("and the machine with it")
      processes.killAll()
      bootId += 1
    }
    bootLater()
  }

  const close = (then: () => void = bootLater) => {
    const manager = current
    if (manager === undefined || manager.service() === undefined || manager.isClosing()) return
    endRival()
    const begun = timeline.now()
    machine.trace.say(`${manager.life.pid} closes`)
    manager.close(() => {
      const took = timeline.now() - begun
      machine.trace.say(`${manager.life.pid} has closed`)
      if (took > stopGrace + longestRest && machine.calmSince() < begun)
        violate(`${manager.life.pid} took ${took} ms to close, and nothing was in its way`)
      end(manager)
      then()
    })
  }

  /** Another process wants to be the manager, and must not. */
  const compete = () => {
    const manager = current
    if (rival !== undefined || manager?.service() === undefined || manager.isClosing()) return
    const life = makeLife()
    machine.trace.say(`${life.pid} competes`)
    const competitor = options.boot(life, { maxJobs }, (exit) => {
      machine.trace.say(`${life.pid} ${Exit.isSuccess(exit) ? "has won" : "has lost"}`)
      if (Exit.isSuccess(exit)) violate("there are two managers")
      end(competitor)
    })
    rival = competitor
  }

  return {
    current: () => current,
    lives: () => [...lives.values()],
    isAlive: (pid) => lives.get(pid)?.isAlive() === true,
    readySince: () => (current?.isClosing() === false ? readySince : undefined),
    boot,
    bootLater,
    crash,
    close,
    compete,
    endRival,
    audit,
    figures: () => ({ crashes, alive, recovery: slowest })
  }
}
