import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { Git, ProcessRunner, TaskOrchestrator } from "charlotte/tasks"
import { Chunk, Effect, Exit, Layer, Scope, Stream } from "effect"
import { existsSync } from "node:fs"
import * as Repository from "../support/Repository.js"

/** A manager of tasks on a file, as an application composes it. */
const charlotte = (world: Repository.Sandbox) =>
  JobManager.layer().pipe(
    Layer.provideMerge(TaskOrchestrator.layer({ directory: `${world.root}/charlotte` })),
    Layer.provide(Layer.merge(Git.layer, ProcessRunner.layer)),
    Layer.provideMerge(RunStore.layer),
    Layer.provide(Database.layer({ filename: `${world.root}/charlotte.db` })),
    Layer.provide(Repository.environmentLayer(world.environment)),
    Layer.provide(NodeContext.layer)
  )

const task = (number: number, script: string, backpressure: string, dependsOn: ReadonlyArray<number> = []) =>
  `---\ntask: ${number}\nstatus: pending # kept\nbackpressure: ${JSON.stringify(backpressure)}\ndepends_on: ${JSON.stringify(dependsOn)}\n---\n\n# Task ${number}\n\n\`\`\`sh\n${script}\n\`\`\`\n`

const unit = (dependsOn: ReadonlyArray<string> = []) => `---\ndepends_on: ${JSON.stringify(dependsOn)}\n---\n\n# Plan\n`

/** Remembers the user's checkout as it is now; what it gives compares it with that. */
const unchangedFromHere = (world: Repository.Sandbox, top: string) =>
  Effect.map(Repository.snapshot(world, top), (before) =>
    Effect.map(Repository.snapshot(world, top), (now) => expect(now).toEqual(before))
  )

/** A user in the midst of work, and tasks that are committed. */
const repository = (world: Repository.Sandbox, files: Record<string, string>) =>
  Effect.gen(function* () {
    const top = yield* Repository.busy(world)
    yield* world.git(top, "stash", "push", "--quiet", "--include-untracked")
    for (const [name, content] of Object.entries(files)) yield* world.write(`${top}/tasks/${name}`, content)
    yield* world.git(top, "add", "tasks")
    yield* world.git(top, "commit", "--quiet", "-m", "tasks")
    yield* world.write(`${top}/b.txt`, "dirty again\n")
    yield* world.write(`${top}/untracked.txt`, "untracked\n")
    const config = { repoPath: top, tasksDir: "tasks", targetBranch: "main", agent: "script" }
    return { top, config, untouched: yield* unchangedFromHere(world, top) }
  })

const run = (config: Parameters<JobManager.JobManager["Type"]["start"]>[0]) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* manager.start(config)
    const run = yield* manager.await(id)
    const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(id)))
    return {
      id,
      run,
      events,
      types: events.map(({ task, type, unit }) => [type, unit, task].filter(Boolean).join(" "))
    }
  })

