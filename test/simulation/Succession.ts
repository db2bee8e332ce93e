/**
 * One process after another on one database, each with managers: they are booted, closed and killed, while the database fails.
 */
import { Cause, type Context, Effect, Exit, Layer, Option, Scope } from "effect"
import type * as RunStore from "../../src/store/RunStore.js"
import * as Database from "./Database.js"
import * as disturbing from "./disturb.js"
import * as ending from "./ending.js"
import * as LifeModule from "./Life.js"
import * as Machine from "./Machine.js"
import type { Report } from "./Simulation.js"

interface Process<Managers> {
  readonly life: LifeModule.Life
  readonly scope: Scope.CloseableScope
  managers?: Context.Context<Managers>
  isClosing: boolean
}

export interface Options<Managers> {
  readonly content: Buffer | undefined
  /** More steps than any seed needs. */
  readonly mostSteps: number
  /** The managers of a process, with their store. */
  readonly managers: (
    life: LifeModule.Life
  ) => Layer.Layer<Managers, { readonly _tag: string }, Layer.Layer.Context<typeof RunStore.layerUntouched>>
  readonly onCommitted: () => void
}

export const make = <Managers>(
  machine: Machine.Machine,
  { content, managers, mostSteps, onCommitted }: Options<Managers>
) => {
  const { random, timeline, trace, violate } = machine
  let steps = 0
  /** From then on the process is not kept from its work while time passes. */
  let isCalm = false
  let crashes = 0
  let pids = 1
  let process: Process<Managers> | undefined
  const database = Database.make(machine, { content, onCommitted })

  const end = () => {
    process?.life.kill()
    process = undefined
  }

  const goesOn = () => machine.violations.length === 0 && steps < mostSteps

  return {
    database,

    boot: () => {
      if (process !== undefined) return
      const life = LifeModule.make(
        { ...machine, wallClock: () => timeline.now() },
        {
          pid: pids++,
          bootId: "boot",
          makesWay: 0.005,
          isAlive: (pid) => process?.life.pid === pid,
          onKilled: database.abandon
        }
      )
      const scope = Effect.runSync(Scope.make())
      const booted: Process<Managers> = { life, scope, isClosing: false }
      process = booted
      trace.say(`${life.pid} boots`)
      const layer = managers(life).pipe(
        Layer.provide(database.client(life)),
        Layer.provide(Layer.succeedContext(life.references))
      )
      life.fork(Layer.buildWithScope(layer, scope), (exit) => {
        if (Exit.isSuccess(exit)) {
          trace.say(`${life.pid} is ready`)
          booted.managers = exit.value
          return
        }
        const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
        trace.say(`${life.pid} is not ready: ${Machine.firstLine(exit.cause)}`)
        if (failure?._tag !== "StoreError" && failure?._tag !== "AlreadyManaged")
          violate(`no manager came up: ${Machine.firstLine(exit.cause)}`)
        if (process === booted) end()
      })
    },

    close: () => {
      const closing = process
      if (closing?.managers === undefined || closing.isClosing) return
      closing.isClosing = true
      trace.say(`${closing.life.pid} closes`)
      closing.life.fork(Scope.close(closing.scope, Exit.void), () => {
        if (process === closing) end()
      })
    },

    crash: () => {
      if (process === undefined) return
      crashes += 1
      trace.say(`${process.life.pid} is killed`)
      end()
    },

    disturb: () => disturbing.disturb(database, random),

    /** Asks the managers for something, if there are any. */
    ask: <A, E>(
      use: (managers: Context.Context<Managers>) => Effect.Effect<A, E>,
      then: (exit: Exit.Exit<A, E>) => void = () => {}
    ) => {
      if (process?.managers !== undefined && !process.isClosing) process.life.fork(use(process.managers), then)
    },

    /** Whether the seed is not over. */
    goesOn,

    /** Lets so much time pass, and all that is to be done by then. */
    pass: (millis: number) => {
      let isThere = false
      timeline.after(millis, () => (isThere = true))
      while (goesOn() && (!isThere || process?.life.isBusy() === true)) {
        steps += 1
        if (process?.life.isBusy() === true && (isCalm || !random.chance(0.002))) process.life.step()
        else if (!isThere) timeline.leap()
      }
    },

    /** From then on nothing fails. */
    calm: () => {
      trace.say("calm")
      isCalm = true
      database.setFault(undefined)
    },

    audit: (maxJobs: number) => ending.audit(database, machine, maxJobs),

    /** Ends the process. */
    report: (seed: number, jobs: number): Report => {
      if (steps >= mostSteps) violate("it does not come to rest")
      const report = ending.reportOf(database, machine, { seed, steps, crashes, jobs })
      end()
      database.close()
      return report
    }
  }
}
