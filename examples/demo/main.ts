/**
 * Works through the tasks beside this file in a new git repository, shows what happens, and says where the result is.
 * Ctrl-C leaves the job interrupted; everything stays in the temporary directory that is named at the beginning.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Database, JobManager, RunStore } from "charlotte"
import { Git, ProcessRunner, TaskOrchestrator } from "charlotte/tasks"
import { Console, Duration, Effect, Exit, Layer, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Progress from "./progress.js"

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** A repository with one commit: the project as it is before the work, and the tasks. */
const makeRepository = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    yield* fs.copy(here("project"), path)
    yield* fs.copy(here("tasks"), `${path}/tasks`)
    const git = (...args: ReadonlyArray<string>) =>
      Effect.sync(() => execFileSync("git", ["-C", path, ...args], { stdio: ["ignore", "ignore", "inherit"] }))
    yield* git("init", "--quiet", "--initial-branch=main")
    yield* git("config", "user.name", "Wilbur")
    yield* git("config", "user.email", "wilbur@example.com")
    yield* git("add", "--all")
    yield* git("commit", "--quiet", "--message", "The barn, before anything was woven")
  })

/** The whole of Charlotte, on one SQLite file. */
const charlotte = (directory: string) =>
  JobManager.layer().pipe(
    Layer.provide(TaskOrchestrator.layer({ directory })),
    Layer.provide(Layer.merge(Git.layer, ProcessRunner.layer)),
    Layer.provide(RunStore.layer),
    Layer.provide(Database.layer({ filename: `${directory}/charlotte.db` }))
  )

const work = (directory: string) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* manager.start({
      repoPath: `${directory}/repository`,
      tasksDir: "tasks",
      targetBranch: "main",
      agent: "script",
      labels: { example: "demo" }
    })
    yield* Console.log(`job ${id}`)
    yield* Stream.runForEach(manager.events(id), (event) =>
      Effect.forEach(Progress.lines(event), (line) => Console.log(line))
    )
    return yield* manager.await(id)
  }).pipe(Effect.provide(charlotte(directory)))

const demo = Effect.gen(function* () {
  const fs = yield* FileSystem
  const directory = yield* fs.makeTempDirectory({ prefix: "charlotte-demo-" })
  yield* Console.log(`working in ${directory}`)
  yield* makeRepository(`${directory}/repository`)
  const [elapsed, run] = yield* Effect.timed(work(directory)).pipe(
    Effect.onInterrupt(() => Console.log(`\ninterrupted; what was done is in ${directory}`))
  )
  yield* Console.log(Progress.summary(run, directory, `${Duration.toSeconds(elapsed).toFixed(1)} s`))
  if (run.status !== "completed") return yield* Effect.fail(`the job is ${run.status}`)
})

NodeRuntime.runMain(Effect.provide(demo, NodeContext.layer), {
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : Exit.isInterrupted(exit) ? 130 : 1)
})
