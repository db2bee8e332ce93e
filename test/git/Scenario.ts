/** A test of git over a repository whose user is in the midst of work; whatever it does, that work stays as it is. */
import { it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Effect, Logger, LogLevel, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import * as Git from "../../src/git/Git.js"
import { AbsolutePath, BranchName, type ObjectId, UnitName, unitBranch } from "../../src/git/RefNames.js"
import type { Repository } from "../../src/git/Repository.js"
import { busy, environmentLayer, type Sandbox, sandbox, untouched } from "../support/Repository.js"

export interface World extends Sandbox {
  readonly service: Git.Service
  /** The top level of the user's checkout, in which `main` is checked out. */
  readonly top: string
  readonly repository: Repository
  /** The commit of `main`. */
  readonly main: ObjectId
}

export const jobId = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")
export const mainBranch = BranchName.make("main")
export const branch = (name: string) => unitBranch(jobId, UnitName.make(name))
export const subject = (title: string, task?: number) => ({
  title,
  jobId,
  unit: UnitName.make("u"),
  ...(task === undefined ? {} : { task })
})

/** The service in the environment of a sandbox, or in a changed one. */
export const serviceOf = (world: Sandbox, changes: Partial<Sandbox["environment"]> = {}) =>
  Git.make.pipe(Effect.provide(environmentLayer({ ...world.environment, ...changes })))

/** Opens the repository in which a user works. */
export const enter = (world: Sandbox, top: string, changes: Partial<Sandbox["environment"]> = {}) =>
  Effect.gen(function* () {
    const service = yield* serviceOf(world, changes)
    const repository = yield* service.open(top)
    const main = yield* service.resolve(repository, mainBranch)
    const result: World = { ...world, service, top, repository, main }
    return result
  })

/** A test over such a repository, which is the same before and after. */
export const scenario = <A, E>(
  name: string,
  test: (world: World) => Effect.Effect<A, E, Scope.Scope>,
  timeout = 60_000
) =>
  it.scopedLive(
    name,
    () =>
      Effect.gen(function* () {
        const world = yield* sandbox
        const top = yield* busy(world)
        yield* untouched(world, top, Effect.flatMap(enter(world, top), test))
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
    timeout
  )

export const pathIn = (world: Sandbox, name: string) => AbsolutePath.make(`${world.root}/worktrees/${name}`)

/** A worktree of a unit, beside the repository. */
export const worktree = (world: World, name: string, from = world.main) =>
  world.service.addWorktree(world.repository, { path: pathIn(world, name), branch: branch(name), from })

/** A commit of one file in a worktree of its own. */
export const work = (world: World, name: string, files: Readonly<Record<string, string>>, from = world.main) =>
  Effect.gen(function* () {
    const tree = yield* worktree(world, name, from)
    for (const [file, content] of Object.entries(files)) yield* world.write(`${tree.path}/${file}`, content)
    return (yield* world.service.commit(world.repository, tree, subject(`work of ${name}`))).commit
  })

/** Closes a directory and all below it, as a process does that protects a cache. */
export const close = (directory: string): void => {
  execFileSync("find", [directory, "-depth", "-type", "d", "-exec", "chmod", "a-rwx", "{}", "+"])
}
