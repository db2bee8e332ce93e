/**
 * Admits the turns of agents, for all jobs of an orchestrator: none while the agent is at a limit, and once the limit has reset, first
 * a single one, the probe, to find out whether the agent works again.
 *
 * An agent is at a limit if it says so, if its service was not reached for 5 minutes, or if its turns at more than one unit end in the
 * same way without an answer of its model; where tasks name models, that is a limit of one of them. Turns without a verdict are counted
 * in the store, for each task.
 *
 * The limit is recorded before its job parks, so that after a crash in between, the next attempt parks without another turn. The
 * probe is kept in memory only: after a crash, the next turn is the probe.
 */
import { Data, DateTime, Deferred, Duration, Effect, Fiber, Option } from "effect"
import { AgentLimit } from "../../domain/AgentLimit.js"
import type { StoreError } from "../../domain/errors.js"
import { TurnStreak } from "../../domain/TurnStreak.js"
import * as Permits from "../../internal/Permits.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Service as Store } from "../../store/port/RunStoreService.js"
import * as TurnEnd from "../agents/TurnEnd.js"
import { retryWrite } from "../../store/rules/retryWrite.js"
import * as turnStreaks from "./turnStreaks.js"
import * as wakeParked from "./wakeParked.js"
import type { WriteError } from "./WriteError.js"

/** The agent is at a limit. */
export class AgentLimited extends Data.TaggedError("AgentLimited")<{ readonly limit: AgentLimit }> {}

/** Another turn is probing whether the agent works again. */
export class AgentProbed extends Data.TaggedError("AgentProbed")<{
  readonly limit: AgentLimit
  readonly ended: Effect.Effect<void>
}> {}

/** Turns of the agent at one task have ended in a row without an answer of its model. */
export class TaskUnanswered extends Data.TaggedError("TaskUnanswered")<{
  readonly agent: string
  readonly turns: number
  readonly reason: string
  readonly until: DateTime.Utc
}> {}

/** The result of a turn. */
export interface Ended<A> {
  readonly value: A
  readonly end: TurnEnd.TurnEnd
}

/** The result of a turn, and what it means. */
export interface Settled<A> extends Ended<A> {
  /** The limit that the agent has reached, or is still at. */
  readonly limit: Option.Option<AgentLimit>
  /** The turn used no attempt; the pause before the next one at its task. */
  readonly again: Option.Option<Duration.Duration>
}

/** The task of a turn. */
export interface AtTask {
  readonly unit: string
  readonly task: number
  /** The model that the task names. */
  readonly model?: string | undefined
}

/**
 * Under which name the turns of an agent without an answer count: a model that a task names may be at a limit of its own, which the
 * answers of another one do not end. No name of a profile has a slash.
 */
export const nameFor = (agent: string, model: string | undefined): string =>
  model === undefined ? agent : `${agent}/${model}`

/** How long to wait for funds, which take a person or the next month. */
const fundsPause = Duration.hours(1)

type TurnOwner = Pick<JobContext<unknown>, "id" | "attempt">

/** Why no turn may start. */
type Refused = AgentLimited | AgentProbed | TaskUnanswered

export interface AgentGate {
  /** Fails while no turn of the agent at a task, with the model that it names, may start. */
  readonly check: (job: TurnOwner, agent: string, at: AtTask) => Effect.Effect<void, Refused | StoreError>
  /** Whether no limit of the agent, or of one of its models, is recorded: one is until a turn has shown that the agent works again. */
  readonly isFree: (agent: string) => Effect.Effect<boolean, StoreError>
  /**
   * Makes the next turn of a limited agent a probe now, even before its limit resets, and ends the waits of the job's units: a person
   * knows that it works again.
   */
  readonly expire: (job: TurnOwner, agent: string) => Effect.Effect<void, WriteError>
  /** Runs a turn of a job's agent, and records what it shows about the agent. */
  readonly turn: (
    job: TurnOwner,
    agent: string,
    at: AtTask
  ) => <A, E, R>(turn: Effect.Effect<Ended<A>, E, R>) => Effect.Effect<Settled<A>, E | Refused | WriteError, R>
}

