/**
 * Jobs of tasks in tests: repositories with tasks in them, and a manager over a file, as an application composes it.
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

/** The plan of a unit. */
export const unit = (dependsOn: ReadonlyArray<string> = []): string =>
  `---\ndepends_on: ${JSON.stringify(dependsOn)}\n---\n\n# Plan\n`

/** Remembers the user's checkout as it is now; what it gives compares it with that. */
export const unchangedFromHere = (world: Repository.Sandbox, top: string) =>
  Effect.map(Repository.snapshot(world, top), (before) =>
    Effect.map(Repository.snapshot(world, top), (now) => expect(now).toEqual(before))
  )

/**
 * A user in the midst of work, on a branch of his own, and tasks that are committed on `main`, which no checkout shows; so
 * nothing that he could see may change, but for the commit at which `main` is.
 */
export const repository = (world: Repository.Sandbox, files: Record<string, string>, name?: string) =>
  Effect.gen(function* () {
    const top = yield* Repository.busy(world, name)
    yield* world.git(top, "stash", "push", "--quiet", "--include-untracked")
    for (const [file, content] of Object.entries(files)) yield* world.write(`${top}/tasks/${file}`, content)
    yield* world.git(top, "add", "tasks")
    yield* world.git(top, "commit", "--quiet", "--allow-empty", "-m", "tasks")
    yield* world.git(top, "switch", "--quiet", "-c", "mine")
    yield* world.write(`${top}/b.txt`, "dirty again\n")
    yield* world.write(`${top}/untracked.txt`, "untracked\n")
    const config = { repoPath: top, tasksDir: "tasks", targetBranch: "main", agent: "script" }
    return { top, config, untouched: yield* unchangedButMain(world, top) }
  })

const withoutMain = (snapshot: Repository.Snapshot) => ({
  ...snapshot,
  refs: snapshot.refs.filter((ref) => !ref.startsWith("refs/heads/main "))
})

/** The same, on whatever commit `main` is. */
export const unchangedButMain = (world: Repository.Sandbox, top: string) =>
  Effect.map(Repository.snapshot(world, top), (before) =>
    Effect.map(Repository.snapshot(world, top), (now) => expect(withoutMain(now)).toEqual(withoutMain(before)))
  )

type Config = Parameters<JobManager.JobManager["Type"]["start"]>[0]

/** Starts a job and waits for its end. */
export const run = (config: Config) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* manager.start(config)
    return yield* ended(id)
  })

/** A job to its end, with all that is recorded of it. */
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

/** A manager that ends, and its jobs with it, when the effect that it gives is run. */
export const untilClosed = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(layer, scope)
    return { context, close: Scope.close(scope, Exit.void) }
  })

/** Waits for a file that a task makes: no event comes from outside. */
export const appears = (file: string) => Effect.repeat(Effect.sleep("5 millis"), { until: () => existsSync(file) })

/** What the file is at a revision, such as `main:a.txt`. */
export const show = (world: Repository.Sandbox, top: string, revision: string) => world.git(top, "show", revision)

/** Subjects of commits, newest first. */
export const subjects = (world: Repository.Sandbox, top: string, range: string) =>
  Effect.map(world.git(top, "log", "--topo-order", "--format=%s", range), (log) =>
    log.trim() === "" ? [] : log.trim().split("\n")
  )

/** What git would trip over, and what a job must not leave in a repository or a worktree. */
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
