import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Effect, Stream } from "effect"
import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import * as Repository from "../support/Repository.js"
import {
  appears,
  charlotte,
  repository,
  run,
  show,
  subjects,
  task,
  unchangedButMain,
  unchangedFromHere,
  unit,
  untilClosed
} from "./Jobs.js"

describe("TaskOrchestrator", () => {
  it.scopedLive("runs the tasks of each unit in dependency order, and commits each one that passes its gate", () =>
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
      expect(record).toMatchObject({ status: "completed", result: { target: "main", commits: 3 } })
      // The second unit begins at the tip of the first, whether that is merged by then or not.
      const ofUnit = (name: string) =>
        types.filter((type) => new RegExp(`^(unit\\.(?!waiting)|task\\.(started|completed)).* ${name}\\b`).test(type))
      expect(ofUnit("api")).toEqual([
        "unit.started api",
        "task.started api 2",
        "task.completed api 2",
        "task.started api 1",
        "task.completed api 1",
        "unit.completed api",
        "unit.merged api"
      ])
      expect(ofUnit("web")).toEqual([
        "unit.started web",
        "task.started web 1",
        "task.completed web 1",
        "unit.completed web",
        "unit.merged web"
      ])
      expect(types.slice(0, 2)).toEqual(["job.started", "orch.started"])
      expect(types.slice(-3)).toEqual(["orch.landing", "orch.landed", "job.completed"])
      expect(events[1]?.payload).toMatchObject({
        target: "main",
        units: [{ id: "api" }, { id: "web", dependsOn: ["api"] }]
      })

      const log = yield* world.git(top, "log", "--format=%s %(trailers:key=Charlotte-Task,valueonly)", "mine..main")
      expect(log.trim().split(/\n+/)).toEqual(["Task 1 1", "Task 1 1", "Task 2 2"])
      expect(yield* show(world, top, "main:page.txt")).toBe("one\ntwo\n")
      expect(yield* show(world, top, "main:tasks/api/01-last.md")).toContain("status: complete # kept\n")

      // The user's checkout is unchanged, and the worktrees are removed.
      yield* untouched
      expect(yield* world.git(top, "for-each-ref", "--format=%(refname:short)", "refs/heads/charlotte")).toBe(
        `charlotte/${id}/result\n`
      )
      // The note of the repository stays: the result branch is there, also once the record is removed.
      expect(yield* Effect.promise(() => readdir(`${world.root}/charlotte/worktrees/${id}`))).toEqual(["_repository"])
    })
  )

  it.scopedLive("retries a task until its gate passes", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, untouched } = yield* repository(world, {
        "01-twice.md": task(1, "echo x >> tries", "test $(wc -l < tries) -eq 2")
      })
      const { run: record, types } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record.status).toBe("completed")
      expect(types.filter((type) => /gate\.(passed|failed)|retry/.test(type))).toEqual([
        "task.gate.failed tasks 1",
        "task.retry tasks 1",
        "task.gate.passed tasks 1"
      ])
      yield* untouched
    })
  )

  it.scopedLive("fails with a failed task; dependent units are blocked, other units complete", () =>
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
            failures: [
              { unit: "a", task: 1, reason: "task 1 (Task 1) failed 2 times: the gate exited with code 1: never" }
            ],
            blocked: ["b"]
          }
        }
      })
      expect(types).toContain("unit.blocked b")
      expect(types).toContain("unit.merged c")
      expect(yield* show(world, top, `charlotte/${id}/result:free.txt`)).toBe("c\n")
      expect(yield* subjects(world, top, "mine..main")).toEqual([])
      yield* untouched
    })
  )

  it.scopedLive("reports all problems of a submission, and starts nothing", () =>
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

  it.scopedLive("rejects tasks that are not committed on the target, and an unknown agent", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": task(1, "true", "true") })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const noAgent = yield* Effect.flip(manager.start({ ...config, agent: "nobody" }))
        expect(noAgent.message).toContain('agent: unknown agent "nobody"')
        yield* world.write(`${top}/tasks/01-a.md`, task(1, "true", "false"))
        const untouched = yield* unchangedFromHere(world, top)
        const elsewhere = yield* Effect.flip(manager.start(config))
        expect(elsewhere.message).toContain("tasks/01-a.md: is not on main in its current version")
        const stray = yield* Effect.flip(manager.start({ ...config, targetBranch: "mine" }))
        expect(stray.message).toContain("add -- tasks/01-a.md && git")
        yield* untouched
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("runs one job at a time per branch, whatever path the repository is opened by", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": task(1, "sleep 60", "true") })
      yield* world.git(top, "branch", "elsewhere")
      const untouched = yield* unchangedFromHere(world, top)
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        const error = yield* Effect.flip(manager.start({ ...config, repoPath: `${top}/dir/../` }))
        const message = `job ${id} already works on branch main of ${top}`
        expect(error).toMatchObject({ _tag: "JobConflict", jobId: id, message })
        yield* manager.start({ ...config, targetBranch: "elsewhere" })
        yield* manager.stopAll
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("stops without leaving processes or changing the user's work", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const pidFile = `${world.root}/pid`
      const { config, untouched } = yield* repository(world, {
        "01-long.md": task(1, `echo $$ > '${pidFile}'\nexec sleep 60`, "true")
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* appears(pidFile)
        expect(yield* manager.stop(id)).toMatchObject({ status: "cancelled", mode: "graceful" })
        const store = yield* RunStore.RunStore
        expect(yield* store.childProcesses.unclosed(id)).toEqual([])
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("resumes an interrupted job without running a task twice", () =>
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
      const first = yield* untilClosed(charlotte(world))
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Stream.runDrain(
          Stream.takeUntil(manager.events(id), ({ task, type }) => type === "task.started" && task === 2)
        )
        return id
      }).pipe(Effect.provide(first.context))
      yield* first.close
      yield* world.write(gate, "")

      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2 })
        expect(yield* subjects(world, top, "mine..main")).toEqual(["Task 2", "Task 1"])
        expect(yield* show(world, top, "main:first.txt")).toBe("once\n")
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("changes nothing in a dry run", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, untouched } = yield* repository(world, { "01-a.md": task(1, "true", "true") })
      const { run: record } = yield* run({ ...config, dryRun: true }).pipe(Effect.provide(charlotte(world)))
      expect(record).toMatchObject({ status: "completed", result: { commits: 0 } })
      yield* untouched
      expect(existsSync(`${world.root}/charlotte`)).toBe(false)
    })
  )

  it.scopedLive("copies the listed untracked files, and runs the setup", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "setup: cp secret.log seen.log\ncopy: [secret.log]\nbaseline: ['test -f a.txt']\n",
        "01-a.md": task(1, "cp seen.log found.txt", "grep -q hush found.txt")
      })
      yield* world.write(`${top}/secret.log`, "hush\n")
      const untouched = yield* unchangedButMain(world, top)
      const { run: record } = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(record.status).toBe("completed")
      yield* untouched
    })
  )
})
