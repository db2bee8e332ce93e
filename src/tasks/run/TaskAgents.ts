/**
 * The agents of tasks, for all jobs of an orchestrator: which of its agents makes a turn of a task, and how many turns of an agent
 * run at once.
 */
import { Array, Data, Effect, Either, Option, Order } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import * as Permits from "../../internal/Permits.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Agents } from "../Agents.js"
import * as Agent from "../agents/Agent.js"
import type { NoSuchAgent } from "../agents/NoSuchAgent.js"
import type { AgentChoice } from "../plan/AgentChoice.js"
import type { Task } from "../plan/Plan.js"
import { type AgentGate, AgentLimited, AgentProbed, type Ended, type Settled, TaskUnanswered } from "./AgentGate.js"
import * as AgentTurns from "./AgentTurns.js"
import { BudgetReached } from "./BudgetReached.js"
import type { WriteError } from "./WriteError.js"

/** No agent of the task may begin a turn for now. */
export class AgentsUnavailable extends Data.TaggedError("AgentsUnavailable")<{
  readonly causes: Array.NonEmptyReadonlyArray<AgentTurns.AgentUnavailable>
}> {}

/** An agent that may work on a task. */
export interface Worker {
  readonly name: string
  readonly agent: Agent.Agent
  readonly model: string | undefined
}

/** The turns of one task. */
export interface TurnsOfTask<R = never> {
  /**
   * Runs a turn with the agent that made the last one or, if that is unavailable, with the first that is not. Fails if all are
   * unavailable, or if the turn shows that they are, in which case it does not count.
   */
  readonly run: <A, E, R2>(
    turn: (worker: Worker) => Effect.Effect<Ended<A>, E, R2>
  ) => Effect.Effect<Pick<Settled<A>, "value" | "end" | "again">, E | AgentsUnavailable | WriteError, R | R2>
}

export interface Observer<R = never> {
  /** Is around the wait for a turn of an agent that has as many as its profile allows. */
  readonly waiting: (reason: string) => Permits.Permits
  /** Is called before an agent continues a task whose turn by another one was refused. */
  readonly changed: (name: string, cause: AgentTurns.AgentUnavailable) => Effect.Effect<void, WriteError, R>
}

export interface JobAgents {
  /** Fails while none of the agents of a task may begin a turn. */
  readonly check: (unit: string, task: Task) => Effect.Effect<void, AgentsUnavailable | StoreError>
  readonly turns: <R>(unit: string, task: Task, observer: Observer<R>) => TurnsOfTask<R>
  /** Whether an agent is at no limit, even before the time that its last one named. */
  readonly isFree: (agent: string) => Effect.Effect<boolean, StoreError>
}

interface JobOptions {
  readonly job: Pick<JobContext<unknown>, "id" | "attempt">
  /** The tasks to do. */
  readonly tasks: ReadonlyArray<Task>
  /** The agents of a task, in the order in which they are tried. */
  readonly agentsOf: (task: Task) => ReadonlyArray<AgentChoice>
  /** The agent whose session at a task is recorded: it continues the task, also in the next attempt of the job. */
  readonly lastOf: (unit: string, task: Task) => string | undefined
  readonly agents: Agents["Type"]
  readonly priority: number
  /** Whether a person has resumed the job. */
  readonly isResumed: boolean
}

export interface TaskAgents {
  readonly ofJob: (options: JobOptions) => Effect.Effect<JobAgents, NoSuchAgent | WriteError>
}

const isUnavailable = (error: unknown): error is AgentTurns.AgentUnavailable =>
  error instanceof AgentLimited ||
  error instanceof AgentProbed ||
  error instanceof AgentTurns.AgentUnauthorized ||
  error instanceof AgentTurns.PromptTooLong ||
  error instanceof BudgetReached ||
  error instanceof TaskUnanswered

/**
 * Whether no other agent continues: the service is not reached, which the network of this machine may be the cause of, or enough is
 * spent.
 */
const isForAll = (cause: AgentTurns.AgentUnavailable): boolean =>
  cause._tag === "BudgetReached" ||
  ((cause._tag === "AgentLimited" || cause._tag === "AgentProbed") && cause.limit.kind === "outage")

/** After so many attempts without an answer of its model, a task is tried by the next agent of its list. */
const mostUnanswered = 2

interface Rank {
  readonly priority: number
  readonly job: JobId
}

const order: Order.Order<Rank> = Order.combine(
  Order.reverse(Order.mapInput(Order.number, ({ priority }: Rank) => priority)),
  Order.mapInput(Order.string, ({ job }: Rank) => job)
)

