/**
 * The processes of a night: turns of agents, which end in each class, and gates, which pass once the work is there. What turns have
 * written and what each end means is counted here, apart from the product.
 */
import { Exited, Signalled } from "../../../src/process/ProcessOutcome.js"
import type { Machine } from "../Machine.js"
import type { Program, Programs } from "../Processes.js"
import type { Repository } from "../Repository.js"
import type { Files } from "./Files.js"
import type { Money } from "./Money.js"
import type { Person } from "./Person.js"
import * as Service from "./Service.js"
import type { Watch } from "./Watch.js"

export interface Turns {
  readonly programs: Programs
  /** How many attempts the ends of turns and gates account for. */
  readonly verdicts: (job: string, unit: string, task: number) => number
  /** Whether the last turn at a unit has ended by itself, and by which process it was started. */
  readonly hasEnded: (job: string, unit: string, by: number) => boolean
  /** All that the turns at a unit have written. */
  readonly written: (job: string, unit: string) => ReadonlyMap<string, string>
  readonly count: () => number
}

/** The file whose existence the gate of a task checks. */
export const resultOf = (unit: string, task: number): string => `${unit}-${task}.done`

/** The gate of a task. */
export const gateOf = (unit: string, task: number): string => `test -e ${resultOf(unit, task)}`

const pattern = /^\/home\/logs\/([^/]+)\/([^/]+)\/(\d+)-attempt-(\d+\.\d+)(?:\.\d+)?\.(agent|gate|gate-again)\.log$/

/** After so many turns without an answer, further ones may be attempts: the task may be the cause. */
const mostUnanswered = 3

/** So many turns that broke off after an answer are one attempt. */
const mostBrokenOff = 5

interface Task {
  verdicts: number
  brokenOff: number
  /** The turns of each agent without an answer since its last one with an answer. */
  readonly unanswered: Map<string, number>
  readonly lost: Set<string>
}

