/**
 * One night from one seed: jobs of tasks on the real manager, store and task orchestrator. Two agents reach limits, lose their service,
 * print what no version knows, ask and hang; the manager is killed, and the clock is set. Then it is morning: a person answers and
 * resumes, and every job has to end.
 */
import { Cause, Duration, Effect, Exit, Option } from "effect"
import { JobId } from "../../../src/domain/JobId.js"
import { resumeJob } from "../../../src/http/server/resumeJob.js"
import * as costs from "../../../src/progress/cost.js"
import { RunStore } from "../../../src/store/RunStore.js"
import * as DatabaseModule from "../Database.js"
import * as Machine from "../Machine.js"
import * as ManagerModule from "../Manager.js"
import * as Managers from "../Managers.js"
import * as Processes from "../Processes.js"
import * as Repository from "../Repository.js"
import { number, text } from "../rows.js"
import type { Report } from "../Simulation.js"
import * as Files from "./Files.js"
import * as fs from "./fs.js"
import * as Money from "./Money.js"
import * as Person from "./Person.js"
import * as Plans from "./Plans.js"
import * as Service from "./Service.js"
import * as Tasks from "./Tasks.js"
import * as Turns from "./Turns.js"
import * as Watch from "./Watch.js"

/** Virtual time begins here: a summer evening, in milliseconds. */
const start = 1_750_013_000_000

/** What matters of a night takes long, so fibers make way less often than in the simulation of the manager, which halves its cost. */
const makesWay = 0.005

/** More than any night needs. */
const mostSteps = 3_000_000

