/**
 * Where a job works: a worktree of its own outside the repository, on the result branch, and a directory for its logs.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Schema } from "effect"
import type { JobConfig } from "../../domain/JobConfig.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import { Git } from "../Git.js"
import { AbsolutePath, resultBranch } from "../git/Names.js"
import type { Repository } from "../git/Repository.js"
import type { Worktree } from "../git/Worktrees.js"
import type { Settings } from "../plan/Settings.js"
import * as Shell from "./Shell.js"
import type { Submission } from "./Submission.js"
import { CommandFailed } from "./TaskFailure.js"

export interface Workplace {
  readonly job: JobContext<JobConfig>
  readonly repository: Repository
  readonly worktree: Worktree
  readonly logs: string
  readonly settings: Settings
}

/** Makes the worktree, or makes it anew for what an earlier attempt has committed; it goes when the scope closes. */
export const open = (job: JobContext<JobConfig>, { base, plan, repository }: Submission, directory: string) =>
  Effect.gen(function* () {
    const git = yield* Git
    const path = yield* Schema.decode(AbsolutePath)(`${directory}/worktrees/${job.id}`)
    const branch = resultBranch(job.id)
    const add = Effect.gen(function* () {
      yield* git.removeWorktree(repository, path)
      const isThere = (yield* git.ownBranches(repository)).some((own) => own.branch === branch)
      return yield* git.addWorktree(repository, { path, branch, ...(isThere ? {} : { from: base }) })
    })
    const worktree = yield* Effect.acquireRelease(add, ({ path }) =>
      Effect.catchAllCause(git.removeWorktree(repository, path), (cause) =>
        Effect.logWarning(`worktree ${path} could not be removed`, cause)
      )
    )
    const place: Workplace = { job, repository, worktree, logs: `${directory}/logs/${job.id}`, settings: plan.settings }
    yield* prepare(place)
    return place
  })

/** Brings what git does not: the untracked files that were named, and what the setup makes. */
const prepare = (place: Workplace) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const { repository, settings, worktree } = place
    for (const file of settings.copy) {
      const to = path.join(worktree.path, file)
      yield* fs.makeDirectory(path.dirname(to), { recursive: true })
      yield* fs.copy(path.join(repository.topLevel, file), to)
    }
    if (settings.setup !== undefined) yield* mustPass(place, "setup", settings.setup)
  })

/** Runs a command that is not a task's, without which the job cannot go on. */
export const mustPass = (place: Workplace, purpose: string, command: string) =>
  Effect.gen(function* () {
    const { job, logs, worktree } = place
    const { log, reason } = yield* Shell.run(job, {
      purpose,
      shell: { command },
      cwd: worktree.path,
      log: `${logs}/${purpose}-${job.attempt}.log`
    })
    if (reason !== undefined) return yield* new CommandFailed({ purpose, command, reason, log })
  })
