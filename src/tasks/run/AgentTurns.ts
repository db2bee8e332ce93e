/**
 * The turns of a job's agent: whether a turn may start, and what its end means for the others.
 */
import { Array, Data, Effect, Option, Ref } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import * as plainText from "../../internal/plainText.js"
import * as Agent from "../agents/Agent.js"
import type { TurnEnd } from "../agents/TurnEnd.js"
import {
  type AgentGate,
  AgentLimited,
  type AgentProbed,
  type AtTask,
  type Ended,
  nameFor,
  type Settled,
  type TaskUnanswered
} from "./AgentGate.js"
import { BudgetReached } from "./BudgetReached.js"
import type { WriteError } from "./WriteError.js"

/** The agent is not logged in, its key is refused, or its account may not use it. */
export class AgentUnauthorized extends Data.TaggedError("AgentUnauthorized")<{ readonly reason: string }> {}

/** The prompt of the task is too long for the agent's model. */
export class PromptTooLong extends Data.TaggedError("PromptTooLong")<{ readonly reason: string }> {}

/** No turn of the agent may start for now. */
export type AgentUnavailable =
  AgentLimited | AgentProbed | AgentUnauthorized | BudgetReached | PromptTooLong | TaskUnanswered

export interface AgentTurns {
  /** Fails while no turn at a task may start. */
  readonly check: (at: AtTask) => Effect.Effect<void, AgentUnavailable | StoreError>
  /** Runs a turn; fails if none may start, or if this turn shows that none may, in which case it does not count. */
  readonly run: (
    at: AtTask
  ) => <A, E, R>(
    turn: Effect.Effect<Ended<A>, E, R>
  ) => Effect.Effect<Pick<Settled<A>, "value" | "end" | "again">, E | AgentUnavailable | WriteError, R>
}

export const make = (
  gate: AgentGate,
  job: Pick<JobContext<unknown>, "id" | "attempt">,
  agent: Agent.Agent,
  {
    isResumed,
    models
  }: {
    /** Whether a person has resumed the job. */
    readonly isResumed: boolean
    /** The models that its tasks name; undefined for those that name none. */
    readonly models: Iterable<string | undefined>
  }
): Effect.Effect<AgentTurns, WriteError> =>
  Effect.gen(function* () {
    if (!Agent.$is("Command")(agent)) {
      return {
        check: () => Effect.void,
        run: () => (turn) => Effect.map(turn, (ended) => ({ ...ended, again: Option.none() }))
      }
    }
    const { name } = agent.profile
    const names = new Set([name, ...Array.fromIterable(models).map((model) => nameFor(name, model))])
    if (isResumed) yield* Effect.forEach(names, (name) => gate.expire(job, name), { discard: true })
    const refused = yield* Ref.make(Option.none<AgentUnauthorized>())
    const authorized = Effect.flatMap(
      Ref.get(refused),
      Option.match({ onNone: () => Effect.void, onSome: Effect.fail })
    )
    const tooLong = new Map<string, PromptTooLong>()
    const taskOf = ({ task, unit }: AtTask) => `${unit}/${task}`
    const mayStart = (at: AtTask) =>
      Effect.zipRight(
        authorized,
        Effect.suspend(() => tooLong.get(taskOf(at)) ?? Effect.void)
      )
    return {
      check: (at) => Effect.zipRight(mayStart(at), gate.check(job, name, at)),
      run: (at) => (turn) =>
        Effect.gen(function* () {
          yield* mayStart(at)
          const ended = yield* gate.turn(job, name, at)(turn)
          if (Option.isSome(ended.limit)) return yield* new AgentLimited({ limit: ended.limit.value })
          if (ended.end.class === "budget")
            return yield* new BudgetReached({ reason: overBudget(name, ended.end, job) })
          if (ended.end.isTooLong === true && ended.end.isSessionLost !== true) {
            const reason = `the prompt is too long for ${name}: ${plainText.line(ended.end.message ?? "").slice(0, 300)}`
            const error = new PromptTooLong({ reason })
            tooLong.set(taskOf(at), error)
            return yield* error
          }
          if (ended.end.class !== "auth" && ended.end.class !== "account") return ended
          const error = new AgentUnauthorized({ reason: unauthorized(name, ended.end, job) })
          yield* Ref.set(refused, Option.some(error))
          return yield* error
        })
    }
  })

const unauthorized = (
  agent: string,
  { class: name, message = "" }: TurnEnd,
  { id }: Pick<JobContext<unknown>, "id">
): string =>
  `${agent} ${name === "account" ? "may not be used with this account" : "is not logged in, or its key is refused"}: ` +
  `${plainText.line(message).slice(0, 300)}; ` +
  `fix that, then continue with: charlotte resume ${id}`

const overBudget = (agent: string, { message = "" }: TurnEnd, { id }: Pick<JobContext<unknown>, "id">): string =>
  `${agent} has spent what its command lets it spend in a turn: ${plainText.line(message).slice(0, 300)}; ` +
  `continue with: charlotte resume ${id}`
