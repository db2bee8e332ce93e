/**
 * Working on one task: the agent, then the gate, until the gate passes or the attempts are used up; then one commit.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Duration, Effect, Option } from "effect"
import type { JobContext } from "../../manager/Orchestrator.js"
import { Git } from "../Git.js"
import type { ObjectId, UnitName } from "../git/Names.js"
import type { Task } from "../plan/Plan.js"
import * as Shell from "./Shell.js"
import * as TaskFile from "../plan/TaskFile.js"
import { TaskFailure } from "./TaskFailure.js"
import * as TextFile from "../plan/TextFile.js"
import type { Workplace } from "./Workplace.js"

/** An agent that fails may be short of something that comes back, so the pause before it is called again grows. */
const agentPause = Duration.seconds(1)

/** Why an attempt did not pass. */
interface Shortfall {
  readonly reason: string
  readonly log?: string
  /** How long to wait before the next one. */
  readonly pause: Duration.Duration
}

export const run = (place: Workplace, unit: UnitName, task: Task) =>
  Effect.gen(function* () {
    const emit = emitter(place.job, unit, task)
    const since = (yield* Effect.flatMap(Git, (git) => git.status(place.repository, place.worktree))).commit
    for (let attempt = 1; ; attempt++) {
      yield* emit("task.started", { attempt, title: task.title })
      const outcome = yield* tryOnce(place, unit, task, attempt, since)
      if ("commit" in outcome) {
        yield* emit("task.completed", { attempt, commit: outcome.commit })
        return outcome.commit
      }
      const { log, pause, reason } = outcome
      if (attempt === place.settings.attempts) {
        yield* emit("task.failed", { attempts: attempt, reason, log })
        const { number, title } = task
        return yield* new TaskFailure({ unit, task: number, title, attempts: attempt, reason, ...(log && { log }) })
      }
      yield* emit("task.retry", { attempt, reason, log })
      yield* Effect.sleep(pause)
    }
  })

const emitter = (job: JobContext<unknown>, unit: UnitName, task: Task) => (type: string, payload: unknown) =>
  job.emit({ type, unit, task: task.number, payload })

const tryOnce = (place: Workplace, unit: UnitName, task: Task, attempt: number, since: ObjectId) =>
  Effect.gen(function* () {
    const { job, logs, worktree } = place
    const fs = yield* FileSystem
    const emit = emitter(job, unit, task)
    const name = `${logs}/${unit}/${String(task.number).padStart(2, "0")}-attempt-${job.attempt}.${attempt}`

    const script = `${name}.agent.sh`
    yield* fs.makeDirectory(`${logs}/${unit}`, { recursive: true })
    yield* fs.writeFileString(script, task.scripts.join("\n"))
    yield* emit("task.agent.started", { agent: "script" })
    const agent = yield* Shell.run(job, {
      purpose: `agent of task ${task.number} of unit ${unit}`,
      shell: { script },
      cwd: worktree.path,
      log: `${name}.agent.log`
    })
    yield* emit("task.agent.ended", { reason: agent.reason, log: agent.log, bytes: agent.bytes })
    if (agent.reason !== undefined) {
      const pause = Duration.times(agentPause, 2 ** (attempt - 1))
      return { reason: `the agent ${agent.reason}`, log: agent.log, pause } satisfies Shortfall
    }

    const gate = yield* Shell.run(job, {
      purpose: `gate of task ${task.number} of unit ${unit}`,
      shell: { command: task.backpressure },
      cwd: worktree.path,
      log: `${name}.gate.log`
    })
    if (gate.reason !== undefined) {
      yield* emit("task.gate.failed", {
        command: task.backpressure,
        reason: gate.reason,
        log: gate.log,
        bytes: gate.bytes
      })
      return { reason: `the gate ${gate.reason}`, log: gate.log, pause: Duration.zero } satisfies Shortfall
    }
    yield* emit("task.gate.passed", { command: task.backpressure, log: gate.log, bytes: gate.bytes })

    const commit = yield* record(place, unit, task, since)
    yield* emit("task.committed", { commit })
    return { commit }
  }).pipe(
    // A branch that was switched, or a worktree that was broken, is the doing of this attempt.
    Effect.catchTags({
      HeadMoved: ({ message }) => Effect.succeed<Shortfall>({ reason: message, pause: Duration.zero }),
      NestedRepository: ({ message }) => Effect.succeed<Shortfall>({ reason: message, pause: Duration.zero })
    })
  )

/** Marks the task as complete in its file, and commits all that was done for it. */
const record = ({ job, repository, worktree }: Workplace, unit: UnitName, task: Task, since: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const fs = yield* FileSystem
    const path = `${worktree.path}/${task.file}`
    // An agent may have changed or removed the file, or put a link in its place. The commit counts, not what the file says.
    const text = yield* Effect.option(TextFile.read(path, task.file))
    const marked = Option.flatMap(text, ({ text }) => TaskFile.withStatus(text, "complete"))
    if (Option.isSome(marked)) yield* fs.writeFileString(path, marked.value)
    return yield* git.commit(repository, worktree, {
      title: task.title,
      body: `Task ${task.number} of unit ${unit}.`,
      jobId: job.id,
      unit,
      task: task.number,
      since
    })
  })