export const make = (gate: AgentGate): Effect.Effect<TaskAgents> =>
  Effect.sync(() => {
    const queues = new Map<string, Permits.Queue<Rank>>()

    /** Runs an effect once a turn of the agent is free, if its profile limits them. */
    const inTurn = (agent: Agent.Agent, rank: Rank, waiting: Observer["waiting"]): Permits.Permits => {
      if (!Agent.$is("Command")(agent) || agent.profile.concurrency === undefined) return (self) => self
      const { concurrency, name } = agent.profile
      const queue = queues.get(name) ?? new Permits.Queue(concurrency, order)
      queues.set(name, queue)
      // The configuration may have changed since.
      queue.resize(concurrency)
      return Permits.ranked(queue, rank, (take) =>
        Effect.suspend(() => waiting(`for a turn of ${name}, ${queue.used} of ${concurrency} at work`)(take))
      )
    }

    const ofJob = ({ agents, agentsOf, isResumed, job, lastOf, priority, tasks }: JobOptions) =>
      Effect.gen(function* () {
        const choices = tasks.flatMap(agentsOf)
        const names = new Set(choices.map(({ agent }) => agent))
        const known = new Map(
          yield* Effect.forEach(names, (name) =>
            Effect.gen(function* () {
              const agent = yield* agents.get(name)
              const models = choices.flatMap(({ agent, model }) => (agent === name ? [model] : []))
              return [name, { agent, turns: yield* AgentTurns.make(gate, job, agent, { isResumed, models }) }] as const
            })
          )
        )
        const workersOf = (task: Task) =>
          agentsOf(task).flatMap(({ agent: name, model }) => {
            const worker = known.get(name)
            return worker === undefined ? [] : [{ ...worker, name, model }]
          })
        type Own = ReturnType<typeof workersOf>[number]
        const withFirst = (workers: ReadonlyArray<Own>, first: Own | undefined) =>
          first === undefined ? workers : [first, ...workers.filter((worker) => worker !== first)]
        const lastWorkerOf = (unit: string, task: Task, workers: ReadonlyArray<Own>) => {
          const last = lastOf(unit, task)
          return workers.find(({ name }) => name === last)
        }

        /** The effect of the first worker that is available. */
        const first = <A, E, R>(
          workers: ReadonlyArray<Own>,
          attempt: (worker: Own) => Effect.Effect<A, E | AgentTurns.AgentUnavailable, R>
        ): Effect.Effect<A, E | AgentsUnavailable, R> =>
          Effect.gen(function* () {
            const causes = Array.empty<AgentTurns.AgentUnavailable>()
            for (const worker of workers) {
              const outcome = yield* Effect.either(attempt(worker))
              if (Either.isRight(outcome)) return outcome.right
              if (!isUnavailable(outcome.left)) return yield* Effect.fail(outcome.left)
              causes.push(outcome.left)
              if (isForAll(outcome.left)) break
            }
            if (Array.isNonEmptyArray(causes)) return yield* new AgentsUnavailable({ causes })
            return yield* Effect.dieMessage("the task has no agent")
          })

        return {
          isFree: gate.isFree,

          check: (unit, task) => {
            const at = { unit, task: task.number }
            const workers = workersOf(task)
            return first(withFirst(workers, lastWorkerOf(unit, task, workers)), ({ model, turns }) =>
              turns.check({ ...at, model })
            )
          },

          turns: (unit, task, { changed, waiting }) => {
            const at = { unit, task: task.number }
            const workers = workersOf(task)
            const attempts = new Map<Own, number>()
            const isLast = (worker: Own) => (attempts.get(worker) ?? 0) >= mostUnanswered
            const rank = { priority, job: job.id }
            let current = lastWorkerOf(unit, task, workers)
            const run = <A, E, R2>(turn: (worker: Worker) => Effect.Effect<Ended<A>, E, R2>) =>
              Effect.suspend(() => {
                let left: AgentTurns.AgentUnavailable | undefined
                const inOrder = [...workers].sort((a, b) => Number(isLast(a)) - Number(isLast(b)))
                return first(withFirst(inOrder, current), (worker) => {
                  const own = { ...at, model: worker.model }
                  const begin = Effect.suspend(() => {
                    current = worker
                    const note = left === undefined ? Effect.void : changed(worker.name, left)
                    left = undefined
                    return Effect.zipRight(note, turn(worker))
                  })
                  return worker.turns.check(own).pipe(
                    Effect.zipRight(inTurn(worker.agent, rank, waiting)(worker.turns.run(own)(begin))),
                    Effect.tap(({ again, end }) =>
                      Effect.sync(() => {
                        // Without a pause before the next turn, this one was an attempt.
                        if (end.class !== "unanswered" || Option.isSome(again)) return
                        attempts.set(worker, (attempts.get(worker) ?? 0) + 1)
                        if (isLast(worker)) current = undefined
                      })
                    ),
                    Effect.tapError((error) =>
                      Effect.sync(() => {
                        if (!isUnavailable(error) || isForAll(error)) return
                        if (current !== worker) return
                        left = error
                        current = undefined
                      })
                    )
                  )
                })
              })
            return { run }
          }
        } satisfies JobAgents
      })

    return { ofJob }
  })
