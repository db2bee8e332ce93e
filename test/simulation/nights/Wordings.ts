/**
 * What agents print when a turn fails, one wording for each seed. The agent of a job with two tasks prints it in the first turn at each,
 * at the first task after an answer of the model and at the second without one, and does its work in the next turn. A person resumes the
 * job where nothing else continues it.
 */
import { type Effect, Exit } from "effect"
import { JobId } from "../../../src/domain/JobId.js"
import { UnitName } from "../../../src/git/RefNames.js"
import { Exited } from "../../../src/process/ProcessOutcome.js"
import { Unit } from "../../../src/tasks/plan/Plan.js"
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
import * as Plans from "./Plans.js"
import * as Service from "./Service.js"
import * as Tasks from "./Tasks.js"
import { resultOf } from "./Turns.js"
import { cases, failed } from "./wordingCases.js"

/** The tasks. The first turn at the last one fails without an answer of the model. */
const tasks = [1, 2] as const
const [, unanswered] = tasks

/** The times of the wordings are those of this day. */
const start = Date.parse("2026-06-10T12:00:00Z")

/** In milliseconds. */
const longestWait = 10_000

/** More than any of them needs. */
const mostSteps = 50_000

export const run = (
  seed: number,
  options: { readonly content?: Buffer | undefined; readonly keep?: number } = {}
): Report => {
  const machine = Machine.ofSeed(seed, { start, keep: options.keep })
  const { timeline, trace, violate } = machine
  const chosen = cases[(seed - 1) % cases.length]
  if (chosen === undefined) throw new Error("there is no wording")
  const { agent, wording } = chosen
  const format = Service.formats[agent]
  const id = UnitName.make("a")
  trace.say(`${agent} prints ${wording.text}`)

  const files = Files.make()
  fs.use(files)
  const database = DatabaseModule.make(machine, { content: options.content, onCommitted: () => {} })
  const repository = Repository.make(machine, files.remove)
  /** How many turns at each task have begun. */
  const turns = new Map<number, number>()
  const processes = Processes.make(
    machine,
    () => {},
    ({ cwd, file }) => {
      const task = Number(/(\d+)-attempt-[^/]*$/.exec(file)?.[1])
      const result = resultOf(id, task)
      const isThere = () => repository.files(cwd)?.has(result) === true
      if (!file.endsWith(".agent.log")) return { takes: 100, end: () => Exited({ code: isThere() ? 0 : 1 }) }
      const turn = (turns.get(task) ?? 0) + 1
      turns.set(task, turn)
      const isRefused = turn === 1
      const records = [
        format.named(`s${task}.${turn}`, "2.1.278"),
        ...(isRefused && task === unanswered ? [] : [format.said("I look at the files first.")]),
        isRefused ? failed(chosen) : format.done({})
      ]
      const printed = () => records.map((record) => `${JSON.stringify(record)}\n`).join("")
      files.write(file, printed())
      return {
        takes: 2_000,
        printed,
        end: () => {
          if (!isRefused) repository.files(cwd)?.set(result, "done")
          return Exited({ code: isRefused ? 1 : 0 })
        }
      }
    }
  )
  const orchestrator = Tasks.orchestrator(
    { machine, files, repository },
    {
      names: Service.names,
      profile: (preset) => preset,
      plan: (at) =>
        Plans.of(at, [new Unit({ id, dir: id, dependsOn: [], tasks: tasks.map((n) => Plans.task(id, n, [agent])) })])
    }
  )
  const world = { machine, database, processes, maxJobs: 1, isCalm: () => true }
  const managers = Managers.make(world, {
    boot: ManagerModule.boot(world, orchestrator),
    operations: { forget: () => {} },
    stopGrace: 0,
    recovery: "automatic",
    makesWay: 0.005
  })

  let steps = 0
  /** The machine sleeps until shortly before the job continues, so that nobody has to live through days of it. */
  const sleep = () => {
    const [row] = database.query("SELECT json_extract(parked, '$.until') AS until FROM charlotte_runs")
    const left = Date.parse(text(row, "until")) - machine.wallClock()
    if (left > longestWait) machine.setClock(left - longestWait)
  }
  const settle = () => {
    for (; machine.violations.length === 0; steps++) {
      if (steps >= mostSteps) return violate("it does not come to rest")
      const life = managers.lives().find((life) => life.isBusy())
      if (life !== undefined) {
        life.step()
        continue
      }
      sleep()
      if (!timeline.leap()) return
    }
  }
  const act = (what: string, effect: (service: ManagerModule.Service) => Effect.Effect<unknown, unknown>) => {
    const manager = managers.current()
    const service = manager?.service()
    if (manager === undefined || service === undefined) return violate("there is no manager")
    manager.life.fork(effect(service), (exit) => {
      if (Exit.isFailure(exit)) violate(`${what}: ${Machine.firstLine(exit.cause)}`)
    })
    settle()
  }
  const job = () => {
    const [row] = database.query("SELECT id, status, json_extract(parked, '$.reason') AS reason FROM charlotte_runs")
    return { id: text(row, "id"), status: text(row, "status"), reason: text(row, "reason") }
  }

  managers.boot()
  settle()
  const config = { repoPath: "/repository", tasksDir: ".", targetBranch: "main" }
  act("the job did not start", (service) => service.start(config))
  for (let n = 0; n < tasks.length && job().status === "parked"; n++)
    act("the job was not resumed", (service) => service.resume(JobId.make(job().id)))

  const about = `${wording.text} (${wording.source})`
  // A prompt that is too long is so in each session, unless what the model has written since has filled the first one.
  const isTooLong = wording.expected === "tooLong"
  const { reason, status } = job()
  if (status !== (isTooLong ? "failed" : "completed")) violate(`the job is ${status}: ${about}: ${reason}`)
  for (const row of database.query("SELECT task, failures FROM charlotte_tasks")) {
    const [task, failures] = [number(row, "task"), number(row, "failures")]
    if (failures > (isTooLong ? 1 : 0)) violate(`task ${task} has used ${failures} attempts: ${about}`)
  }
  const tip = repository.at("main")
  const landed = tip && repository.done(tip)
  for (const task of tasks) {
    const isOver = isTooLong && task === unanswered
    if (turns.get(task) !== (isOver ? 1 : 2)) violate(`${turns.get(task)} turns at task ${task} have begun: ${about}`)
    if (!isTooLong && landed?.get(`${job().id}/${id}/${task}`) !== 1)
      violate(`task ${task} is not landed once: ${about}`)
  }

  managers.close(() => {})
  settle()
  managers.audit("in the end", { isOver: true })
  const count = (sql: string) => number(database.query(`SELECT count(*) AS n FROM ${sql}`)[0], "n")
  const report: Report = {
    seed,
    steps,
    ...managers.figures(),
    jobs: count("charlotte_runs"),
    events: count("charlotte_events"),
    merges: count("charlotte_units WHERE state = 'merged'"),
    violations: machine.violations,
    digest: trace.digest(),
    trace: trace.lines()
  }
  for (const life of managers.lives()) life.kill()
  database.close()
  return report
}
