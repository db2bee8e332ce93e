/**
 * One run from one seed: a manager, those who use it, and everything that can go wrong; then calm, in which all has to come
 * to its end.
 */
import { Cause, Effect, Exit, Option } from "effect"
import * as Audit from "../../src/store/Audit.js"
import * as DatabaseModule from "./Database.js"
import * as Ledger from "./Ledger.js"
import * as LifeModule from "./Life.js"
import * as Machine from "./Machine.js"
import * as ManagerModule from "./Manager.js"
import * as Operations from "./Operations.js"
import * as Processes from "./Processes.js"
import * as Random from "./Random.js"
import * as Records from "./Records.js"
import * as Repository from "./Repository.js"
import * as Timeline from "./Timeline.js"
import * as Trace from "./Trace.js"

export interface Report {
  readonly seed: number
  readonly steps: number
  readonly crashes: number
  /** How many of them came while processes of jobs were alive. */
  readonly alive: number
  /** The longest time, in virtual milliseconds, that a manager took to be ready while nothing else was wrong. */
  readonly recovery: number
  readonly jobs: number
  readonly events: number
  readonly violations: ReadonlyArray<string>
  readonly digest: string
  readonly trace: ReadonlyArray<string>
}

/** Virtual time begins here: a summer day, in milliseconds. */
const start = 1_750_000_000_000