/** Whether the agent itself reported the limit. */
export const isReported = ({ kind }: AgentLimit): boolean => kind === "usage" || kind === "funds"

/**
 * After this time the others need not wait for the probe to end: a turn that is refused ends within seconds, and a client may try to
 * reach its service for some minutes.
 */
const probeTime = (limit: AgentLimit) => (isReported(limit) ? Duration.minutes(2) : Duration.minutes(5))

interface Probe {
  readonly ended: Deferred.Deferred<void>
  readonly limit: AgentLimit
}

export const make = (store: wakeParked.Store & Pick<Store, "agentLimits">): Effect.Effect<AgentGate> =>
  Effect.sync(() => {
    const { agentLimits } = store
    // Reading a record and deciding by it is one atomic step.
    const step = Permits.make(1)
    const probes = new Map<string, Probe>()

    const streaksOf = ({ id }: TurnOwner, agent: string, at: AtTask) =>
      Effect.map(agentLimits.streaks(agent), (all) => ({
        all,
        own: all.find(({ jobId, task, unit }) => jobId === id && unit === at.unit && task === at.task)
      }))

    /** The agent's limit, if it has reset; fails while it has not. */
    const passed = (job: TurnOwner, agent: string, at: AtTask) =>
      Effect.gen(function* () {
        const now = yield* DateTime.now
        const known = yield* agentLimits.get(agent)
        const { all, own } = yield* streaksOf(job, agent, at)
        if (Option.isNone(known)) {
          if (own === undefined || !turnStreaks.isStopped(own)) return known
          const { reason, turns } = own
          const until = turnStreaks.until(own)
          return DateTime.lessThan(now, until) ? yield* new TaskUnanswered({ agent, reason, turns, until }) : known
        }
        const limit = turnStreaks.limitFor(known.value, own, all)
        if (DateTime.lessThan(now, limit.until)) return yield* new AgentLimited({ limit })
        const probe = probes.get(agent)
        if (probe !== undefined) return yield* new AgentProbed({ limit, ended: Deferred.await(probe.ended) })
        return known
      })

    /** Admits a turn; returns its probe if it is one. */
    const admit = (job: TurnOwner, agent: string, at: AtTask) =>
      step(
        Effect.gen(function* () {
          const limit = yield* passed(job, agent, at)
          if (Option.isNone(limit)) return undefined
          const probe = { ended: yield* Deferred.make<void>(), limit: limit.value }
          probes.set(agent, probe)
          return probe
        })
      )

    const end = (agent: string, probe: Probe) =>
      Effect.suspend(() => {
        if (probes.get(agent) === probe) probes.delete(agent)
        return Effect.asVoid(Deferred.succeed(probe.ended, undefined))
      })

    /** Of a model that is named, only turns without an answer count, which then do not count for its agent. */
    const counted =
      (job: TurnOwner, agent: string, at: Omit<AtTask, "model">, of: "all" | "agent" | "model") =>
      <A, E, R>(turn: Effect.Effect<Ended<A>, E, R>): Effect.Effect<Settled<A>, E | Refused | WriteError, R> => {
        const by = { jobId: job.id, attempt: job.attempt }
        const clear = Effect.zipRight(
          retryWrite(agentLimits.clear({ ...by, agent })),
          wakeParked.untilReset(store, agent)
        )
        const answered = Effect.gen(function* () {
          if ((yield* agentLimits.streaks(agent)).length > 0)
            yield* retryWrite(agentLimits.answered({ ...by, agent, ...at }))
        })

        /** Clears the limit while the turn is still running: a refused turn would have ended. */
        const confirm = (probe: Probe) =>
          Effect.sleep(probeTime(probe.limit)).pipe(
            Effect.zipRight(step(Effect.zipRight(clear, end(agent, probe)))),
            Effect.catchAll(({ message }) =>
              Effect.logWarning(`the limit of an agent could not be cleared: ${message}`)
            )
          )

        const limited = (limit: AgentLimit) => ({ limit: Option.some(limit), again: Option.none<Duration.Duration>() })
        const judged = { limit: Option.none<AgentLimit>(), again: Option.none<Duration.Duration>() }

        const atLimit = (kind: AgentLimit["kind"], turnEnd: TurnEnd.TurnEnd, isProbe: boolean) =>
          Effect.gen(function* () {
            // The limit came after an answer, so turns without one are no longer in a row.
            if (turnEnd.answered === true) yield* answered
            const known = yield* agentLimits.get(agent)
            const limit = reached({ agent, kind, end: turnEnd, known, now: yield* DateTime.now, isProbe })
            yield* retryWrite(agentLimits.record({ ...by, limit }))
            return limited(limit)
          })

        /** The agent works. What it was limited by is over, unless this turn is older than the limit that the agent itself reported. */
        const works = (isProbe: boolean) =>
          Effect.gen(function* () {
            yield* answered
            const limit = yield* agentLimits.get(agent)
            if (Option.isSome(limit) && (isProbe || !isReported(limit.value))) yield* clear
            return judged
          })

        const withoutVerdict = (kind: TurnStreak["kind"], { message }: TurnEnd.TurnEnd, isProbe: boolean) =>
          Effect.gen(function* () {
            const now = yield* DateTime.now
            const known = yield* agentLimits.get(agent)
            const before = yield* streaksOf(job, agent, at)
            if (kind === "brokenOff" && isProbe) yield* works(isProbe)
            const refused = Option.filter(known, (limit) => isProbe && limit.kind === turnStreaks.limitKinds[kind])
            const isOwn = Option.isNone(refused) && before.own !== undefined && turnStreaks.isAlone(before.own)
            if (kind === "unanswered" && isOwn) return judged

            const streak = turnStreaks.next(
              before.own,
              { jobId: job.id, agent, ...at, kind, at: now },
              message ?? "it does not say why"
            )
            if (turnStreaks.isAttempt(streak)) {
              const over = new TurnStreak({ ...streak, turns: 0 }, { disableValidation: true })
              yield* retryWrite(agentLimits.recordStreak({ attempt: job.attempt, streak: over }))
              return judged
            }
            yield* retryWrite(agentLimits.recordStreak({ attempt: job.attempt, streak }))
            const all = [...before.all.filter((other) => other !== before.own), streak]
            // Another turn has reached a limit beside this one.
            const current = Option.filter(known, ({ until }) => DateTime.greaterThan(until, now))
            if (Option.isSome(current)) return limited(turnStreaks.limitFor(current.value, streak, all))
            if (Option.isSome(refused) || turnStreaks.isOfAgent(streak, all)) {
              const limit = turnStreaks.limitAfter(streak, Option.getOrUndefined(refused))
              yield* retryWrite(agentLimits.record({ ...by, limit }))
              return limited(turnStreaks.limitFor(limit, streak, all))
            }
            if (turnStreaks.isStopped(streak)) {
              const { reason, turns } = streak
              return yield* new TaskUnanswered({ agent, reason, turns, until: turnStreaks.until(streak) })
            }
            return { ...judged, again: Option.some(turnStreaks.pause(streak)) }
          })

        const settle = (turnEnd: TurnEnd.TurnEnd, probe: Probe | undefined) =>
          step(
            Effect.suspend(() => {
              const isProbe = probe !== undefined && probes.get(agent) === probe
              const kind = turnStreaks.kindOf(turnEnd)
              // The same turn begins at once in another session.
              if (turnEnd.isSessionLost === true) return Effect.succeed(judged)
              if (of === "agent" && kind === "unanswered") return Effect.succeed(judged)
              if (of === "model" && kind !== "unanswered") {
                const isAnswered = turnEnd.answered === true || shows(turnEnd, isProbe)
                return isAnswered ? works(isProbe) : Effect.succeed(judged)
              }
              if (turnEnd.class === "usageLimit") return atLimit("usage", turnEnd, probe !== undefined)
              if (turnEnd.class === "funds") return atLimit("funds", turnEnd, probe !== undefined)
              if (kind !== undefined) return withoutVerdict(kind, turnEnd, isProbe)
              return shows(turnEnd, isProbe) ? works(isProbe) : Effect.succeed(judged)
            })
          )

        return Effect.acquireUseRelease(
          admit(job, agent, at),
          (probe) =>
            Effect.flatMap(probe === undefined ? turn : during(confirm(probe), turn), (ended) =>
              Effect.map(settle(ended.end, probe), (settled) => ({ ...ended, ...settled }))
            ),
          (probe) => (probe === undefined ? Effect.void : step(end(agent, probe)))
        )
      }

    return {
      check: (job, agent, at) =>
        step(
          Effect.forEach(new Set([agent, nameFor(agent, at.model)]), (name) => passed(job, name, at), { discard: true })
        ),

      isFree: (agent) => Effect.map(agentLimits.get(agent), Option.isNone),

      expire: ({ attempt, id: jobId }, agent) =>
        step(
          Effect.gen(function* () {
            for (const streak of yield* agentLimits.streaks(agent)) {
              if (streak.jobId !== jobId || streak.turns === 0) continue
              const ended = new TurnStreak({ ...streak, turns: 0 }, { disableValidation: true })
              yield* retryWrite(agentLimits.recordStreak({ attempt, streak: ended }))
            }
            const until = yield* DateTime.now
            const known = Option.filter(yield* agentLimits.get(agent), (limit) =>
              DateTime.greaterThan(limit.until, until)
            )
            if (Option.isNone(known)) return
            const limit = new AgentLimit({ ...known.value, until })
            yield* retryWrite(agentLimits.record({ jobId, attempt, limit }))
          })
        ),

      turn:
        (job, agent, { model, ...at }) =>
        (turn) => {
          const name = nameFor(agent, model)
          if (name === agent) return counted(job, agent, at, "all")(turn)
          const ofModel = Effect.map(counted(job, name, at, "model")(turn), (settled) => ({
            value: settled,
            end: settled.end
          }))
          return Effect.map(counted(job, agent, at, "agent")(ofModel), ({ again, limit, value }) => ({
            ...value,
            limit: Option.orElse(limit, () => value.limit),
            again: Option.orElse(again, () => value.again)
          }))
        }
    }
  })

