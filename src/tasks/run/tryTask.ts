/**
 * One attempt at a task: a turn of the agent, the gate, and the commit.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Duration, Effect, Fiber, Option } from "effect"
import * as plainText from "../../internal/plainText.js"
import type * as Prompt from "../agents/Prompt.js"
import type { Question } from "../../domain/Question.js"
import type { Task, Unit } from "../plan/Plan.js"
import type { Log, TurnClass } from "../events.js"
import * as agentTurn from "./agentTurn.js"
import * as commitTask from "./commitTask.js"
import * as DiscardedWork from "./DiscardedWork.js"
import * as judge from "./judge.js"
import * as Note from "./Note.js"
import * as protectFiles from "./protectFiles.js"
import type { RunContext } from "./RunContext.js"
import type { TurnsOfTask } from "./TaskAgents.js"
import * as unchangedWork from "./unchangedWork.js"

/** An agent may fail for a temporary reason, such as a rate limit, so retries back off exponentially. */
const initialPause = Duration.seconds(1)

const backoff = (attempt: number) => Duration.times(initialPause, 2 ** (attempt - 1))

/** Why an attempt failed. */
export interface FailedAttempt {
  readonly reason: string
  readonly log?: typeof Log.Encoded
  /** The end of the output. */
  readonly tail?: string
  /** What the agent said last. */
  readonly said?: string | undefined
  /** The pause before the next attempt. */
  readonly pause: Duration.Duration
  /** The class of a turn that uses no attempt: the same attempt continues after the pause. */
  readonly unjudged?: TurnClass
  /** No other attempt would end otherwise. */
  readonly isFinal?: boolean
  /** The excuse that each task has once was used. */
  readonly isExcused?: boolean
}

const failedAttempt = (fields: FailedAttempt): FailedAttempt => fields

export type Outcome =
  | FailedAttempt
  | { readonly next: commitTask.TaskPosition }
  /** The agent asks a person. */
  | { readonly asked: Asked }
  /** The turn has changed nothing, and the gate fails as before, so the same attempt continues. */
  | { readonly unchanged: Prompt.Previous }

type Asked = Pick<Question, "agent" | "session" | "question">

/** Within one attempt, the agent is called again after a turn without a verdict; each call has a separate log. */
const unusedName = (name: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    for (let call = 1; ; call++) {
      const numbered = call === 1 ? name : `${name}.${call}`
      if (!(yield* Effect.orElseSucceed(fs.exists(`${numbered}.agent.log`), () => false))) return numbered
    }
  })

/** The unfinished work of this task with which its worktree was made. */
const restoredAt = ({ tip, worktree: { restored } }: commitTask.TaskPosition): Option.Option<Prompt.Restored> =>
  restored?.base === tip ? Option.some(restored.record) : Option.none()

type Committing = ReturnType<typeof commitTask.commit>

/** What follows the turn of an agent that has succeeded, instead of the gate and the commit of the task. */
export type AfterTurn = (turn: {
  readonly worker: string
  /** The path of its logs, without their extensions. */
  readonly name: string
}) => Committing

