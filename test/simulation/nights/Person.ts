/**
 * The person who answers the questions of agents and approves results: at once, late, twice at the same time, or in the morning. Each
 * answer is recorded once, and each turn gets the answers that its session does not know yet.
 */
import { Cause, DateTime, Effect, Exit, Option } from "effect"
import { JobId } from "../../../src/domain/JobId.js"
import { RunStore } from "../../../src/store/RunStore.js"
import { decide } from "../../../src/tasks/http/decide.js"
import type { Database } from "../Database.js"
import type { Machine } from "../Machine.js"
import type { Manager, Service } from "../Manager.js"
import { maybe, number, text } from "../rows.js"
import { minute } from "./Service.js"

export interface Person {
  readonly withManager: (use: (manager: Manager, service: Service) => void) => void
  /** A question that was not asked before. */
  readonly question: () => string
  /** An agent has asked; the person may answer later. */
  readonly asked: (job: string, unit: string) => void
  readonly answer: (job: string, unit: string) => void
  /** A result waits for its approval; the person may approve it later. */
  readonly proposed: (job: string) => void
  readonly approve: (job: string) => void
  readonly hasApproved: (job: string) => boolean
  /** What the prompt of a turn says of the answers. */
  readonly check: (turn: {
    readonly job: string
    readonly unit: string
    readonly task: number
    readonly place: string
    readonly session: string
    readonly isResumed: boolean
    readonly prompt: string
    /** The process that has started it. */
    readonly by: number
  }) => void
  /** Each question has one answer, which was accepted, and one event. */
  readonly checkAnswers: (events: number) => void
  readonly count: () => number
}

const expected = ["AlreadyAnswered", "NoOpenQuestion", "JobEnded", "StoreError"]

export const make = (
  machine: Machine,
  database: Database,
  /** The manager that answers can be sent to. */
  current: () => Manager | undefined
): Person => {
  const { nameOf, random, timeline, trace, violate } = machine
  const accepted = new Set<string>()
  const refused = new Set<string>()
  const approved = new Set<string>()
  /** The answers that each session knows. */
  const known = new Map<string, Set<string>>()
  /** The process that has started the last turn of a task. */
  const last = new Map<string, number>()
  let questions = 0
  let texts = 0

  /** Does something with the manager, as soon as there is one. */
  const withManager = (use: (manager: Manager, service: Service) => void) => {
    const manager = current()
    const service = manager?.service()
    if (manager === undefined || service === undefined || manager.isClosing())
      return void timeline.after(1_000, () => withManager(use))
    use(manager, service)
  }

  /** Does something later, at times twice at once; or not at all, and then in the morning. */
  const later = (act: () => void) => {
    if (random.chance(0.2)) return
    const delay = random.between(0, random.chance(0.5) ? 20_000 : 20 * minute)
    for (let n = random.chance(0.3) ? 2 : 1; n > 0; n--) timeline.after(delay, act)
  }

  const approve = (job: string) =>
    withManager((manager, { signal }) => {
      const id = JobId.make(job)
      trace.say(`a person approves ${nameOf(job)}`)
      approved.add(job)
      const approving = Effect.flatMap(RunStore, (store) =>
        decide(store, (name, payload, options) => signal(id, name, payload, options), id, { by: "person" })
      )
      manager.life.fork(manager.onDatabase(approving), (exit) => {
        const failure = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        if (
          Exit.isFailure(exit) &&
          (failure === undefined || !["ApprovalRefused", "StoreError"].includes(failure._tag))
        )
          violate(`an approval was answered: ${Cause.pretty(exit.cause)}`)
      })
    })

  const answer = (job: string, unit: string) =>
    withManager((manager) => {
      const sent = `answer ${++texts}.`
      const answering = Effect.gen(function* () {
        const { questions } = yield* RunStore
        return yield* questions.answer({
          jobId: JobId.make(job),
          unit,
          text: sent,
          sender: { by: "person" },
          at: yield* DateTime.now
        })
      })
      trace.say(`${sent} for unit ${unit} of ${nameOf(job)}`)
      manager.life.fork(manager.onDatabase(answering), (exit) => {
        const failure = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        if (Exit.isSuccess(exit)) accepted.add(sent)
        else if (failure !== undefined && expected.includes(failure._tag)) refused.add(sent)
        else violate(`${sent} was answered: ${Cause.pretty(exit.cause)}`)
      })
    })

  return {
    question: () => `what comes first, q${++questions}?`,
    withManager,
    asked: (job, unit) => later(() => answer(job, unit)),
    proposed: (job) => later(() => approve(job)),
    approve,
    hasApproved: (job) => approved.has(job),
    answer,
    check: ({ by, isResumed, job, place, prompt, session, task, unit }) => {
      const asked = database
        .query("SELECT task, answer FROM charlotte_questions WHERE job_id = ? AND unit = ?", job, unit)
        .map((row) => ({ of: number(row, "task"), answer: maybe(row, "answer") }))
      if (asked.some(({ answer }) => answer === null))
        violate(`a turn at ${place} began before its question was answered`)
      const key = `${job}/${unit}/${task}`
      // A turn that was recorded and did not begin may have been to get them, too.
      const mayRepeat = last.get(key) !== by
      last.set(key, by)
      const before = (isResumed ? known.get(session) : undefined) ?? new Set()
      const answers = asked.flatMap(({ answer, of }) => (answer === null ? [] : [{ answer, isOwn: of === task }]))
      for (const { answer, isOwn } of answers) {
        const times = prompt.split(answer).length - 1
        const isKnown = before.has(answer)
        if (times !== (isOwn && !isKnown ? 1 : 0) && !(isKnown && mayRepeat && times === 1))
          violate(`a turn at ${place} got ${answer} ${times} times, ${isKnown ? "and had it" : "and did not have it"}`)
      }
      for (const answer of refused)
        if (prompt.includes(answer)) violate(`a turn at ${place} got ${answer}, which was refused`)
      known.set(session, new Set(answers.flatMap(({ answer, isOwn }) => (isOwn ? [answer] : []))))
    },
    checkAnswers: (events) => {
      const answered = database
        .query("SELECT answer FROM charlotte_questions WHERE answer IS NOT NULL")
        .map((row) => text(row, "answer"))
      for (const one of accepted) if (!answered.includes(one)) violate(`${one} was accepted, and is not recorded`)
      for (const one of refused) if (answered.includes(one)) violate(`${one} was refused, and is recorded`)
      if (events !== answered.length) violate(`${answered.length} questions are answered, with ${events} events`)
    },
    count: () => accepted.size
  }
}