describe("the orchestrator of tasks", () => {
  it.scopedLive("does the tasks of each unit in dependency order, and commits each that passes its gate", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "web/IMPLEMENTATION_PLAN.md": unit(["api"]),
        "web/01-page.md": task(1, "cat api.txt > page.txt", "grep -q two page.txt"),
        "api/IMPLEMENTATION_PLAN.md": unit(),
        "api/01-last.md": task(1, "echo two >> api.txt", "grep -q two api.txt", [2]),
        "api/02-first.md": task(2, "echo one > api.txt", "grep -qx one api.txt")
      })
      const { events, id, run: record, types } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record).toMatchObject({ status: "completed", result: { units: 2, tasks: 3, skipped: 0 } })
      expect(types.filter((type) => /^(unit|task\.(started|completed))/.test(type))).toEqual([
        "unit.started api",
        "task.started api 2",
        "task.completed api 2",
        "task.started api 1",
        "task.completed api 1",
        "unit.completed api",
        "unit.started web",
        "task.started web 1",
        "task.completed web 1",
        "unit.completed web"
      ])
      expect(types.slice(0, 2)).toEqual(["job.started", "orch.started"])
      expect(types.slice(-2)).toEqual(["orch.completed", "job.completed"])
      expect(events[1]?.payload).toMatchObject({
        target: "main",
        units: [{ id: "api" }, { id: "web", dependsOn: ["api"] }]
      })

      const branch = `charlotte/${id}/result`
      const log = yield* world.git(
        top,
        "log",
        "--format=%s %(trailers:key=Charlotte-Task,valueonly)",
        `main..${branch}`
      )
      expect(log.trim().split(/\n+/)).toEqual(["Task 1 1", "Task 1 1", "Task 2 2"])
      expect(yield* world.git(top, "show", `${branch}:page.txt`)).toBe("one\ntwo\n")
      expect(yield* world.git(top, "show", `${branch}:tasks/api/01-last.md`)).toContain("status: complete # kept\n")

      // Nothing of the user's has moved, and the worktree is gone.
      yield* untouched
      expect(existsSync(`${world.root}/charlotte/worktrees/${id}`)).toBe(false)
    })
  )

  it.scopedLive("tries a task again, and completes it when its gate passes", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, untouched } = yield* repository(world, {
        "01-twice.md": task(1, "echo x >> tries", "test $(wc -l < tries) -eq 2")
      })
      const { run: record, types } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record.status).toBe("completed")
      expect(types.filter((type) => /gate|retry/.test(type))).toEqual([
        "task.gate.failed tasks 1",
        "task.retry tasks 1",
        "task.gate.passed tasks 1"
      ])
      yield* untouched
    })
  )

  it.scopedLive("fails when a task does; its dependants are blocked, the other units are done", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "charlotte.yaml": "attempts: 2\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-no.md": task(1, "true", "echo never; false"),
        "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
        "b/01-waits.md": task(1, "echo b > waits.txt", "test -f waits.txt"),
        "c/IMPLEMENTATION_PLAN.md": unit(),
        "c/01-free.md": task(1, "echo c > free.txt", "test -f free.txt")
      })
      const { id, run: record, types } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record).toMatchObject({
        status: "failed",
        error: {
          kind: "failure",
          error: {
            _tag: "TasksFailed",
            failures: [{ unit: "a", task: 1, attempts: 2, reason: "the gate exited with code 1" }],
            blocked: ["b"]
          }
        }
      })
      expect(types).toContain("unit.blocked b")
      expect(types).toContain("unit.completed c")
      expect(yield* world.git(top, "show", `charlotte/${id}/result:free.txt`)).toBe("c\n")
      yield* untouched
    })
  )

  it.scopedLive("says everything that is wrong with a submission at once, and starts nothing", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, untouched } = yield* repository(world, {
        "01-a.md": task(1, "true", "true", [7]),
        "02-b.md": "# no frontmatter\n"
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const error = yield* Effect.flip(manager.start({ ...config, targetBranch: "nowhere" }))
        expect(error.message).toContain("targetBranch: ")
        expect(error.message).toContain("tasksDir: tasks/01-a.md:5: depends on task 7")
        expect(error.message).toContain("tasksDir: tasks/02-b.md")
        const store = yield* RunStore.RunStore
        expect(yield* store.list()).toEqual([])
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive(
    "refuses tasks that are not committed on the target as they stand, and an agent that is not there",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, { "01-a.md": task(1, "true", "true") })
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const noAgent = yield* Effect.flip(manager.start({ ...config, agent: "nobody" }))
          expect(noAgent.message).toContain('agent: there is no agent "nobody"; there is: script')
          yield* world.write(`${top}/tasks/01-a.md`, task(1, "true", "false"))
          const untouched = yield* unchangedFromHere(world, top)
          const stray = yield* Effect.flip(manager.start(config))
          expect(stray.message).toContain("git add -- 'tasks/01-a.md' && git commit")
          yield* untouched
        }).pipe(Effect.provide(charlotte(world)))
      })
  )

  it.scopedLive("lets one job at a time work for a branch, by whatever path the repository is reached", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": task(1, "sleep 60", "true") })
      yield* world.git(top, "branch", "elsewhere")
      const untouched = yield* unchangedFromHere(world, top)
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        const error = yield* Effect.flip(manager.start({ ...config, repoPath: `${top}/dir/../` }))
        expect(error).toMatchObject({ _tag: "JobConflict", jobId: id })
        yield* manager.start({ ...config, targetBranch: "elsewhere" })
        yield* manager.stopAll
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("is stopped for real: no process, no worktree, and the user's work as it was", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const pidFile = `${world.root}/pid`
      const { config, untouched } = yield* repository(world, {
        "01-long.md": task(1, `echo $$ > '${pidFile}'\nexec sleep 60`, "true")
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => existsSync(pidFile) })
        expect(yield* manager.stop(id)).toMatchObject({ status: "cancelled", mode: "graceful" })
        expect(existsSync(`${world.root}/charlotte/worktrees/${id}`)).toBe(false)
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("goes on after an interruption without doing a task twice", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const gate = `${world.root}/open`
      const { config, top, untouched } = yield* repository(world, {
        "01-first.md": task(1, "echo once >> first.txt", "test $(wc -l < first.txt) -eq 1"),
        "02-second.md": task(
          2,
          `while ! test -f '${gate}'; do sleep 0.05; done; echo 2 > second.txt`,
          "test -f second.txt",
          [1]
        )
      })
      const scope = yield* Scope.make()
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Stream.runDrain(
          Stream.takeUntil(manager.events(id), ({ task, type }) => type === "task.started" && task === 2)
        )
        return id
      }).pipe(Effect.provide(yield* Layer.buildWithScope(charlotte(world), scope)))
      yield* Scope.close(scope, Exit.void)
      yield* world.write(gate, "")

      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2 })
        const branch = `charlotte/${id}/result`
        const log = yield* world.git(top, "log", "--format=%s", `main..${branch}`)
        expect(log.trim().split("\n")).toEqual(["Task 2", "Task 1"])
        expect(yield* world.git(top, "show", `${branch}:first.txt`)).toBe("once\n")
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("touches nothing in a dry run", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, untouched } = yield* repository(world, { "01-a.md": task(1, "true", "true") })
      const { run: record } = yield* run({ ...config, dryRun: true }).pipe(Effect.provide(charlotte(world)))
      expect(record).toMatchObject({ status: "completed", result: { tasks: 1 } })
      yield* untouched
      expect(existsSync(`${world.root}/charlotte`)).toBe(false)
    })
  )

  it.scopedLive("brings the untracked files that were named, and runs the setup", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "setup: cp secret.log seen.log\ncopy: [secret.log]\nbaseline: ['test -f a.txt']\n",
        "01-a.md": task(1, "cp seen.log found.txt", "grep -q hush found.txt")
      })
      yield* world.write(`${top}/secret.log`, "hush\n")
      const untouched = yield* unchangedFromHere(world, top)
      const { run: record } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record.status).toBe("completed")
      yield* untouched
    })
  )
})
