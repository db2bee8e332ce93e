/**
 * Admits the turns of agents, for all jobs of an orchestrator: none while the agent is at its usage limit, and once the limit has
 * reset, first a single one, the probe, to find out whether the agent works again.
 *
 * The limit is recorded before its job parks, so that after a crash in between, the next attempt parks without another turn. The
 * probe is kept in memory only: after a crash, the next turn is the probe.
 */
import { Data, DateTime, Deferred, Duration, Effect, Fiber, Option } from "effect"
import { AgentLimit } from "../../domain/AgentLimit.js"
import type { StoreError } from "../../domain/errors.js"
import * as Permits from "../../internal/Permits.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Service as Store } from "../../store/port/RunStoreService.js"
import * as TurnEnd from "../agents/TurnEnd.js"
import { retryWrite } from "../../store/rules/retryWrite.js"
import type { WriteError } from "./WriteError.js"

/** The agent is at its usage limit. */
export class AgentLimited extends Data.TaggedError("AgentLimited")<{ readonly limit: AgentLimit }> {}

/** Another turn is probing whether the agent works again. */
export class AgentProbed extends Data.TaggedError("AgentProbed")<{ readonly ended: Effect.Effect<void> }> {}

/** The result of a turn. */
export interface Ended<A> {
  readonly value: A
  readonly end: TurnEnd.TurnEnd
}

type TurnOwner = Pick<JobContext<unknown>, "id" | "attempt">

export interface AgentGate {
  /** Fails while no turn of the agent may start. */
  readonly check: (agent: string) => Effect.Effect<void, AgentLimited | AgentProbed | StoreError>
  /** Makes the next turn of a limited agent a probe now, even before its limit resets: a person knows that it works again. */
  readonly expire: (job: TurnOwner, agent: string) => Effect.Effect<void, WriteError>
  /** Runs a turn of a job's agent, and records that it reached a limit, or that the agent works again. */
  readonly turn: (
    job: TurnOwner,
    agent: string
  ) => <A, E, R>(
    turn: Effect.Effect<Ended<A>, E, R>
  ) => Effect.Effect<
    Ended<A> & { readonly limit: Option.Option<AgentLimit> },
    E | AgentLimited | AgentProbed | WriteError,
    R
  >
}

/** A refused turn ends within seconds, so after this time the others need not wait for the probe to end. */
const probeTime = Duration.minutes(2)

/** How long to wait if the agent reports no reset time: doubled with each refusal. Funds take a person, or the next month. */
const [shortest, longest] = [Duration.minutes(5), Duration.hours(1)]

const pause = (name: AgentLimit["class"], refusals: number) =>
  name === "funds" ? longest : Duration.min(Duration.times(shortest, 2 ** (refusals - 1)), longest)

type Probe = Deferred.Deferred<void>

