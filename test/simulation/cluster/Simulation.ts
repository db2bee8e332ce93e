/**
 * One run from one seed: several nodes on one database, those who use them, and what can go wrong with each; then calm, in which all
 * has to come to its end.
 */
import { Effect } from "effect"
import * as Audit from "../../../src/store/Audit.js"
import * as DatabaseModule from "../Database.js"
import * as Ledger from "../Ledger.js"
import * as MachineModule from "../Machine.js"
import type { Manager } from "../Manager.js"
import * as Operations from "../Operations.js"
import * as Processes from "../Processes.js"
import * as Records from "../Records.js"
import * as Repository from "../Repository.js"
import * as Rest from "../Rest.js"
import type { Report } from "../Simulation.js"
import * as Lapses from "./Lapses.js"
import * as Network from "./Network.js"
import * as Nodes from "./Nodes.js"
import * as Store from "./Store.js"

/** Virtual time begins here: a summer day, in milliseconds. */
const start = 1_750_000_000_000

/** More than any run needs that comes to an end. */
const mostSteps = 1_000_000

/** Virtual milliseconds within which all has to be as it should be: the locks of a dead node have expired, and its jobs run. */
const longestRest = 40_000

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = MachineModule.ofSeed(seed, { start, keep: options.keep })
  const { nameOf, random, timeline, trace, violate } = machine
  const maxJobs = random.between(1, 4)
  const recovery = random.chance(0.2) ? ("manual" as const) : ("automatic" as const)
  const stopGrace = random.pick([0, 100, 1_000])
  const waits = random.chance(0.5)
  const isOneMachine = random.chance(0.4)
  const lapses = Lapses.make(timeline)
  const ledger = Ledger.make(lapses.counts)
  const repository = Repository.make(machine)
  trace.say(`seed ${seed} of a cluster: ${maxJobs} jobs, ${recovery} recovery, ${stopGrace} ms of grace`)

  let steps = 0
  let calm = false
  let recovered = 0
  /** How many jobs a node has taken. */
  let taken = 0

  const database = DatabaseModule.make(machine, {
    content: options.content,
    onCommitted: (life) => {
      const before = records.events.length
      records.refresh(life)
      const held = database.query("SELECT 1 FROM charlotte_runs WHERE runner IS NOT NULL").length
      if (held > taken) nodes.taken(life)
      taken = held
      const jobIds = new Set(records.events.slice(before).map(({ jobId }) => jobId))
      if (jobIds.size > 0) notices.send(life, [...jobIds])
    }
  })
  const notices = Store.makeNotices(machine)
  const network = Network.make(machine, { hasDatabase: (life) => nodes.hasDatabase(life) })
  /** What nodes have started that had stood still meanwhile: their guards end it. */
  const late = new Set<number>()
  const processes = Processes.make(machine, ({ cookie, pid, startedBy }) => {
    const intent = records.intent(cookie)
    const life = nodes.lives().find((life) => life.pid === startedBy)
    const isLapsed = life !== undefined && !ledger.counts(life)
    if (isLapsed) late.add(pid)
    if (intent === undefined) {
      // Another node may have cleared what it had recorded.
      return isLapsed ? undefined : violate(`process ${pid} was started without a recorded intent`)
    }
    ledger.own(cookie, intent)
    if (life === undefined || isLapsed) return
    const job = records.jobs.get(intent.jobId)
    const name = nameOf(intent.jobId)
    if (job?.status !== "running" || job.attempt !== intent.attempt)
      violate(`process ${pid} was started for ${name}, which is ${job?.status}`)
    const trees = processes
      .running()
      .filter(({ pid }) => !late.has(pid))
      .map((process) => ({ ...process, owner: ledger.owner(process.cookie) }))
    if (trees.some(({ owner, startedBy: by }) => owner?.jobId === intent.jobId && by !== startedBy))
      violate(`${name} has process trees of two nodes`)
  })
  const records = Records.make(machine, {
    database,
    maxJobs,
    recovery,
    ledger,
    processes: () => processes,
    repository,
    retry: undefined,
    isOrdered: false
  })
  const world = {
    machine,
    ledger,
    records,
    repository,
    maxJobs,
    processes,
    database,
    network,
    notices,
    waits,
    kind: undefined,
    isCluster: true,
    isCalm: () => calm
  }
  const operations = Operations.make(world)
  const rest = Rest.make(world, { operations, recovery })
  const { pickJob, unfinished } = rest
  const nodes: Nodes.Nodes = Nodes.make(world, {
    operations,
    stopGrace,
    recovery,
    isOneMachine,
    lapses,
    skews: random.chance(0.3)
  })

  const anyNode = (): Manager | undefined => {
    const [first, ...rest] = nodes.ready()
    return first === undefined ? undefined : random.pick([first, ...rest])
  }

  const weights = {
    start: 7,
    rush: 2,
    startInside: waits ? 2 : 0,
    stop: 3,
    stopAll: 0.3,
    resume: 1,
    signal: waits ? 3 : 0,
    awaitEnd: 2,
    events: 3,
    allEvents: 1,
    look: 0.7
  }
  const mishaps = { interrupt: 0.7, crash: 1.6, freeze: 1.4, cutOff: 1.4, close: 0.7, network: 0.8 }

  const operate = () => {
    const chosen = random.weighted({ ...weights, ...mishaps, join: nodes.ready().length < 2 ? 6 : 1 })
    const id = pickJob()
    switch (chosen) {
      case "interrupt":
        return operations.interrupt()
      case "network":
        return network.setFaults(random.chance(0.3) ? Network.faultless : Network.faulty)
      case "crash":
      case "freeze":
      case "cutOff":
      case "close":
      case "join":
        return nodes[chosen]()
    }
    const asked = anyNode()
    if (asked === undefined) return
    switch (chosen) {
      case "start":
        return operations.start(asked)
      case "rush":
        for (let i = random.between(2, 5); i > 0; i--) operations.start(anyNode() ?? asked)
        return
      case "startInside":
        return operations.startInside(asked)
      case "stopAll":
        return operations.stopAll(asked)
      case "allEvents":
        return operations.allEvents(asked)
      case "look":
        return operations.look(asked)
    }
    if (id !== undefined) operations[chosen](asked, id)
  }

  /** What works at a job works at the attempt that is recorded, and nothing else does. */
  const checkWork = () => {
    const working = new Set<string>()
    for (const [id, { attempt, life }] of ledger.bodies()) {
      const job = records.jobs.get(id)
      if (working.has(id)) violate(`${nameOf(id)} runs twice at once`)
      working.add(id)
      if (job?.status !== "running" || job.attempt !== attempt)
        violate(`${life.pid} works at attempt ${attempt} of ${nameOf(id)}, which is ${job?.status} in ${job?.attempt}`)
    }
  }

  const isIdle = () => !nodes.lives().some((life) => life.isBusy())

  /** One thing happens; answers whether there was anything to do. */
  const step = (): boolean => {
    steps += 1
    const [first, ...rest] = nodes.lives().filter((life) => life.isBusy())
    if (first !== undefined && !random.chance(0.002)) {
      random.pick([first, ...rest]).step()
      return true
    }
    const leapt = timeline.leap()
    if (first !== undefined) machine.disturb()
    checkWork()
    return leapt || first !== undefined
  }

  const goesOn = () => machine.violations.length === 0 && steps < mostSteps

  const pass = (until: () => boolean, millis: number): boolean => {
    const deadline = timeline.now() + millis
    while (goesOn()) {
      if (isIdle() && until()) return true
      if (timeline.now() >= deadline || !step()) return false
    }
    if (steps >= mostSteps) violate("it takes too many steps")
    return true
  }

  const storm = () => {
    const begun = timeline.now()
    let next = begun
    for (let left = random.between(12, 30); left > 0 && goesOn();) {
      if (timeline.now() >= next && random.chance(isIdle() ? 0.5 : 0.1)) {
        left -= 1
        next = timeline.now() + (random.chance(0.4) ? random.between(0, 20) : random.between(0, 2_500))
        operate()
      } else if (!step()) next = timeline.now()
    }
  }

  /** What is not as it has to be with no fault left, now or soon. */
  const complaints = () => [...(nodes.ready().length === 0 ? ["there is no node"] : []), ...rest.complaints()]

  const settle = () => {
    const begun = timeline.now()
    if (pass(() => complaints().length === 0, longestRest)) return timeline.now() - begun
    for (const complaint of complaints()) violate(complaint)
    return longestRest
  }

  const becalm = () => {
    trace.say("calm")
    network.setFaults(Network.faultless)
    nodes.mend()
    recovered = settle()
    // Whatever is under way has come to its end.
    pass(() => false, 1_000)
    calm = true
  }

  const signalAll = () => {
    for (const { id } of unfinished()) {
      const asked = anyNode()
      if (!goesOn() || asked === undefined) return
      for (let i = random.between(1, 3); i > 0; i--) operations.signal(asked, Operations.idOf(id))
    }
    settle()
  }

  /** All jobs come to their end when any node is asked to stop them. */
  const stopAll = () => {
    for (let round = 0; round < 5 && goesOn() && unfinished().length > 0; round++) {
      const asked = anyNode()
      if (asked === undefined) return violate("there is no node")
      if (round === 0 || random.chance(0.5)) operations.stopAll(asked)
      for (const { id } of unfinished()) operations.stop(anyNode() ?? asked, Operations.idOf(id))
      pass(() => operations.calls().every(({ name }) => !name.startsWith("stop")), longestRest)
    }
    if (!goesOn()) return
    for (const { id, status } of unfinished()) violate(`${nameOf(id)} is ${status} after all were stopped`)
    settle()
  }

  const probe = () => {
    if (!goesOn()) return
    rest.probe({
      start: () => {
        const asked = anyNode()
        if (asked !== undefined) operations.start(asked, { holds: true })
      },
      settle: () => {
        settle()
        return goesOn()
      }
    })
    stopAll()
  }

  const finish = () => {
    if (!goesOn()) return
    nodes.closeAll()
    if (!pass(() => nodes.lives().length === 0, longestRest)) violate("a node has not closed")
    pass(() => processes.running().length === 0, 1_000)
    if (!goesOn()) return
    if (processes.running().length > 0) violate(`${processes.running().length} processes are left`)
    if (!database.isAtRest()) violate("a transaction is open")
    const { violations } = Effect.runSync(Effect.provide(Audit.run({ maxJobs }), database.plain))
    for (const { found, remedy, wrong } of violations)
      if (isOneMachine || remedy !== "process") violate(`in the end: ${wrong}: ${found}`)
    rest.checkUnheardOf()
  }

  for (let i = random.between(2, 3); i > 0; i--) nodes.join()
  storm()
  becalm()
  if (waits) signalAll()
  stopAll()
  probe()
  finish()

  const report: Report = {
    seed,
    steps,
    ...nodes.figures(),
    recovery: recovered,
    jobs: records.jobs.size,
    events: records.events.length,
    merges: records.merged.size,
    violations: machine.violations,
    digest: trace.digest(),
    trace: trace.lines()
  }
  for (const life of nodes.lives()) life.kill()
  database.close()
  return report
}