/** Runs `beside` in the background while the effect runs, and interrupts it at the end. */
const during = <A, E, R>(beside: Effect.Effect<void>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(Effect.fork(Effect.interruptible(beside)), () => effect, Fiber.interrupt)

/**
 * Whether the end of a turn shows that the agent works. A turn that was not a probe may be older than a limit: only one that ended by
 * itself shows that.
 */
const shows = (end: TurnEnd.TurnEnd, isProbe: boolean): boolean =>
  isProbe
    ? (end.answered ?? (!TurnEnd.isRefused(end) && end.class !== "gone"))
    : end.class === "done" || end.class === "budget" || (end.class === "failed" && end.answered !== false)

const reached = (found: {
  readonly agent: string
  readonly kind: AgentLimit["kind"]
  readonly end: TurnEnd.TurnEnd
  /** The recorded limit. */
  readonly known: Option.Option<AgentLimit>
  readonly now: DateTime.Utc
  readonly isProbe: boolean
}): AgentLimit => {
  const { agent, end, isProbe, kind, known, now } = found
  const reason = end.message ?? "usage limit reached"
  const since = Option.match(known, { onNone: () => now, onSome: (limit) => limit.since })
  // Concurrent turns are each refused; together they count as one refusal.
  const current = Option.filter(known, (limit) => isReported(limit) && DateTime.greaterThan(limit.until, now))
  if (end.resetsAt !== undefined) {
    const until = Option.match(current, { onNone: () => end.resetsAt, onSome: (limit) => limit.until })
    return new AgentLimit({ agent, kind, reason, since, until: later(until, end.resetsAt), refusals: 0 })
  }
  if (Option.isSome(current)) return current.value
  const refusals = isProbe ? Option.match(known, { onNone: () => 0, onSome: (limit) => limit.refusals }) + 1 : 1
  const pause = kind === "funds" ? fundsPause : turnStreaks.refusalPause(refusals)
  return new AgentLimit({ agent, kind, reason, since, until: DateTime.addDuration(now, pause), refusals })
}

const later = (a: DateTime.Utc | undefined, b: DateTime.Utc): DateTime.Utc =>
  a !== undefined && DateTime.greaterThan(a, b) ? a : b