export const make = ({ agentLimits }: Pick<Store, "agentLimits">): Effect.Effect<AgentGate> =>
  Effect.sync(() => {
    // Reading a record and deciding by it is one atomic step.
    const step = Permits.make(1)
    const probes = new Map<string, Probe>()

    /** The agent's limit, if it has reset; fails while it has not. */
    const passed = (agent: string) =>
      Effect.gen(function* () {
        const limit = yield* agentLimits.get(agent)
        if (Option.isNone(limit)) return limit
        if (DateTime.lessThan(yield* DateTime.now, limit.value.until)) {
          return yield* new AgentLimited({ limit: limit.value })
        }
        const probe = probes.get(agent)
        if (probe !== undefined) return yield* new AgentProbed({ ended: Deferred.await(probe) })
        return limit
      })

    /** Admits a turn; returns its probe if it is one. */
    const admit = (agent: string) =>
      step(
        Effect.gen(function* () {
          if (Option.isNone(yield* passed(agent))) return undefined
          const probe = yield* Deferred.make<void>()
          probes.set(agent, probe)
          return probe
        })
      )

    const end = (agent: string, probe: Probe) =>
      Effect.suspend(() => {
        if (probes.get(agent) === probe) probes.delete(agent)
        return Effect.asVoid(Deferred.succeed(probe, undefined))
      })

    return {
      check: (agent) => step(Effect.asVoid(passed(agent))),

      expire: ({ attempt, id: jobId }, agent) =>
        step(
          Effect.gen(function* () {
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
        ({ attempt, id: jobId }, agent) =>
        (turn) => {
          const by = { jobId, attempt }
          const clear = retryWrite(agentLimits.clear({ ...by, agent }))

          /** Clears the limit while the turn is still running: a refused turn would have ended. */
          const confirm = (probe: Probe) =>
            Effect.sleep(probeTime).pipe(
              Effect.zipRight(step(Effect.zipRight(clear, end(agent, probe)))),
              Effect.catchAll(({ message }) => Effect.logWarning(`a usage limit could not be cleared: ${message}`))
            )

          const settle = (turnEnd: TurnEnd.TurnEnd, probe: Probe | undefined) =>
            step(
              Effect.gen(function* () {
                if (turnEnd.class === "usageLimit" || turnEnd.class === "funds") {
                  const known = yield* agentLimits.get(agent)
                  const limit = reached({
                    agent,
                    class: turnEnd.class,
                    end: turnEnd,
                    known,
                    now: yield* DateTime.now,
                    isProbe: probe !== undefined
                  })
                  yield* retryWrite(agentLimits.record({ ...by, limit }))
                  return Option.some(limit)
                }
                if (probe !== undefined && probes.get(agent) === probe && hasAnswered(turnEnd)) yield* clear
                return Option.none<AgentLimit>()
              })
            )

          return Effect.acquireUseRelease(
            admit(agent),
            (probe) =>
              Effect.flatMap(probe === undefined ? turn : during(confirm(probe), turn), (ended) =>
                Effect.map(settle(ended.end, probe), (limit) => ({ ...ended, limit }))
              ),
            (probe) => (probe === undefined ? Effect.void : step(end(agent, probe)))
          )
        }
    }
  })

/** Runs `beside` in the background while the effect runs, and interrupts it at the end. */
const during = <A, E, R>(beside: Effect.Effect<void>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(Effect.fork(Effect.interruptible(beside)), () => effect, Fiber.interrupt)

/** Whether the end of a turn shows that the agent works: not if the agent was not reached. */
const hasAnswered = (end: TurnEnd.TurnEnd): boolean => !TurnEnd.isRefused(end) && end.class !== "gone"

const reached = (found: {
  readonly agent: string
  readonly class: AgentLimit["class"]
  readonly end: TurnEnd.TurnEnd
  /** The recorded limit. */
  readonly known: Option.Option<AgentLimit>
  readonly now: DateTime.Utc
  readonly isProbe: boolean
}): AgentLimit => {
  const { agent, class: name, end, isProbe, known, now } = found
  const reason = end.message ?? "usage limit reached"
  // Concurrent turns are each refused; together they count as one refusal.
  const current = Option.filter(known, ({ until }) => DateTime.greaterThan(until, now))
  if (end.resetsAt !== undefined) {
    const until = Option.match(current, { onNone: () => end.resetsAt, onSome: (limit) => limit.until })
    return new AgentLimit({ agent, class: name, reason, until: later(until, end.resetsAt), refusals: 0 })
  }
  if (Option.isSome(current)) return current.value
  const refusals = isProbe ? Option.match(known, { onNone: () => 0, onSome: (limit) => limit.refusals }) + 1 : 1
  const until = DateTime.addDuration(now, pause(name, refusals))
  return new AgentLimit({ agent, class: name, reason, until, refusals })
}

const later = (a: DateTime.Utc | undefined, b: DateTime.Utc): DateTime.Utc =>
  a !== undefined && DateTime.greaterThan(a, b) ? a : b