export const tryTask = <R>(
  ctx: RunContext,
  unit: Unit,
  task: Task,
  position: commitTask.TaskPosition,
  {
    attempt,
    afterTurn,
    mayExcuse,
    previous,
    restarted,
    turns,
    unchanged
  }: {
    readonly attempt: number
    readonly afterTurn: AfterTurn | undefined
    readonly previous: Option.Option<Prompt.Previous>
    /** Whether a short failure in unknown words is no verdict where nothing was changed: it is so once for each task. */
    readonly mayExcuse: boolean
    /** The attempts in which a session was lost, and another one began. */
    readonly restarted: Set<number>
    readonly turns: TurnsOfTask<R>
    /** Why the gate has failed after a turn of this attempt that changed nothing, if that was the last one. */
    readonly unchanged: Option.Option<Prompt.Previous>
  }
) =>
  Effect.gen(function* () {
    const { job } = ctx
    const { worktree } = position
    const about = { unit: unit.id, task: task.number }
    const files = `${worktree.logs}/${String(task.number).padStart(2, "0")}-attempt-${job.attempt}.${attempt}`
    const restored = restoredAt(position)
    const discarded = yield* DiscardedWork.read(ctx, { ...position, failures: attempt - 1 })
    const turn = (canResume: boolean) =>
      turns.run((worker) =>
        Effect.gen(function* () {
          const name = yield* unusedName(files)
          const how = { attempt, canResume, discarded, name, previous, restored, unchanged, worker }
          const { end, value } = yield* agentTurn.run(ctx, unit, task, worktree, how)
          return { end, value: { ...value, name, worker: worker.name } }
        })
      )

    // Read in the background, since it is needed only once the gate has passed.
    const file = yield* Effect.fork(commitTask.readFile(ctx, unit, task, position.tip))
    let ended = yield* turn(true)
    if (ended.end.isSessionLost === true && !restarted.has(attempt)) {
      restarted.add(attempt)
      yield* Note.add(
        ctx,
        about,
        `the session of the agent could not be resumed, so attempt ${attempt} goes on in another: ${agentTurn.failure(ended.value, ended.value.own)}`
      )
      ended = yield* turn(false)
    }
    const { again, end, value: agent } = ended
    yield* Note.addMoved(ctx, about, `agent of attempt ${attempt}`, agent)
    if (Option.isSome(again)) {
      const reason = plainText.line(end.message ?? "").slice(0, 300)
      return failedAttempt({ reason, log: agent.log, pause: again.value, unjudged: end.class })
    }
    if (agent.reason !== undefined) {
      // The model has answered, so it ends a streak of turns without an answer, as any other.
      const isExcused = mayExcuse && agent.isExcusable && (yield* judge.isUnchanged(ctx, position))
      return failedAttempt({
        ...(isExcused && { unjudged: "unanswered", isExcused }),
        reason: agentTurn.failure(agent, agent.own),
        log: agent.log,
        tail: agent.tail,
        said: agent.said,
        pause: backoff(attempt)
      })
    }

    if (afterTurn !== undefined) return yield* committed(afterTurn(agent), attempt)
    if (agent.asked !== undefined) return { asked: agent.asked }

    const protectedFiles = yield* protectFiles
      .putBack(ctx, unit, task, position, { patch: `${agent.name}.protected.patch` })
      .pipe(Effect.catchTag("GitFailed", failedBy(attempt, "protected files could not be put back")))
    if ("reason" in protectedFiles) return protectedFiles
    const judged = yield* judge.run(ctx, unit, task, position, { attempt, name: agent.name })
    if (judged.reason !== undefined) {
      const { log, tail } = judged.result
      const reason = `${judged.reason}${protectFiles.clause(protectedFiles)}`
      if (agent.mayAsk && judged.isUnchanged && unchangedWork.isVerdict(judged.result)) {
        if (Option.isSome(unchanged))
          return { asked: { ...agent.turn, question: unchangedWork.question(reason, agent.said) } }
        // The first turn at a task has no verdict before it.
        if (Option.match(previous, { onNone: () => true, onSome: unchangedWork.isAlike(ctx.hide(reason)) }))
          return { unchanged: { reason, tail } }
      }
      return failedAttempt({ reason, log, tail, said: agent.said, pause: Duration.zero })
    }
    const accepted = commitTask.commit(ctx, unit, task, position, {
      gateLog: `${agent.name}.gate.log`,
      protectedFiles: protectedFiles.files,
      ...(yield* Fiber.join(file))
    })
    return yield* committed(accepted, attempt)
  }).pipe(
    // The agent switched branches or broke its worktree, so its attempt fails.
    Effect.catchTags({
      AgentsUnavailable: (error) => {
        const reasons = error.causes.flatMap((cause) => (cause._tag === "PromptTooLong" ? [cause.reason] : []))
        return reasons.length < error.causes.length
          ? error
          : Effect.succeed(failedAttempt({ reason: reasons.join("; "), pause: Duration.zero, isFinal: true }))
      },
      BranchMissing: unusable,
      BranchMoved: attemptFailed,
      ContentFiltered: attemptFailed,
      HeadMoved: unusable,
      MarkersLeft: attemptFailed,
      NestedRepository: attemptFailed,
      OperationInProgress: unusable,
      WorktreeBroken: unusable
    })
  )

/** The message may contain file names chosen by the agent, so it is sanitized. */
const attemptFailed = ({ message }: { readonly message: string }) =>
  Effect.succeed(failedAttempt({ reason: plainText.line(message), pause: Duration.zero }))

/** The worktree is made again for the next attempt, so that there is nothing to mend in it. */
const unusable = ({ problem }: { readonly problem: string }) => attemptFailed({ message: problem })

const uncommitted = "the work could not be committed"

/** Retries with the output of git in the prompt: the cause may be one of the agent's files, or a temporarily full disk. */
const failedBy =
  (attempt: number, what: string) =>
  ({ detail, message }: { readonly message: string; readonly detail?: string }) =>
    Effect.succeed(
      failedAttempt({
        reason: `${what}: ${plainText.line(message)}`,
        tail: detail ?? "",
        pause: backoff(attempt)
      })
    )

const committed = (committing: Committing, attempt: number) =>
  Effect.map(committing, (next) => ({ next })).pipe(
    Effect.catchTags({
      FilesUnreadable: failedBy(attempt, uncommitted),
      GitFailed: failedBy(attempt, uncommitted),
      Locked: failedBy(attempt, uncommitted)
    })
  )
