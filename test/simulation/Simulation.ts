/**
 * One run from one seed: a manager, those who use it, and everything that can go wrong; then calm, in which all has to come
 * to its end.
 */
import * as DatabaseModule from "./Database.js"
import * as Kind from "./Kind.js"
import * as Ledger from "./Ledger.js"
import * as Machine from "./Machine.js"
import * as ManagerModule from "./Manager.js"
import * as Managers from "./Managers.js"
import * as Operations from "./Operations.js"
import * as Orchestrators from "./Orchestrators.js"
import * as Processes from "./Processes.js"
import * as Random from "./Random.js"
import * as Records from "./Records.js"
import * as Repository from "./Repository.js"
import * as Rest from "./Rest.js"

/** What a night has had. */
export interface Night {
  readonly turns: number
  readonly limits: number
  readonly probes: number
  readonly parks: number
  readonly answers: number
  readonly raises: number
}

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
  /** Units of jobs of tasks that were merged. */
  readonly merges: number
  readonly night?: Night
  readonly violations: ReadonlyArray<string>
  readonly digest: string
  readonly trace: ReadonlyArray<string>
}

/** Virtual time begins here: a summer day, in milliseconds. */
const start = 1_750_000_000_000

/** Within so many virtual milliseconds it is noticed that a run is due, whatever the clock does. */
const longestWake = 1_200

