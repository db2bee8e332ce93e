/**
 * Lands the result: advances the target branch to it, atomically, and never over the user's commits or uncommitted changes.
 */
import { Effect, Equal, Option, Schema } from "effect"
import type { GitError } from "../../git/GitError.js"
import * as plainText from "../../internal/plainText.js"
import { Git } from "../../git/Git.js"
import { MergeResult } from "../../git/Merge.js"
import { type ObjectId, OwnBranch, RepoPath } from "../../git/RefNames.js"
import { command, diffCommand } from "../../git/shellQuote.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as Note from "./Note.js"
import * as recoveryCommands from "./recoveryCommands.js"
import { LandingBlocked, type ResultRejected, TargetChanged } from "./errors.js"
import type { WriteError } from "./WriteError.js"
import * as verifyMerge from "./verifyMerge.js"
import * as UnitWorktree from "./UnitWorktree.js"

/** If the target keeps moving faster than the gates run, merging is left to the user. */
const maxAttempts = 5

/**
 * Returns the commit of the target after landing.
 *
 * @param isVerified whether all gates and the baseline have passed on the result; it is verified before it lands otherwise
 * @param mayLand whether the result may land on a commit of the target; if not, it fails with `TargetChanged`
 */
export const land = (
  ctx: RunContext,
  result: ObjectId,
  isVerified: boolean,
  mayLand: (tip: ObjectId) => Effect.Effect<boolean, GitError> = () => Effect.succeed(true)
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { emit, repository, snapshot } = ctx
    const { target } = snapshot
    let verified = isVerified ? Option.some(result) : Option.none()
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      yield* emit("orch.landing", { target, attempt })
      const tip = yield* currentTip(ctx)
      if (yield* git.isAncestor(repository, result, tip)) return yield* landed(ctx, tip)
      if (!(yield* mayLand(tip))) return yield* new TargetChanged({ target })
      const commit = yield* mergeInto(ctx, { result, tip })
      if (!Option.contains(verified, commit)) yield* verify(ctx, commit, tip)
      verified = Option.some(commit)
      const isAdvanced = yield* advance(ctx, { from: tip, to: commit })
      if (isAdvanced) return yield* landed(ctx, commit)
    }
    return yield* blocked(ctx, { reason: `it was moved ${maxAttempts} times while the result was being verified` })
  }).pipe(orBlocked(ctx))

/** Whatever else is in the way of landing, the user can continue. */
export const orBlocked =
  (ctx: RunContext) =>
  <A, E extends { readonly _tag: string; readonly message: string }, R>(landing: Effect.Effect<A, E, R>) =>
    Effect.catchAll(landing, (error): Effect.Effect<never, LandingBlocked | Extract<E, Known>> =>
      isKnown(error) ? Effect.fail(error) : blocked(ctx, { reason: error.message })
    )

type Known = LandingBlocked | ResultRejected | TargetChanged | WriteError

const known: ReadonlyArray<string> = [
  "LandingBlocked",
  "ResultRejected",
  "StoreError",
  "Superseded",
  "TargetChanged"
] satisfies ReadonlyArray<Known["_tag"]>

const isKnown = <E extends { readonly _tag: string }>(error: E): error is Extract<E, Known> =>
  known.includes(error._tag)

/** The units with work in the result, and those that are in no result. */
export const partition = (ctx: RunContext) => ({
  units: [...new Set(verifyMerge.doneTasks(ctx).map(({ unit }) => unit))],
  left: ctx.snapshot.plan.units.filter(({ id }) => ["failed", "blocked"].includes(ctx.progress.unit(id).state))
})

const landed = (ctx: RunContext, commit: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { emit, repository, result, snapshot } = ctx
    const { left, units } = partition(ctx)
    yield* git
      .restore(repository, result, commit)
      .pipe(
        Effect.catchAll(({ message }) =>
          Effect.logWarning(`the result was landed, but its branch could not be moved: ${message}`)
        )
      )
    const part = left.length === 0 ? {} : { units, left: left.map(({ id }) => id) }
    yield* emit("orch.landed", { target: snapshot.target, commit, ...part })
    return commit
  })

