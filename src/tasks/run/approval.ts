/**
 * Landing what a person has approved. The job parks with the commit that would land, and lands once that commit is approved. A rejected unit
 * continues with one more task, from the result as it is.
 */
import { Effect, Option, Schema } from "effect"
import { now } from "../../internal/now.js"
import * as plainText from "../../internal/plainText.js"
import { type Approval, approvalSignal } from "../../domain/Run.js"
import { Git } from "../../git/Git.js"
import { ObjectId } from "../../git/RefNames.js"
import { diffCommand } from "../../git/shellQuote.js"
import type { Decision } from "../Decisions.js"
import { ResultRejected } from "./errors.js"
import * as landResult from "./landResult.js"
import * as recoveryCommands from "./recoveryCommands.js"
import * as ResultBranch from "./ResultBranch.js"
import type { RunContext } from "./RunContext.js"
import * as unitCommits from "./unitCommits.js"

/** Lets a unit that is over continue with the task that the last decision has added; all work up to then is in the rejected result. */
export const reopen = (ctx: RunContext, decisions: ReadonlyArray<Decision>) =>
  Effect.gen(function* () {
    const { progress, snapshot } = ctx
    for (const { id } of snapshot.plan.units) {
      const { endedAt, state } = progress.unit(id)
      const isOver = state === "merged" || state === "skipped"
      const tasks = unitCommits.plannedOf(ctx, id)
      const base = decisions.findLast(({ unit }) => unit === id)?.commit
      if (!isOver || base === undefined || tasks.every(({ state }) => state !== "pending")) continue
      const last = tasks.findLast(({ state }) => state === "completed")
      if (last !== undefined) yield* progress.changeTask(id, last.task, { commit: base })
      const change = { state: "running", base, commit: undefined, reason: undefined } as const
      yield* progress.changeUnit(id, { ...change, endedAt: endedAt ?? (yield* now) })
    }
  })

/** What a unit did after a rejection comes after all other units, which its commit contains. */
export const fold = ({ progress, snapshot }: RunContext, decisions: ReadonlyArray<Decision>) =>
  Effect.gen(function* () {
    const rejected = decisions.findLast(({ unit }) => unit !== undefined)?.unit
    const [unit, ...later] = snapshot.plan.units.slice(snapshot.plan.units.findIndex(({ id }) => id === rejected))
    if (rejected === undefined || unit?.id !== rejected) return
    const { commit, state } = progress.unit(rejected)
    if (state !== "merged") return
    for (const { id } of later) {
      const record = progress.unit(id)
      if (record.state === "merged" && record.commit !== commit) yield* progress.changeUnit(id, { commit })
    }
  })

interface Options {
  readonly decisions: ReadonlyArray<Decision>
  /** Whether all gates and the baseline have passed on the result. */
  readonly isVerified: boolean
  /** The approval for which the job parked last. */
  readonly requested: Approval | undefined
}

/** Lands the result once it is approved, and returns the commit of the target; parks the job until there is a decision. */
export const land = (ctx: RunContext, result: ObjectId, { decisions, isVerified, requested }: Options) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { job, repository, snapshot } = ctx
    const { target } = snapshot
    let { base, commit } = yield* current(ctx, result, requested)
    let verified = isVerified || commit === requested?.commit
    let why = ""
    for (;;) {
      yield* ResultBranch.trySet(ctx, commit)
      const tip = yield* landResult.currentTip(ctx, base)
      if (yield* git.isAncestor(repository, commit, tip)) return yield* landResult.land(ctx, commit, true)
      const decision = decisions.find((decision) => decision.commit === commit)
      if (decision?.because !== undefined) return yield* rejected(ctx, { base, because: decision.because })
      const overlap = yield* git.overlap(repository, { ours: tip, theirs: commit })
      if (overlap.length > 0) {
        // What lands would not be what was looked at.
        commit = yield* landResult.mergeInto(ctx, { result: commit, tip })
        base = tip
        yield* landResult.verify(ctx, commit, tip)
        verified = true
        why = `${target} has changed ${files(overlap)}, too, and is merged into the result; `
      } else if (decision === undefined) {
        if (!verified) yield* landResult.verify(ctx, commit, snapshot.base)
        const { id } = job
        const reason =
          `${why}all tasks are done, and commit ${commit.slice(0, 10)} lands on ${target} once a person approves it: ` +
          `charlotte diff ${id}, then charlotte approve ${id} or charlotte reject ${id} --because TEXT`
        return yield* job.park({ reason, signal: approvalSignal, approval: { commit, base } })
      } else {
        const approved = commit
        const mayLand = (tip: ObjectId) =>
          Effect.map(git.overlap(repository, { ours: tip, theirs: approved }), ({ length }) => length === 0)
        const landed = yield* landResult.land(ctx, approved, true, mayLand).pipe(
          Effect.map(Option.some),
          Effect.catchTag("TargetChanged", () => Effect.succeedNone)
        )
        if (Option.isSome(landed)) return landed.value
      }
    }
  }).pipe(landResult.orBlocked(ctx))

const decodeCommit = Schema.decodeUnknownOption(ObjectId)

/** The result, or its merge with newer commits of the target, for which the job has parked; and the commit with which to compare it. */
const current = ({ repository, snapshot }: RunContext, result: ObjectId, requested: Approval | undefined) =>
  Effect.gen(function* () {
    const git = yield* Git
    const base = Option.getOrElse(decodeCommit(requested?.base), () => snapshot.targetAt)
    const commit = decodeCommit(requested?.commit)
    const isLater =
      Option.isSome(commit) &&
      (yield* git.contains(repository, commit.value)) &&
      (yield* git.isAncestor(repository, result, commit.value))
    return { base, commit: isLater ? commit.value : result }
  })

const rejected = (
  { repository, result, snapshot: { target } }: RunContext,
  { base, because }: { readonly base: ObjectId; readonly because: string }
) =>
  Effect.flatMap(
    recoveryCommands.merge(repository, { result, target }),
    (command) =>
      new ResultRejected({
        branch: result,
        diff: diffCommand(repository.topLevel, base, result),
        target,
        reason: plainText.line(because),
        command
      })
  )

const files = (paths: ReadonlyArray<string>): string => {
  const [first = "", ...others] = paths.map(plainText.line)
  return others.length === 0 ? first : `${first} and ${others.length} more of its files`
}
