/**
 * Runs the baseline once before the first turn of an agent: where it fails by itself, no work could ever land.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Clock, Effect } from "effect"
import { createHash } from "node:crypto"
import { dirname } from "node:path"
import { OwnBranch } from "../../git/RefNames.js"
import * as JobDirectories from "../JobDirectories.js"
import * as Settings from "../plan/Settings.js"
import { CommandFailed } from "./errors.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as UnitWorktree from "./UnitWorktree.js"
import * as verifyMerge from "./verifyMerge.js"

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** Whether agents have work to do, and have done none of it yet. Scripts cost nothing. */
const isDue = ({ progress, snapshot }: RunContext): boolean => {
  const { plan } = snapshot
  const isBegun = plan.units.some(({ id }) => progress.tasksOf(id).some(({ startedAt }) => startedAt !== undefined))
  const agents = plan.remainingTasks.flatMap((task) => snapshot.agentsOf(task))
  return !isBegun && agents.some(({ agent }) => agent !== "script")
}

export const run = (ctx: RunContext, directory: string) =>
  Effect.gen(function* () {
    const { gates, job, snapshot } = ctx
    const { base, plan, target, topLevel } = snapshot
    const { before, run } = Settings.baselineOf(plan.settings)
    if (!before || run.length === 0 || !isDue(ctx)) return
    const fs = yield* FileSystem
    const file = JobDirectories.baseline(directory, sha256(topLevel))
    const { copy, setup } = plan.settings
    const passing = sha256(JSON.stringify([base, copy, setup, run, gates]))
    if ((yield* Effect.orElseSucceed(fs.readFileString(file), () => "")) === passing) return

    const began = yield* Clock.currentTimeMillis
    const branch = OwnBranch.make(`charlotte/${job.id}/baseline`)
    const worktree = yield* UnitWorktree.make(ctx, { branch, at: base })
    yield* verifyMerge
      .baseline(ctx, worktree, { purpose: `baseline on ${target}, before any work,`, log: "baseline-before" })
      .pipe(Effect.mapError((error) => (error instanceof CommandFailed ? withAdvice(error) : error)))
    yield* UnitWorktree.close(ctx, worktree)
    yield* ctx.emit("orch.baseline", { commit: base, took: Math.max(0, (yield* Clock.currentTimeMillis) - began) })
    yield* fs.makeDirectory(dirname(file), { recursive: true }).pipe(
      Effect.zipRight(fs.writeFileString(file, passing)),
      Effect.catchAll(({ message }) => Effect.logWarning(`the baseline runs again for the next job: ${message}`))
    )
  }).pipe(limits.within(ctx))

const withAdvice = ({ command, log, purpose, reason }: CommandFailed): CommandFailed =>
  new CommandFailed({
    purpose,
    command,
    reason: `${reason}. No work could land: mend it first, or set baseline: { run: [...], before: false }`,
    log
  })