export const make = (
  machine: Machine,
  world: {
    readonly files: Files
    readonly money: Money
    readonly person: Person
    readonly repository: Repository
    readonly services: Readonly<Record<Service.AgentName, Service.Service>>
    readonly watch: Watch
    /** How many turns of an agent may run at once. */
    readonly concurrency: number
    /** Whether agents may hang, until the time limit of their profile. */
    readonly hangs: boolean
  }
): Turns => {
  const { nameOf, random, timeline, violate, wallClock } = machine
  const { concurrency, files, money, person, repository, services, watch } = world
  const tasks = new Map<string, Task>()
  const units = new Map<string, Map<string, string>>()
  const last = new Map<string, { readonly by: number; hasEnded: boolean }>()
  const running: Array<{
    readonly agent: string
    readonly by: number
    readonly cwd: string
    readonly isAlive: () => boolean
  }> = []
  let count = 0
  let sessions = 0
  let texts = 0

  const taskOf = (job: string, unit: string, task: number): Task => {
    const key = `${job}/${unit}/${task}`
    const found = tasks.get(key) ?? { verdicts: 0, brokenOff: 0, unanswered: new Map(), lost: new Set() }
    tasks.set(key, found)
    return found
  }

  const writtenBy = (job: string, unit: string) => {
    const key = `${job}/${unit}`
    const found = units.get(key) ?? new Map<string, string>()
    units.set(key, found)
    return found
  }

  const checkFiles = (place: string, job: string, unit: string, cwd: string) => {
    const there = repository.files(cwd)
    for (const [path, content] of writtenBy(job, unit))
      if (there?.get(path) !== content) violate(`${path} was lost before a turn at ${place}`)
  }

  const turn = (
    {
      job,
      number,
      unit,
      attempt
    }: { readonly job: string; readonly unit: string; readonly number: number; readonly attempt: string },
    { command, cwd, file, stdin = "" }: Parameters<Programs>[0],
    { isAlive, isTreeAlive, startedBy }: Parameters<Programs>[1]
  ): Program => {
    const agent = command[0] === "codex" ? "codex" : "claude"
    const format = Service.formats[agent]
    const service = services[agent]
    const task = taskOf(job, unit, number)
    const written = writtenBy(job, unit)
    const place = `task ${number} of unit ${unit} of ${nameOf(job)}`
    const resumeAt = command.indexOf(format.resumeWord)
    const resumed = resumeAt === -1 ? undefined : command[resumeAt + 1]
    const session = resumed ?? `s${++sessions}`
    const own = { by: startedBy, hasEnded: false }
    last.set(`${job}/${unit}`, own)
    count += 1

    const beside = running.filter((other) => other.isAlive())
    running.splice(0, Infinity, ...beside, { agent, by: startedBy, cwd, isAlive })
    if (beside.some((other) => other.cwd === cwd))
      violate(`two turns run in the worktree of unit ${unit} of ${nameOf(job)}`)
    if (beside.filter((other) => other.agent === agent && other.by === startedBy).length >= concurrency)
      violate(`more than ${concurrency} turns of ${agent} run at once`)
    checkFiles(place, job, unit, cwd)
    // A turn is over with the last of its processes.
    watch.begins({ agent, by: startedBy, isAlive: isTreeAlive })
    const bill = money.begins({ agent, job, place, session, by: startedBy })

    const before = service.at(wallClock())
    const kind = random.weighted({
      good: 6,
      bad: 1.5,
      fails: 0.7,
      asks: 1,
      lazy: 0.7,
      crashes: 0.4,
      hangs: world.hangs ? 0.4 : 0,
      lost: resumed === undefined ? 0 : 0.3
    })
    const lines: Array<object | string> = []
    const print = (...more: ReadonlyArray<object | string>) => {
      lines.push(...more)
      files.write(file, printed())
    }
    const printed = () => lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("")
    const exit = (code: number) => Exited({ code })
    const trace = (how: string) => machine.trace.say(`a turn of ${agent} at ${place} ${how}`)

    if (kind === "lost" && before === undefined) {
      print(`No conversation found with session ID: ${session}`)
      trace("finds no session")
      return {
        takes: random.between(200, 3_000),
        printed,
        end: () => {
          if (task.lost.has(attempt)) task.verdicts += 1
          task.lost.add(attempt)
          return exit(1)
        }
      }
    }
    person.check({
      job,
      unit,
      task: number,
      place,
      session,
      isResumed: resumed !== undefined,
      prompt: stdin,
      by: startedBy
    })
    print(format.named(session, money.version))
    const isAnswered = before === undefined && (kind !== "crashes" || random.chance(0.5))
    if (isAnswered) print(format.said("I look at the files first.", bill.begins()))
    const long = kind === "hangs" ? undefined : random.between(5_000, random.chance(0.3) ? 5 * Service.minute : 40_000)
    const takes =
      before === undefined
        ? long && Math.min(long, Math.max(0, service.nextAfter(wallClock()) - wallClock()))
        : random.between(500, 9_000)
    trace(before === undefined ? `is to be ${kind}` : `meets ${before.kind}`)

    const write = (path: string) => {
      const there = repository.files(cwd)
      if (!isAlive() || there === undefined) return
      const content = `text ${++texts}`
      there.set(path, content)
      written.set(path, content)
    }
    if (before === undefined && kind !== "lazy")
      for (let n = random.between(0, 3); n > 0; n--)
        timeline.after(random.between(0, takes ?? 20_000), () => write(`${unit}-${number}-${random.below(8)}.txt`))
    if (kind === "hangs" && before === undefined) task.verdicts += 1

    const unanswered = () => {
      const before = task.unanswered.get(agent) ?? 0
      if (before >= mostUnanswered) task.verdicts += 1
      task.unanswered.set(agent, before + 1)
    }
    const end = () => {
      const now = service.at(wallClock())
      own.hasEnded = true
      if (isAnswered) task.unanswered.delete(agent)
      trace(now === undefined ? `ends, ${kind}` : `ends in ${now.kind}`)
      if (now !== undefined) {
        print(...now.says)
        if (now.kind === "outage" && isAnswered && ++task.brokenOff % mostBrokenOff === 0) task.verdicts += 1
        if (now.kind === "unknown") {
          if (isAnswered) task.verdicts += 1
          else unanswered()
        }
        return exit(1)
      }
      switch (kind) {
        case "fails":
          print(format.said("I have tried."), format.failed(bill.ends))
          task.verdicts += 1
          return exit(1)
        case "crashes":
          if (isAnswered) task.verdicts += 1
          else unanswered()
          return Signalled({ signal: "SIGSEGV" })
        case "asks":
          print(format.said(`It can be done in two ways.\nQUESTION: ${person.question()}`), format.done(bill.ends()))
          return exit(0)
        case "good":
          write(resultOf(unit, number))
      }
      task.unanswered.delete(agent)
      print(format.said("It is done."), format.done(bill.ends()))
      return exit(0)
    }
    return { takes, printed, end }
  }

  return {
    programs: (options, process) => {
      const { command, cwd, file } = options
      const [, job = "", unit = "", task = "", attempt = "", kind] = pattern.exec(file) ?? []
      const number = Number(task)
      if (kind === "agent") return turn({ job, unit, number, attempt }, options, process)
      const [, result = ""] = /^test -e (\S+)$/.exec(command.at(-1) ?? "") ?? []
      return {
        takes: random.between(0, random.chance(0.2) ? 20_000 : 500),
        end: () => {
          const passes = repository.files(cwd)?.has(result) === true
          if (!passes && kind !== undefined && !attempt.endsWith(".0")) taskOf(job, unit, number).verdicts += 1
          return Exited({ code: passes ? 0 : 1 })
        }
      }
    },
    verdicts: (job, unit, task) => tasks.get(`${job}/${unit}/${task}`)?.verdicts ?? 0,
    hasEnded: (job, unit, by) => {
      const turn = last.get(`${job}/${unit}`)
      return turn?.by === by && turn.hasEnded
    },
    written: writtenBy,
    count: () => count
  }
}