/** After so many mornings each job has ended. */
const mornings = 30

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = Machine.ofSeed(seed, { start, keep: options.keep })
  const { nameOf, random, timeline, trace, violate } = machine
  const length = random.between(20, 60) * Service.minute
  const jobs = random.between(1, 2)
  const concurrency = random.between(1, 3)
  const hangs = random.chance(0.1)
  const night = { from: start, to: start + length }
  const services = {
    claude: Service.make(random, Service.formats.claude, night),
    codex: Service.make(random, Service.formats.codex, night)
  }
  trace.say(`night ${seed}: ${length / Service.minute} minutes, ${jobs} jobs, ${concurrency} turns of an agent at once`)

  let steps = 0
  let isCalm = false
  const files = Files.make()
  fs.use(files)
  const database = DatabaseModule.make(machine, { content: options.content, onCommitted: () => watch.refresh() })
  const repository = Repository.make(machine, files.remove)
  const person = Person.make(machine, database, () => managers.current())
  const money = Money.make(machine, database)
  const watch: Watch.Watch = Watch.make(machine, database, {
    onEvent: money.take,
    onAsked: person.asked,
    onProposed: person.proposed,
    readySince: () => managers.readySince()
  })
  const turns = Turns.make(machine, { files, money, person, repository, services, watch, concurrency, hangs })
  const processes = Processes.make(machine, () => {}, turns.programs)

  const orchestrator = Tasks.orchestrator(
    { machine, files, repository },
    {
      names: Service.names,
      profile: (preset) => ({
        ...preset,
        concurrency,
        timeout: hangs ? Duration.minutes(10) : undefined,
        silence: undefined,
        prices: preset.name === "codex" ? Money.prices : undefined
      }),
      plan: (at) => Plans.make(random, at)
    }
  )

  const world = { machine, database, processes, maxJobs: jobs, isCalm: () => isCalm }
  const managers = Managers.make(world, {
    boot: ManagerModule.boot(world, orchestrator),
    operations: { forget: () => {} },
    stopGrace: random.pick([0, 1_000, 5_000]),
    recovery: "automatic",
    makesWay
  })

  const { withManager } = person

  const unfinished = () =>
    database
      .query(
        `SELECT id, status, json_extract(parked, '$.reason') AS reason, json_extract(parked, '$.approval.commit') AS proposed
         FROM charlotte_runs WHERE status NOT IN ('completed', 'failed', 'cancelled')`
      )
      .map((row) => ({
        id: text(row, "id"),
        status: text(row, "status"),
        reason: text(row, "reason"),
        proposed: text(row, "proposed")
      }))

  const begin = (target: string) =>
    withManager((manager, service) => {
      const config = {
        repoPath: "/repository",
        tasksDir: ".",
        targetBranch: target,
        land: random.chance(0.3) ? "ask" : true
      } as const
      manager.life.fork(service.start(config), (exit) => {
        if (Exit.isSuccess(exit)) return trace.say(`${nameOf(exit.value)} is on ${target}`)
        const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
        if (failure?._tag === "ShuttingDown") return begin(target)
        if (!Cause.isInterruptedOnly(exit.cause)) violate(`a job did not start: ${Machine.firstLine(exit.cause)}`)
      })
    })

  /** A person who resumes a job that has reached its limits of money raises them; during the night that is forgotten at times. */
  const resume = (id: string) =>
    withManager((manager, service) => {
      const [row] = database.query(
        "SELECT json_extract(parked, '$.limits') AS limits FROM charlotte_runs WHERE id = ?",
        id
      )
      const reached = Money.limitsOf(JSON.parse(text(row, "limits") || "{}"))
      const limits = isCalm || random.chance(0.7) ? costs.raised(reached) : {}
      trace.say(
        `a person resumes ${nameOf(id)}${Object.keys(limits).length === 0 ? "" : ` with ${costs.limitsText(limits)}`}`
      )
      const jobId = JobId.make(id)
      const signal: Parameters<typeof resumeJob>[1]["signal"] = (name, payload, options) =>
        service.signal(jobId, name, payload, options)
      const resuming = Effect.flatMap(RunStore, (store) =>
        resumeJob(store, { resume: service.resume, signal }, jobId, { ...limits, by: "person" })
      )
      manager.life.fork(manager.onDatabase(resuming), (exit) => {
        const failure = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        const mayBe = ["NotResumable", "ShuttingDown", "MaxJobsReached", "JobNotFound", "JobConflict", "StoreError"]
        if (failure !== undefined && !mayBe.includes(failure._tag)) violate(`a job was not resumed: ${failure._tag}`)
      })
    })

  /** The worktrees of a job that is parked are removed. What its turns have written was saved when they ended. */
  const lose = ({ id }: { readonly id: string }) => {
    for (const row of database.query("SELECT unit FROM charlotte_units WHERE job_id = ? AND state = 'running'", id)) {
      const unit = text(row, "unit")
      const by = managers.current()?.life.pid
      if (by === undefined || !turns.hasEnded(id, unit, by)) continue
      trace.say(`the worktree of unit ${unit} of ${nameOf(id)} is removed`)
      repository.lose(`/home/worktrees/${id}/${unit}`)
    }
  }

  const mishap = () => {
    const [first, ...rest] = unfinished().filter(({ status }) => status === "parked")
    const parked = first && random.pick([first, ...rest])
    switch (random.weighted({ crash: 3, close: 1, setClock: 2, resume: 1, lose: parked ? 3 : 0, commit: 0.5 })) {
      case "crash":
        return managers.crash()
      case "close":
        return managers.close()
      case "setClock":
        // As after a suspended machine, or as a time server does it.
        return machine.setClock(
          random.chance(0.8) ? random.between(1, 20 * Service.minute) : -random.between(1, 30_000)
        )
      case "resume":
        return parked && resume(parked.id)
      case "lose":
        return parked && lose(parked)
      case "commit":
        return repository.commit(random.pick(Repository.targets))
    }
  }

  const goesOn = () => machine.violations.length === 0 && steps < mostSteps

  /** One thing happens; returns whether there was anything to do. */
  const step = (): boolean => {
    steps += 1
    const busy = managers.lives().filter((life) => life.isBusy())
    const [first, ...rest] = busy
    if (first !== undefined) {
      random.pick([first, ...rest]).step()
      return true
    }
    const leapt = timeline.leap()
    watch.check()
    return leapt
  }

  const settle = () => {
    while (goesOn() && step()) {
      // All that there is to do is done.
    }
    if (steps >= mostSteps) violate("it does not come to rest")
  }

  const checkWaits = () => {
    for (const { id, reason, status } of unfinished())
      if (status !== "parked" || reason === "") violate(`${nameOf(id)} is ${status}, and nothing happens any more`)
  }

  const morning = () => {
    const open = database.query("SELECT job_id, unit FROM charlotte_questions WHERE answer IS NULL")
    for (const row of open) person.answer(text(row, "job_id"), text(row, "unit"))
    for (const { id, proposed } of unfinished()) {
      if (proposed === "") resume(id)
      else person.approve(id)
    }
    settle()
  }

  const checkAttempts = () => {
    for (const row of database.query("SELECT job_id, unit, task, failures FROM charlotte_tasks")) {
      const [job, unit, task, failures] = [
        text(row, "job_id"),
        text(row, "unit"),
        number(row, "task"),
        number(row, "failures")
      ]
      const verdicts = turns.verdicts(job, unit, task)
      if (failures > verdicts)
        violate(
          `task ${task} of unit ${unit} of ${nameOf(job)} has used ${failures} attempts, with ${verdicts} verdicts`
        )
    }
  }

  /** What a turn has written is on the target, in the result or, of a unit that is in none, in its worktree or on its branch. */
  const checkFiles = () => {
    const units = `SELECT u.job_id, u.unit, u.state, r.status, json_extract(r.config, '$.targetBranch') AS target
      FROM charlotte_units u JOIN charlotte_runs r ON r.id = u.job_id`
    for (const row of database.query(units)) {
      const [job, unit, state, status] = [
        text(row, "job_id"),
        text(row, "unit"),
        text(row, "state"),
        text(row, "status")
      ]
      const isMerged = state === "merged"
      const own = `charlotte/${job}/${isMerged ? "result" : `unit/${unit}`}`
      const tip = repository.at(status === "completed" ? text(row, "target") : own)
      const places = [
        tip && repository.tree(tip),
        isMerged ? undefined : repository.files(`/home/worktrees/${job}/${unit}`)
      ]
      for (const [path, content] of turns.written(job, unit))
        if (!places.some((place) => place?.get(path) === content))
          violate(`${path} of unit ${unit} of ${nameOf(job)}, which is ${state}, is lost in the end`)
    }
  }

  /** A job that is completed has landed, each task once and, where that was asked for, with an approval. */
  const checkLanded = () => {
    const tasks = `SELECT t.job_id, t.unit, t.task, json_extract(r.config, '$.land') AS land,
        json_extract(r.config, '$.targetBranch') AS target
      FROM charlotte_tasks t JOIN charlotte_runs r ON r.id = t.job_id WHERE r.status = 'completed'`
    for (const row of database.query(tasks)) {
      const [job, unit, task] = [text(row, "job_id"), text(row, "unit"), number(row, "task")]
      const tip = repository.at(text(row, "target"))
      const times = (tip && repository.done(tip).get(`${job}/${unit}/${task}`)) ?? 0
      if (times !== 1) violate(`task ${task} of unit ${unit} of ${nameOf(job)} is landed ${times} times`)
      if (text(row, "land") === "ask" && !person.hasApproved(job))
        violate(`${nameOf(job)} has landed without an approval`)
    }
  }

  /** A job fails only by verdicts, or because its manager was killed three times in a row. */
  const checkFailures = () => {
    const failed = `SELECT id, error FROM charlotte_runs r WHERE status = 'failed' AND error NOT LIKE '%times in a row%'
      AND NOT EXISTS (SELECT 1 FROM charlotte_tasks t WHERE t.job_id = r.id AND t.failures >= ?)`
    for (const row of database.query(failed, Plans.attempts))
      violate(`${nameOf(text(row, "id"))} has failed without a task that has: ${text(row, "error")}`)
  }

  managers.boot()
  for (const target of Repository.targets.slice(0, jobs))
    timeline.after(random.between(0, random.chance(0.5) ? 5_000 : length / 2), () => begin(target))
  for (let n = random.between(2, 9); n > 0; n--) timeline.after(random.between(0, length), mishap)
  // By then each trouble is over, also for a clock that was set back.
  timeline.after(length + 10 * Service.minute, () => trace.say("it is morning"))
  settle()
  isCalm = true
  for (let n = 0; n < mornings && goesOn() && unfinished().length > 0; n++) {
    checkWaits()
    if (goesOn()) morning()
  }
  if (goesOn()) {
    for (const { id, reason, status } of unfinished()) violate(`${nameOf(id)} is still ${status}: ${reason}`)
    checkAttempts()
    checkFiles()
    checkLanded()
    checkFailures()
    money.check()
    person.checkAnswers(watch.counts().answers)
  }
  if (goesOn()) {
    managers.close(() => {})
    settle()
    managers.audit("in the end", { isOver: true })
  }

  const count = (sql: string) => number(database.query(`SELECT count(*) AS n FROM ${sql}`)[0], "n")
  const report: Report = {
    seed,
    steps,
    ...managers.figures(),
    jobs: count("charlotte_runs"),
    events: count("charlotte_events"),
    merges: count("charlotte_units WHERE state = 'merged'"),
    night: { ...watch.counts(), turns: turns.count(), raises: money.raises() },
    violations: machine.violations,
    digest: trace.digest(),
    trace: trace.lines()
  }
  for (const life of managers.lives()) life.kill()
  database.close()
  return report
}
