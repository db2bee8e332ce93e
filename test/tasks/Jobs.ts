/**
 * Task jobs in tests: repositories with tasks, and a manager over a database file, as an application composes it.
 */
import { expect } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Chunk, Effect, Exit, Layer, Scope, Stream } from "effect"
import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import * as Repository from "../support/Repository.js"

export { charlotte } from "./Composition.js"

/** A task file; the `script` agent runs `script`. */
export const task = (
  number: number,
  script: string,
  backpressure: string,
  dependsOn: ReadonlyArray<number> = []
): string =>
  `---\ntask: ${number}\nstatus: pending # kept\nbackpressure: ${JSON.stringify(backpressure)}\ndepends_on: ${JSON.stringify(dependsOn)}\n---\n\n# Task ${number}\n\n\`\`\`sh\n${script}\n\`\`\`\n`

/** The unit file. */
export const unit = (dependsOn: ReadonlyArray<string> = []): string =>
  `---\ndepends_on: ${JSON.stringify(dependsOn)}\n---\n\n# Plan\n`

/** Takes a snapshot of the user's checkout; the result compares the checkout with it. */
export const unchangedFromHere = (world: Repository.Sandbox, top: string) =>
  Effect.map(Repository.snapshot(world, top), (before) =>
    Effect.map(Repository.snapshot(world, top), (now) => expect(now).toEqual(before))
  )

/**
 * A user with uncommitted work on another branch, and tasks committed on `main`, which is not checked out. Nothing visible to the
 * user may change, except the commit of `main`.
 */
export const repository = (world: Repository.Sandbox, files: Record<string, string>, name?: string) =>
  Effect.gen(function* () {
    const top = yield* Repository.busy(world, name)
    yield* world.git(top, "stash", "push", "--quiet", "--include-untracked")
    for (const [file, content] of Object.entries(files)) yield* world.write(`${top}/tasks/${file}`, content)
    yield* world.shell(
      top,
      `git add tasks
       git commit --quiet --allow-empty -m tasks
       git switch --quiet -c mine
       echo dirty again > b.txt
       echo untracked > untracked.txt`
    )
    const config = { repoPath: top, tasksDir: "tasks", targetBranch: "main", agent: "script" }
    return { top, config, untouched: yield* unchangedButMain(world, top) }
  })

const withoutMain = (snapshot: Repository.Snapshot) => ({
  ...snapshot,
  refs: snapshot.refs.filter((ref) => !ref.startsWith("refs/heads/main "))
})

/** The same, with `main` at any commit. */
export const unchangedButMain = (world: Repository.Sandbox, top: string) =>
  Effect.map(Repository.snapshot(world, top), (before) =>
    Effect.map(Repository.snapshot(world, top), (now) => expect(withoutMain(now)).toEqual(withoutMain(before)))
  )

type Config = Parameters<JobManager.JobManager["Type"]["start"]>[0]

/** Starts a job and awaits its end. */
export const run = (config: Config) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* manager.start(config)
    return yield* ended(id)
  })

/** Runs a job to its end and returns all of its records. */
export const ended = (id: Parameters<JobManager.JobManager["Type"]["await"]>[0]) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const store = yield* RunStore.RunStore
    const run = yield* manager.await(id)
    const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(id)))
    return {
      id,
      run,
      events,
      /** Such as `task.completed api 2`. */
      types: events.map(({ task, type, unit }) => [type, unit, task].filter(Boolean).join(" ")),
      work: yield* store.work.of(id)
    }
  })

/** A manager that is closed, with its jobs, by the returned effect. */
export const untilClosed = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(layer, scope)
    return { context, close: Scope.close(scope, Exit.void) }
  })

/** Waits for a file that a task creates. */
export const appears = (file: string) => Effect.repeat(Effect.sleep("5 millis"), { until: () => existsSync(file) })

/** The content of a file at a revision, such as `main:a.txt`. */
export const show = (world: Repository.Sandbox, top: string, revision: string) => world.git(top, "show", revision)

/** Subjects of commits, newest first. */
export const subjects = (world: Repository.Sandbox, top: string, range: string) =>
  Effect.map(world.git(top, "log", "--topo-order", "--format=%s", range), (log) =>
    log.trim() === "" ? [] : log.trim().split("\n")
  )

/** Lock files and other leftovers that a job must not leave in a repository or worktree. */
export const litter = (world: Repository.Sandbox, top: string) =>
  Effect.map(world.git(top, "rev-parse", "--path-format=absolute", "--git-common-dir"), (directory) =>
    directory.trim()
  ).pipe(
    Effect.flatMap((directory) =>
      Effect.promise(async () => {
        const names = await readdir(directory, { recursive: true })
        return names.filter((name) => /(\.lock|MERGE_HEAD|rebase-merge|CHERRY_PICK_HEAD)$/.test(name))
      })
    )
  )
