/**
 * The target branch is advanced to the result: as a whole or not at all, and never over anything of the user's.
 */
import { Effect, Equal, Option, Schema } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as plainText from "../../internal/plainText.js"
import { Git } from "../../git/Git.js"
import { MergeResult } from "../../git/Merge.js"
import { type ObjectId, OwnBranch, RepoPath } from "../../git/RefNames.js"
import { command, diffCommand } from "../../git/shellQuote.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as Note from "./Note.js"
import * as recoveryCommands from "./recoveryCommands.js"
import { LandingBlocked } from "./errors.js"
import * as verifyMerge from "./verifyMerge.js"
import * as UnitWorktree from "./UnitWorktree.js"

/** Somebody may commit faster than gates can be run; then it is for that somebody to merge. */
const tries = 5

/** Gives the commit at which the target stands then. */
export const land = (job: RunContext, result: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository, submission, tell } = job
    const { base, target, targetAt } = submission
    // What an earlier job has done and what came to the target since were never looked at together.
    let verified = base === targetAt ? Option.some(result) : Option.none()
    for (let attempt = 1; attempt <= tries; attempt++) {
      yield* tell("orch.landing", { target, attempt })
      const tip = yield* currentTip(job)
      if (yield* git.isAncestor(repository, result, tip)) return yield* landed(job, tip)
      const commit = yield* join(job, { result, tip })
      if (!Option.contains(verified, commit)) yield* verify(job, commit)
      verified = Option.some(commit)
      const isAdvanced = yield* advance(job, { from: tip, to: commit })
      if (isAdvanced) return yield* landed(job, commit)
    }
    return yield* blocked(job, { reason: `it was moved ${tries} times while the result was being looked at` })
  }).pipe(
    Effect.catchAll((error): Effect.Effect<never, LandingBlocked | StoreError> =>
      error._tag === "LandingBlocked" || error._tag === "StoreError" ? error : blocked(job, { reason: error.message })
    )
  )

const landed = ({ repository, result, submission: { target }, tell }: RunContext, commit: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    yield* git
      .restore(repository, result, commit)
      .pipe(
        Effect.catchAll(({ message }) => Effect.logWarning(`the result is landed, and its branch is not: ${message}`))
      )
    yield* tell("orch.landed", { target, commit })
    return commit
  })

/** Where the target is now, if it still is the branch that it was. */
const currentTip = (job: RunContext) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository, result, submission } = job
    const { target, targetAt } = submission
    const tip = yield* Effect.catchTag(git.resolve(repository, target), "BranchMissing", () =>
      blocked(job, {
        reason: "it was deleted",
        command: command("git", "-C", repository.topLevel, "branch", target, result)
      })
    )
    if (yield* git.isAncestor(repository, targetAt, tip)) return tip
    return yield* blocked(job, {
      reason: "it was rewritten meanwhile, and to merge the result would bring back what was taken out",
      command: yield* recoveryCommands.rebase(repository, { begun: targetAt, result, target })
    })
  })

/** The tasks that are done, and whose files on the target are no longer those that they were done by. */
const edited = (job: RunContext, tip: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository, submission } = job
    const { target, targetAt } = submission
    if (tip === targetAt) return []
    const files: Array<RepoPath> = []
    for (const { task, unit } of verifyMerge.doneTasks(job)) {
      const file = yield* Schema.decode(RepoPath)(task.file)
      const before = yield* git.readFile(repository, targetAt, file)
      const now = yield* git.readFile(repository, tip, file)
      if (Equal.equals(Option.map(before, text), Option.map(now, text))) continue
      files.push(file)
      const note = `${file} was changed on ${target} while the job ran: it stays as it is there, and is not marked as complete`
      yield* Note.add(job, { unit, task: task.number }, note)
    }
    return files
  })

const text = (content: Uint8Array): string => Buffer.from(content).toString("latin1")

const join = (job: RunContext, { result, tip }: { readonly result: ObjectId; readonly tip: ObjectId }) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { context, repository, submission } = job
    const subject = { title: `Merge job ${context.id} into ${submission.target}`, jobId: context.id }
    const outcome = yield* git.merge(repository, {
      ours: tip,
      theirs: result,
      subject,
      prevails: yield* edited(job, tip)
    })
    return yield* MergeResult.$match(outcome, {
      UpToDate: ({ commit }) => Effect.succeed(commit),
      FastForward: ({ commit }) => Effect.succeed(commit),
      Merged: ({ commit }) => Effect.succeed(commit),
      Conflict: ({ files }) =>
        Effect.flatMap(
          recoveryCommands.merge(repository, { result: job.result, target: submission.target }),
          (command) => blocked(job, { reason: `both have changed ${files.join(", ")}`, command })
        )
    })
  })

/** Runs all gates and the baseline on what would be landed, before anything leads to it. */
const verify = (job: RunContext, commit: ObjectId) =>
  Effect.gen(function* () {
    const branch = OwnBranch.make(`charlotte/${job.context.id}/landing`)
    const place = yield* UnitWorktree.open(job, { branch, at: commit })
    yield* verifyMerge.gates(job, place, verifyMerge.doneTasks(job))
    yield* verifyMerge.baseline(job, place)
    yield* UnitWorktree.close(job, place)
  }).pipe(
    limits.within(job),
    Effect.catchTag("CommandFailed", ({ log, message }) =>
      blocked(job, { reason: `together with what came to it meanwhile, ${message}`, log })
    )
  )

/** Tells whether it was advanced; if not, somebody else has moved it. */
const advance = (job: RunContext, move: { readonly from: ObjectId; readonly to: ObjectId }) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository, submission } = job
    yield* git.advance(repository, submission.target, move)
    return true
  }).pipe(
    Effect.catchTags({
      BranchMoved: () => Effect.succeed(false),
      BranchMissing: () => Effect.succeed(false)
    })
  )

/** Unless there is something else to do, it is tried again. */
const blocked = (
  { context, repository, result, submission }: RunContext,
  why: { readonly reason: string; readonly command?: string; readonly log?: string | undefined }
) =>
  new LandingBlocked({
    command: command("charlotte", "retry", context.id),
    ...why,
    reason: plainText.line(why.reason),
    target: submission.target,
    branch: result,
    diff: diffCommand(repository.topLevel, submission.targetAt, result)
  })