/** More than any run needs that comes to an end. */
const mostSteps = 100_000

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = Machine.ofSeed(seed, { start, keep: options.keep })
  const { nameOf, random, timeline, trace, violate } = machine
  const maxJobs = random.between(1, 4)
  const recovery = random.chance(0.35) ? ("manual" as const) : ("automatic" as const)
  const stopGrace = random.pick([0, 100, 1_000, 5_000])
  const waits = random.chance(0.5)
  // From a generator of its own: the other seeds do the same as without it.
  const pauses = Random.make(seed ^ 0x5eed).chance(0.3)
  const setsClock = waits && Random.make(~seed).chance(0.3)
  // Of these, too.
  const chance = Random.make(seed + 2 ** 30)
  const kind = chance.chance(0.3) ? Kind.make(chance) : undefined
  const ledger = Ledger.make()
  const repository = Repository.make(machine)
  trace.say(`seed ${seed}: ${maxJobs} jobs, ${recovery} recovery, ${stopGrace} ms of grace`)

  let steps = 0
  let calm = false

  const database = DatabaseModule.make(machine, {
    content: options.content,
    onCommitted: (life) => records.refresh(life)
  })
  const processes = Processes.make(machine, ({ cookie, pid, startedBy }) => {
    const intent = records.intent(cookie)
    if (intent === undefined) return violate(`process ${pid} was started without a recorded intent`)
    ledger.own(cookie, intent)
    const job = records.jobs.get(intent.jobId)
    const name = nameOf(intent.jobId)
    if (job?.status !== "running" || job.attempt !== intent.attempt)
      if (managers.isAlive(startedBy)) violate(`process ${pid} was started for ${name}, which is ${job?.status}`)
    const trees = processes.running().map((process) => ({ ...process, owner: ledger.owner(process.cookie) }))
    if (trees.some(({ owner, startedBy: by }) => owner?.jobId === intent.jobId && by !== startedBy))
      violate(`${name} has process trees of two lives`)
    const busy = new Set(trees.map(({ owner }) => owner?.jobId))
    if (busy.size > maxJobs) violate(`${busy.size} jobs have processes, and ${maxJobs} may run`)
  })
  const records = Records.make(machine, {
    database,
    maxJobs,
    recovery,
    ledger,
    processes: () => processes,
    repository,
    retry: kind?.retry,
    isOrdered: true
  })
  const world = {
    machine,
    ledger,
    records,
    repository,
    maxJobs,
    processes,
    database,
    waits,
    kind,
    isCluster: false,
    isCalm: () => calm
  }
  const operations = Operations.make(world)
  const rest = Rest.make(world, { operations, recovery })
  const { complaints, pickJob, unanswered, unfinished } = rest
  const boot = ManagerModule.boot(world, (life) => Orchestrators.layer(world, life), world.kind)
  const managers = Managers.make(world, { boot, operations, stopGrace, recovery })

  const disturb = () => {
    const matching = random.pick([/./, /./, /^COMMIT/, /^BEGIN/, /^INSERT/, /^UPDATE/, /^SELECT/])
    const times = random.chance(0.6) ? 1 : random.between(2, 60)
    const code = random.pick(["SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_READONLY"])
    const after = random.below(30)
    machine.trace.say(`${code} from the ${after}th statement like ${matching.source} on, ${times} times`)
    database.setFault({ code, after, times, matching, rollsBack: random.chance(0.2) })
  }

  /** Forward for the most part: what is due by then may not wait for the rest of its time. */
  const setClock = () => machine.setClock(random.chance(0.8) ? random.between(1, 12_000) : -random.between(1, 3_000))

  /** Some want a job that waits to go on, and others that it ends. */
  const contend = (manager: ManagerModule.Manager) => {
    const [first, ...rest] = unfinished().filter(({ status }) => status !== "running")
    if (first === undefined) return
    const id = Operations.idOf(random.pick([first, ...rest]).id)
    operations.resume(manager, id)
    for (let i = random.between(3, 8); i > 0; i--) operations.stop(manager, id, { slowly: random.chance(0.5) })
  }

  const weights = {
    start: 8,
    startInside: waits ? 4 : 0,
    stop: 4,
    stopAll: 0.4,
    resume: 1,
    signal: waits ? 3 : 0,
    retry: kind ? 3 : 0,
    produce: kind ? 5 : 0,
    requestStop: kind ? 2 : 0,
    requestSignals: kind ? 3 : 0,
    awaitEnd: 2,
    events: 3,
    allEvents: 1,
    look: 0.7,
    contend: 4,
    pause: pauses ? 1.5 : 0,
    unpause: pauses ? 1 : 0
  }
  const mishaps = {
    interrupt: 1,
    crash: 1.2,
    close: 0.7,
    compete: 0.3,
    disturb: 1.5,
    slow: 0.3,
    userCommits: 0.5,
    setClock: setsClock ? 2 : 0
  }

  const operate = () => {
    // A crash is most worth its while when it leaves something behind.
    const crash = kind && records.hasRequests() ? 20 : processes.running().length > 0 ? 4 : mishaps.crash
    const chosen = random.weighted({ ...weights, ...mishaps, crash })
    const id = pickJob()
    switch (chosen) {
      case "interrupt":
        return operations.interrupt()
      case "crash":
        return managers.crash()
      case "close":
        return managers.close()
      case "compete":
        return managers.compete()
      case "disturb":
        return disturb()
      case "slow":
        return database.setSlowness(random.chance(0.5) ? 0 : 0.02)
      case "userCommits":
        return repository.commit(random.pick(Repository.targets))
      case "setClock":
        return setClock()
    }
    const current = managers.current()
    if (current === undefined) return
    switch (chosen) {
      case "start":
        return operations.start(current)
      case "startInside":
        return operations.startInside(current)
      case "produce":
        return operations.produce(current)
      case "stopAll":
        return operations.stopAll(current)
      case "allEvents":
        return operations.allEvents(current)
      case "look":
        return operations.look(current)
      case "contend":
        return contend(current)
      case "pause":
      case "unpause":
        return operations[chosen](current)
    }
    if (id !== undefined) operations[chosen](current, id)
  }

  /** What callers need is there. */
  const isUp = () => managers.current()?.service() !== undefined

  /** What waits for a time waits no longer than until then. */
  const checkDue = () => {
    const since = Math.max(machine.calmSince(), managers.readySince() ?? Infinity)
    const now = timeline.now()
    for (const { dueAt, id, waitsSince } of records.jobs.values()) {
      const late = dueAt === undefined ? 0 : machine.wallClock() - dueAt
      if (late > longestWake && now - Math.max(since, waitsSince) > longestWake)
        violate(`${nameOf(id)} is due since ${late} ms, and still waits for its time`)
    }
  }

  /** One thing happens; tells whether there was anything to do. */
  const step = (): boolean => {
    steps += 1
    const busy = managers.lives().filter((life) => life.isBusy())
    const [first, ...rest] = busy
    if (first !== undefined && !random.chance(0.005)) {
      random.pick([first, ...rest]).step()
      return true
    }
    const leapt = timeline.leap()
    // Time has passed, and a process that was ready had to wait: it is not late.
    if (leapt && first !== undefined) machine.disturb()
    if (setsClock) checkDue()
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
      const isIdle = !managers.lives().some((life) => life.isBusy())
      if (random.chance(isUp() ? (isIdle ? 0.4 : 0.03) : 0.001)) {
        left -= 1
        operate()
      } else if (!step()) operate()
    }
  }

  /** Whoever waits for something that has happened knows of it by now. */
  const checkCalls = () => unanswered().forEach(violate)

  const becalm = () => {
    machine.trace.say("calm")
    calm = true
    database.setFault(undefined)
    database.setSlowness(0)
    managers.endRival()
    if (managers.current()?.isClosing() ?? true) managers.bootLater()
    if (setsClock) timeline.after(random.between(0, 3_000), setClock)
    settle()
    if (!goesOn()) return
    if (pauses) {
      const current = managers.current()
      if (current !== undefined) operations.unpause(current)
      settle()
      if (!goesOn()) return
    }
    if (!isUp()) return violate("there is no manager")
    complaints().forEach(violate)
  }

  /** As often as there is a run to contend for: only few orders of resume and stop meet halfway. */
  const contendForAll = () => {
    for (let left = unfinished().length; left > 0 && goesOn(); left--) {
      const current = managers.current()
      if (current === undefined) return
      contend(current)
      settle()
    }
  }

  /** What has parked for a signal goes on, and may park again. */
  const signalAll = () => {
    for (const { id } of unfinished()) {
      const current = managers.current()
      if (!goesOn() || current === undefined) return
      for (let i = random.between(1, 3); i > 0; i--) operations.signal(current, Operations.idOf(id))
      if (random.chance(0.5)) settle()
    }
    settle()
  }

  /** Runs that wait are stopped with all others, where nobody has to ask for their continuation. */
  const stopWaiting = () => {
    const current = managers.current()
    const waiting = unfinished().filter(({ status }) => status === "interrupted")
    if (!goesOn() || current === undefined || waiting.length === 0) return
    operations.stopAll(current)
    settle()
    if (!goesOn()) return
    const expected = recovery === "manual" ? "interrupted" : "cancelled"
    for (const { id, status } of waiting.flatMap(({ id }) => records.jobs.get(id) ?? []))
      if (status !== expected) violate(`${nameOf(id)} was interrupted, and is ${status} after stopAll`)
  }

  /** All jobs come to their end when they are told to, and all places are free then. */
  const stopAll = () => {
    for (let round = 0; round < 10 && goesOn() && unfinished().length > 0; round++) {
      const current = managers.current()
      if (current === undefined) return
      operations.stopAll(current)
      for (const { id } of unfinished()) operations.stop(current, Operations.idOf(id))
      settle()
    }
    if (!goesOn()) return
    for (const { id, status } of unfinished()) violate(`${nameOf(id)} is ${status} after all were stopped`)
    checkCalls()
  }

  const probe = () => {
    const current = managers.current()
    if (!goesOn() || current === undefined) return
    rest.probe({
      start: () => operations.start(current, { holds: true }),
      settle: () => {
        settle()
        return goesOn()
      }
    })
    stopAll()
  }

  const finish = () => {
    if (!goesOn()) return
    managers.close(() => {})
    settle()
    if (!goesOn()) return
    if (managers.current() !== undefined) violate("the manager has not closed")
    if (processes.running().length > 0) violate(`${processes.running().length} processes are left`)
    if (!database.isAtRest()) violate("a transaction is open")
  }

  /** What could not be recorded of the end of processes is found by the next manager. */
  const clearUp = () => {
    if (!goesOn() || !records.hasIntents()) return
    managers.boot()
    settle()
    finish()
  }

  managers.boot()
  storm()
  becalm()
  if (waits) signalAll()
  if (random.chance(0.5)) contendForAll()
  stopWaiting()
  stopAll()
  probe()
  finish()
  clearUp()
  if (goesOn()) {
    managers.audit("in the end", { isOver: true })
    rest.checkUnheardOf()
  }

  const report: Report = {
    seed,
    steps,
    ...managers.figures(),
    jobs: records.jobs.size,
    events: records.events.length,
    merges: records.merged.size,
    violations: machine.violations,
    digest: trace.digest(),
    trace: trace.lines()
  }
  for (const life of managers.lives()) life.kill()
  database.close()
  return report
}