/** The current commit of the target; fails if the target was deleted, or no longer contains the commit `base`. */
export const currentTip = (ctx: RunContext, base = ctx.snapshot.targetAt) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository, result, snapshot } = ctx
    const { target } = snapshot
    const tip = yield* Effect.catchTag(git.resolve(repository, target), "BranchMissing", () =>
      blocked(ctx, {
        reason: "it was deleted",
        command: command("git", "-C", repository.topLevel, "branch", target, result)
      })
    )
    if (yield* git.isAncestor(repository, base, tip)) return tip
    return yield* blocked(ctx, {
      reason: "it was rewritten meanwhile, and merging the result would restore the removed commits",
      command: yield* recoveryCommands.rebase(repository, { base, result, target })
    })
  })

/** The files of completed tasks that were changed on the target since submission, other than the result has changed them. */
const editedTaskFiles = (ctx: RunContext, { result, tip }: { readonly result: ObjectId; readonly tip: ObjectId }) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository, snapshot } = ctx
    const { target, targetAt } = snapshot
    if (tip === targetAt) return []
    const files: Array<RepoPath> = []
    for (const { task, unit } of verifyMerge.doneTasks(ctx)) {
      const file = yield* Schema.decode(RepoPath)(task.file)
      const original = yield* git.readFile(repository, targetAt, file)
      const current = yield* git.readFile(repository, tip, file)
      const landed = yield* git.readFile(repository, result, file)
      const isCurrent = (other: typeof current) => Equal.equals(Option.map(other, text), Option.map(current, text))
      if (isCurrent(original) || isCurrent(landed)) continue
      files.push(file)
      const note = `${file} was changed on ${target} while the job ran: that version is kept, and is not marked as complete`
      yield* Note.add(ctx, { unit, task: task.number }, note)
    }
    return files
  })

const text = (content: Uint8Array): string => Buffer.from(content).toString("latin1")

/** The result on top of a commit of the target. */
export const mergeInto = (ctx: RunContext, { result, tip }: { readonly result: ObjectId; readonly tip: ObjectId }) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { job, repository, snapshot } = ctx
    const subject = { title: `Merge job ${job.id} into ${snapshot.target}`, jobId: job.id }
    const outcome = yield* git.merge(repository, {
      ours: tip,
      theirs: result,
      subject,
      prevails: yield* editedTaskFiles(ctx, { result, tip })
    })
    return yield* MergeResult.$match(outcome, {
      UpToDate: ({ commit }) => Effect.succeed(commit),
      FastForward: ({ commit }) => Effect.succeed(commit),
      Merged: ({ commit }) => Effect.succeed(commit),
      Conflict: ({ files }) =>
        Effect.flatMap(recoveryCommands.merge(repository, { result: ctx.result, target: snapshot.target }), (command) =>
          blocked(ctx, { reason: `it conflicts with the result in ${files.join(", ")}`, command })
        )
    })
  })

/** Runs all gates and the baseline on the commit to land, before any branch points to it. */
export const verify = (ctx: RunContext, commit: ObjectId, tip: ObjectId) =>
  Effect.gen(function* () {
    const branch = OwnBranch.make(`charlotte/${ctx.job.id}/landing`)
    const worktree = yield* UnitWorktree.make(ctx, { branch, at: commit })
    yield* verifyMerge.gates(ctx, worktree, verifyMerge.doneTasks(ctx))
    yield* verifyMerge.baseline(ctx, worktree)
    yield* UnitWorktree.close(ctx, worktree)
  }).pipe(
    limits.within(ctx),
    Effect.catchTag("CommandFailed", ({ log, message }) =>
      blocked(ctx, {
        reason: tip === ctx.snapshot.targetAt ? message : `together with the commits made on it meanwhile, ${message}`,
        log
      })
    )
  )

/** Returns whether the target was advanced; if not, the target was moved or deleted meanwhile. */
const advance = (ctx: RunContext, move: { readonly from: ObjectId; readonly to: ObjectId }) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository, snapshot } = ctx
    yield* git.advance(repository, snapshot.target, move)
    return true
  }).pipe(
    Effect.catchTags({
      BranchMoved: () => Effect.succeed(false),
      BranchMissing: () => Effect.succeed(false)
    })
  )

/** The default command retries the job. */
export const blocked = (
  { job, repository, result, snapshot }: RunContext,
  details: { readonly reason: string; readonly command?: string; readonly log?: string | undefined }
) =>
  new LandingBlocked({
    command: command("charlotte", "retry", job.id),
    ...details,
    reason: plainText.line(details.reason),
    target: snapshot.target,
    branch: result,
    diff: diffCommand(repository.topLevel, snapshot.targetAt, result)
  })
