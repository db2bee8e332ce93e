/**
 * The records of jobs besides their runs: child processes, units and tasks, and the limits and questions of agents.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect } from "effect"
import { JobEnded, JobNotFound, type StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { Service } from "../port/RunStoreService.js"
import * as agentLimits from "./agentLimits.js"
import { current } from "./Batch.js"
import * as childProcesses from "./childProcesses.js"
import type { Connection } from "./Dialect.js"
import * as questions from "./questions.js"
import type { SearchIndexer } from "./SearchIndexer.js"
import type { Session } from "./Session.js"
import { execute as executeOn, type Value } from "./statements.js"
import * as answering from "../rules/answering.js"
import * as RunTransition from "../rules/RunTransition.js"
import { storable } from "../rules/storableWork.js"
import * as taskProgress from "./taskProgress.js"
import type { Writer } from "./Writer.js"

export const make = ({
  indexer,
  session,
  spansMachines,
  write
}: {
  readonly session: Session
  readonly spansMachines: boolean
  readonly write: Writer["write"]
  readonly indexer: SearchIndexer
}): Pick<Service, "childProcesses" | "work" | "agentLimits" | "questions"> => {
  const execute = (
    operation: string,
    statement: string,
    params: ReadonlyArray<Value>
  ): Effect.Effect<void, StoreError> =>
    write<void, never>({
      operation,
      lane: "fast",
      body: (batch) => Effect.flatMap(batch.connection, (connection) => executeOn(connection, statement, params))
    })

  const writeFenced = (
    operation: string,
    { attempt, jobId }: { readonly jobId: JobId; readonly attempt: number },
    body: (connection: Connection) => Effect.Effect<void, SqlError>
  ) =>
    write({
      operation,
      lane: "fast",
      about: jobId,
      body: (batch): Effect.Effect<void, Superseded | SqlError> =>
        current(batch, jobId, attempt) === undefined
          ? new Superseded({ jobId, attempt })
          : Effect.flatMap(batch.connection, body)
    })

  const recordWork = (
    by: { readonly jobId: JobId; readonly attempt: number },
    body: (connection: Connection) => Effect.Effect<void, SqlError>
  ) => writeFenced("record units and tasks", by, body)

  return {
    childProcesses: {
      spansMachines,
      open: ({ at, attempt, bootId, cookie, jobId, log, machine, purpose }) =>
        execute("record a process", childProcesses.statements.open, [
          cookie,
          jobId,
          attempt,
          bootId,
          machine ?? null,
          purpose,
          log ?? null,
          DateTime.toEpochMillis(at)
        ]),
      spawned: ({ cookie, pid, startTime }) =>
        execute("record a process", childProcesses.statements.spawned, [pid, startTime ?? null, cookie]),
      close: ({ at, cookie, tail }) =>
        execute("record a process", childProcesses.statements.close, [
          DateTime.toEpochMillis(at),
          tail === undefined ? null : storable(tail),
          cookie
        ]),
      logs: (jobId) => session.read("read processes", (connection) => childProcesses.logs(connection, jobId)),
      unclosed: (jobId) => session.read("read processes", (connection) => childProcesses.unclosed(connection, jobId)),
      leftBy: (kind) => session.read("read processes", (connection) => childProcesses.leftBy(connection, kind))
    },

    work: {
      plan: (planned) =>
        Effect.zipLeft(
          recordWork(planned, (connection) => taskProgress.plan(connection, planned.jobId, planned.work)),
          indexer.written
        ),
      unit: (changed) =>
        recordWork(changed, (connection) => taskProgress.updateUnit(connection, changed.jobId, changed.unit)),
      add: (added) =>
        Effect.zipLeft(
          recordWork(added, (connection) => taskProgress.addTask(connection, added.jobId, added.task)),
          indexer.written
        ),
      task: (changed) =>
        recordWork(changed, (connection) => taskProgress.updateTask(connection, changed.jobId, changed.task)),
      of: (jobId) => session.read("read units and tasks", (connection) => taskProgress.of(connection, jobId)),
      counts: (jobIds) => session.read("count tasks", (connection) => taskProgress.counts(connection, jobIds)),
      costs: (jobIds) => session.read("read costs", (connection) => taskProgress.costs(connection, jobIds)),
      unitNames: (jobIds, most) =>
        session.read("read names of units", (connection) => taskProgress.unitNames(connection, jobIds, most))
    },

    agentLimits: {
      get: (agent) => session.read("read a usage limit", (connection) => agentLimits.get(connection, agent)),
      record: ({ limit, ...by }) =>
        writeFenced("record a usage limit", by, (connection) => agentLimits.record(connection, limit)),
      clear: ({ agent, ...by }) =>
        writeFenced("clear a usage limit", by, (connection) => agentLimits.clear(connection, agent)),
      streaks: (agent) =>
        session.read("read turns without a verdict", (connection) => agentLimits.streaks(connection, agent)),
      recordStreak: ({ attempt, streak }) =>
        writeFenced("record a turn without a verdict", { jobId: streak.jobId, attempt }, (connection) =>
          agentLimits.recordStreak(connection, streak)
        ),
      answered: (turn) =>
        writeFenced("record an answered turn", turn, (connection) => agentLimits.answered(connection, turn))
    },

    questions: {
      record: ({ questions: asked, ...by }) =>
        writeFenced("record a question", by, (connection) => questions.record(connection, by.jobId, asked)),
      of: (jobId) => session.read("read questions", (connection) => questions.of(connection, jobId)),
      open: (jobIds) => session.read("read questions", (connection) => questions.open(connection, jobIds)),
      answer: (answer) =>
        write({
          operation: "answer a question",
          lane: "fast",
          about: answer.jobId,
          body: (batch) =>
            Effect.gen(function* () {
              const { jobId } = answer
              const head = batch.head(jobId)
              if (head === undefined) return yield* new JobNotFound({ jobId })
              const { status } = head.state
              if (isTerminal(status)) return yield* new JobEnded({ jobId, status })
              const connection = yield* batch.connection
              const open = (yield* questions.open(connection, [jobId])).get(jobId) ?? []
              const answered = yield* answering.answered(yield* questions.of(connection, jobId), open, answer)
              yield* questions.answer(connection, jobId, answered)
              const to = RunTransition.answered(head.state)
              const event = answering.event(answered, answer)
              if (to === undefined) batch.append(jobId, [event])
              else yield* batch.update(jobId, head, to, event)
              return answered
            })
        })
    }
  }
}