/** More than any run needs that comes to an end. */
const mostSteps = 100_000

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const random = Random.make(seed)
  const timeline = Timeline.make(start)
  const trace = Trace.make({ now: () => timeline.now() - start, keep: options.keep ?? 60 })
  const machine = Machine.make({ random, timeline, trace })
  const { nameOf, violate } = machine
  const maxJobs = random.between(1, 4)
  const recovery = random.chance(0.1) ? ("manual" as const) : ("automatic" as const)
  const stopGrace = random.pick([0, 100, 1_000, 5_000])
  const ledger = Ledger.make()
  const repository = Repository.make(machine)
  trace.say(`seed ${seed}: ${maxJobs} jobs, ${recovery} recovery, ${stopGrace} ms of grace`)

  let bootId = 1
  let pids = 1
  let steps = 0
  let crashes = 0
  let alive = 0
  let slowest = 0
  let calm = false
  let current: ManagerModule.Manager | undefined
  const lives = new Map<number, LifeModule.Life>()
  let rival: ManagerModule.Manager | undefined

  const database = DatabaseModule.make(machine, {
    content: options.content,
    onCommitted: (life) => records.refresh(life)
  })
  const processes = Processes.make(machine, ({ cookie, pid, startedBy }) => {
    const intent = records.intent(cookie)
    if (intent === undefined) return violate(`process ${pid} was started, and nobody has recorded that it would be`)
    ledger.own(cookie, intent)
    const job = records.jobs.get(intent.jobId)
    const name = nameOf(intent.jobId)
    if (job?.status !== "running" || job.attempt !== intent.attempt)
      if (lives.get(startedBy)?.isAlive()) violate(`process ${pid} was started for ${name}, which is ${job?.status}`)
    const trees = processes.running().map((process) => ({ ...process, owner: ledger.owner(process.cookie) }))
    if (trees.some(({ owner, startedBy: by }) => owner?.jobId === intent.jobId && by !== startedBy))
      violate(`${name} has process trees of two lives`)
    const busy = new Set(trees.map(({ owner }) => owner?.jobId))
    if (busy.size > maxJobs) violate(`${busy.size} jobs have processes, and ${maxJobs} may run`)
  })
  const records = Records.make(machine, { database, maxJobs, ledger, processes: () => processes, repository })
  const world = { machine, ledger, records, repository, maxJobs, processes, database, isCalm: () => calm }
  const operations = Operations.make(world)

  const makeLife = () => {
    const life = LifeModule.make(machine, {
      pid: pids++,
      bootId: `boot${bootId}`,
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
    const begunInCalm = calm
    const begun = timeline.now()
    machine.trace.say(`${life.pid} boots`)
    const manager = ManagerModule.boot(life, world, { maxJobs, stopGrace, recovery }, (exit) => {
      machine.trace.say(
        `${life.pid} ${Exit.isSuccess(exit) ? "is the manager" : `is not: ${Machine.firstLine(exit.cause)}`}`
      )
      if (Exit.isSuccess(exit)) {
        if (machine.calmSince() >= begun) return
        const took = timeline.now() - begun
        slowest = Math.max(slowest, took)
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

  /** What `charlotte doctor --audit` would say; what may be left of processes is for the next manager to clear away. */
  const audit = (when: string) => {
    const { violations } = Effect.runSync(Effect.provide(Audit.look({ maxJobs }), database.plain))
    for (const { found, remedy, wrong } of violations) if (remedy !== "process") violate(`${when}: ${wrong}: ${found}`)
  }

  /** The process is gone, from one moment to the next. */
  const end = (manager: ManagerModule.Manager) => {
    manager.life.kill()
    operations.forget(manager)
    if (current === manager) current = undefined
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
    machine.trace.say(`${manager.life.pid} closes`)
    manager.close(() => {
      machine.trace.say(`${manager.life.pid} has closed`)
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
    const competitor = ManagerModule.boot(life, world, { maxJobs }, (exit) => {
      machine.trace.say(`${life.pid} ${Exit.isSuccess(exit) ? "has won" : "has lost"}`)
      if (Exit.isSuccess(exit)) violate("there are two managers")
      end(competitor)
    })
    rival = competitor
  }

  const disturb = () => {
    const matching = random.pick([/./, /./, /^COMMIT/, /^BEGIN/, /^INSERT/, /^UPDATE/, /^SELECT/])
    const times = random.chance(0.6) ? 1 : random.between(2, 60)
    const code = random.pick(["SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_READONLY"])
    const after = random.below(30)
    machine.trace.say(`${code} from the ${after}th statement like ${matching.source} on, ${times} times`)
    database.setFault({ code, after, times, matching, rollsBack: random.chance(0.2) })
  }

  const pickJob = () => {
    const ids = operations.known()
    const [first, ...rest] = ids
    return first === undefined ? undefined : random.chance(0.5) ? ids.at(-1) : random.pick([first, ...rest])
  }

  const weights = { start: 8, stop: 4, stopAll: 0.4, resume: 1, awaitEnd: 2, events: 3, allEvents: 1, look: 0.7 }
  const mishaps = { interrupt: 1, crash: 1.2, close: 0.7, compete: 0.3, disturb: 1.5, slow: 0.3, userCommits: 0.5 }

  const operate = () => {
    const chosen = random.weighted({ ...weights, ...mishaps })
    const id = pickJob()
    switch (chosen) {
      case "interrupt":
        return operations.interrupt()
      case "crash":
        return crash()
      case "close":
        return close()
      case "compete":
        return compete()
      case "disturb":
        return disturb()
      case "slow":
        return database.setSlowness(random.chance(0.5) ? 0 : 0.02)
      case "userCommits":
        return repository.commit(random.pick(Repository.targets))
    }
    if (current === undefined) return
    switch (chosen) {
      case "start":
        return operations.start(current)
      case "stopAll":
        return operations.stopAll(current)
      case "allEvents":
        return operations.allEvents(current)
      case "look":
        return operations.look(current)
    }
    if (id !== undefined) operations[chosen](current, id)
  }

  /** What callers need is there. */
  const isUp = () => current?.service() !== undefined

  /** One thing happens; tells whether there was anything to do. */
  const step = (): boolean => {
    steps += 1
    const busy = [...lives.values()].filter((life) => life.isBusy())
    const [first, ...rest] = busy
    if (first !== undefined && !random.chance(0.005)) {
      random.pick([first, ...rest]).step()
      return true
    }
    const leapt = timeline.leap()
    // Time has passed, and somebody who was ready had to wait.
    if (leapt && first !== undefined) machine.disturb()
    return leapt || first !== undefined
  }

  const goesOn = () => machine.violations.length === 0 && steps < mostSteps

  const settle = () => {
    while (goesOn() && step()) {
      // All that is there to do is done.
    }
    if (steps >= mostSteps)
      violate(
        `it does not come to rest: ${operations
          .calls()
          .map(({ name }) => name)
          .join(", ")}`
      )
  }

  const storm = () => {
    let left = random.between(5, 30)
    while (goesOn() && left > 0) {
      const isIdle = ![...lives.values()].some((life) => life.isBusy())
      if (random.chance(isUp() ? (isIdle ? 0.4 : 0.03) : 0.001)) {
        left -= 1
        operate()
      } else if (!step()) operate()
    }
  }

  const unfinished = () => [...records.jobs.values()].filter(({ status }) => !Records.terminal.has(status))

  /** Whoever waits for something that has happened knows of it by now. */
  const checkCalls = () => {
    for (const { name, waitsFor } of operations.calls()) {
      const job = waitsFor === undefined ? undefined : records.jobs.get(waitsFor)
      const mayWait = name.startsWith("all events") || (job !== undefined && !Records.terminal.has(job.status))
      if (!mayWait) violate(`${name} has no answer`)
    }
  }

  const becalm = () => {
    machine.trace.say("calm")
    calm = true
    database.setFault(undefined)
    database.setSlowness(0)
    endRival()
    if (current === undefined || current.isClosing()) bootLater()
    settle()
    if (!goesOn()) return
    if (current?.service() === undefined) return violate("there is no manager")
    checkCalls()
    const running = unfinished().filter(({ status }) => status === "running")
    for (const { attempt, id } of running)
      if (ledger.body(id)?.attempt !== attempt) violate(`${nameOf(id)} is recorded as running, and does not run`)
    const held = new Set(running.map(({ key }) => key))
    for (const { id, key, status } of unfinished())
      if (status === "interrupted" && recovery === "automatic" && running.length < maxJobs && !held.has(key ?? id))
        violate(`${nameOf(id)} is interrupted, and is not continued`)
  }

  /** All jobs come to their end when they are told to, and all places are free then. */
  const stopAll = () => {
    for (let round = 0; round < 10 && goesOn() && unfinished().length > 0; round++) {
      if (current === undefined) return
      operations.stopAll(current)
      for (const { id } of unfinished()) operations.stop(current, known(id))
      settle()
    }
    if (!goesOn()) return
    for (const { id, status } of unfinished()) violate(`${nameOf(id)} is ${status} after all were stopped`)
    checkCalls()
  }

  const known = (id: string) => operations.known().find((known) => known === id) ?? Operations.idOf(id)

  const probe = () => {
    if (!goesOn() || current === undefined) return
    operations.answers.length = 0
    for (let i = 0; i < maxJobs; i++) operations.start(current, { holds: true })
    settle()
    if (!goesOn()) return
    if (operations.answers.some((answer) => answer !== "started"))
      violate(`places are missing: ${operations.answers.join(", ")}`)
    operations.answers.length = 0
    operations.start(current, { holds: true })
    settle()
    if (goesOn() && operations.answers.join() !== "MaxJobsReached")
      violate(`one job too many: ${operations.answers.join(", ")}`)
    stopAll()
  }

  const finish = () => {
    if (!goesOn()) return
    close(() => {})
    settle()
    if (!goesOn()) return
    if (current !== undefined) violate("the manager has not closed")
    if (processes.running().length > 0) violate(`${processes.running().length} processes are left`)
    if (!database.isAtRest()) violate("a transaction is open")
    audit("in the end")
  }

  boot()
  storm()
  becalm()
  stopAll()
  probe()
  finish()

  const report: Report = {
    seed,
    steps,
    crashes,
    alive,
    recovery: slowest,
    jobs: records.jobs.size,
    events: records.events.length,
    violations: machine.violations,
    digest: trace.digest(),
    trace: trace.lines()
  }
  for (const life of lives.values()) life.kill()
  database.close()
  return report
}
