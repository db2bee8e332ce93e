import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Deferred, Effect, Stream } from "effect"
import { isLong } from "../../support/long.js"
import * as Repository from "../../support/Repository.js"
import type { Options } from "../Composition.js"
import { charlotte, ended, litter, repository, run, subjects, task, unit, untilClosed } from "../Jobs.js"
import { type Config, doneTasks } from "./Scenes.js"

/** Two units that start at the same commit, so that one needs a merge; the first has a diamond of tasks. */
const small = (world: Repository.Sandbox) => ({
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-first.md": task(1, "grep -q 1 a.txt || echo 1 >> a.txt", "test $(grep -c 1 a.txt) -eq 1"),
  "a/02-left.md": task(2, "echo left > left.txt", "test -e left.txt", [1]),
  "a/03-right.md": task(3, "echo right > right.txt", "test -e right.txt", [1]),
  "a/04-last.md": task(4, "cat left.txt right.txt > last.txt", "test -s last.txt", [2, 3]),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  // The attempts are counted outside the worktree, per job.
  "b/01-twice.md": task(
    1,
    `echo b > b.txt\necho x >> "${world.root}/tries-$(basename "$(dirname "$PWD")")"`,
    `test $(wc -l < "${world.root}/tries-$(basename "$(dirname "$PWD")")") -ge 2`
  )
})

/** Interrupts a job after a number of events, and resumes it to its end; in a home of its own. */
const cutOff = (world: Repository.Sandbox, config: Config, after: number) =>
  Effect.gen(function* () {
    const home = { ...world, root: `${world.root}/home-${after}` }
    yield* world.write(`${home.root}/here`, "")
    const first = yield* untilClosed(charlotte(home))
    const id = yield* Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      yield* Stream.runDrain(Stream.take(manager.events(id), after))
      return id
    }).pipe(Effect.provide(first.context))
    yield* first.close
    return yield* Effect.provide(ended(id), charlotte(home))
  })

type Ended = Effect.Effect.Success<ReturnType<typeof ended>>

/** Several run concurrently, each in its own repository, since homes are independent of each other. */
const lanes = 3

/** Interrupts jobs, and checks the result of each on its branch. */
const cutOffAfter = (
  world: Repository.Sandbox,
  files: Record<string, string>,
  cuts: ReadonlyArray<number>,
  look: (job: Ended, after: number, top: string, branch: string) => Effect.Effect<void>
) =>
  Effect.forEach(
    Array.from({ length: lanes }, (_, lane) => lane),
    (lane) =>
      Effect.gen(function* () {
        const { config, top, untouched } = yield* repository(world, files, `lane-${lane}`)
        for (const after of cuts.filter((_, index) => index % lanes === lane)) {
          const targetBranch = `cut-${after}`
          yield* world.git(top, "branch", targetBranch, "main")
          yield* look(yield* cutOff(world, { ...config, targetBranch }, after), after, top, targetBranch)
          yield* world.git(top, "branch", "-D", targetBranch)
        }
        expect(yield* litter(world, top)).toEqual([])
        yield* untouched
      }),
    { concurrency: "unbounded", discard: true }
  )

describe("an interrupted job", () => {
  it.scopedLive(
    "resumes to the same result from any event, with no completed task run twice",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, small(world))
        const whole = yield* Effect.provide(run(config), charlotte(world))
        expect(whole.run.status).toBe("completed")
        const tree = yield* world.git(top, "rev-parse", "main^{tree}")
        // Tasks 2 and 3 of a behave like 1 and 4.
        const all = whole.types.flatMap((type, index) => (/ a [23]$|^job\.completed/.test(type) ? [] : [index + 1]))
        const cuts = all.filter((_, index) => isLong || index % 3 === 0)

        yield* cutOffAfter(world, small(world), cuts, ({ events, id, run, types, work }, after, top, branch) =>
          Effect.gen(function* () {
            const about = `cut off after event ${after}, ${whole.types[after - 1]}: ${run.error?.cause}`
            expect(run.status, about).toBe("completed")
            expect(run.attempt, about).toBe(types.includes("job.resumed") ? 2 : 1)
            expect(yield* world.git(top, "rev-parse", `${branch}^{tree}`), about).toBe(tree)
            const done = yield* doneTasks(world, top, `main..${branch}`)
            expect(done.toSorted(), about).toEqual(["a 1", "a 2", "a 3", "a 4", "b 1"])
            const merges = (yield* subjects(world, top, `main..${branch}`)).filter((s) => s.startsWith("Merge"))
            expect(merges, about).toEqual(["Merge unit b"])
            // Tasks completed before the interrupt are not started again.
            const interrupted = types.indexOf("job.interrupted")
            const begun = types.slice(interrupted + 1).filter((type) => type.startsWith("task.started"))
            for (const type of interrupted < 0 ? [] : begun)
              expect(types.slice(0, interrupted), about).not.toContain(type.replace("started", "completed"))
            const states = [...work.units, ...work.tasks].map(({ state }) => state)
            expect(new Set(states), about).toEqual(new Set(["merged", "completed"]))
            const order = events.map(({ seq }) => seq)
            expect(order, about).toEqual(order.map((_, index) => index + 1))
            const left = yield* world.git(top, "for-each-ref", "--format=%(refname)", `refs/heads/charlotte/${id}`)
            expect(left, about).toBe(`refs/heads/charlotte/${id}/result\n`)
            expect((yield* world.git(top, "worktree", "list")).trim().split("\n"), about).toHaveLength(1)
          })
        )
      }),
    600_000
  )

  it.scopedLive(
    "fails as an undisturbed one, with the same number of attempts",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const files = {
          "charlotte.yaml": "attempts: 2\n",
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-fails.md": task(1, "true", "echo never; false"),
          "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
          "b/01-waits.md": task(1, "true", "true")
        }
        const { config } = yield* repository(world, files)
        const whole = yield* Effect.provide(run(config), charlotte(world))
        expect(whole.run.status).toBe("failed")
        const all = whole.types.slice(0, -1).map((_, index) => index + 1)
        const cuts = all.filter((_, index) => isLong || index % 3 === 0)
        yield* cutOffAfter(world, files, cuts, ({ run, types, work }, after) =>
          Effect.sync(() => {
            const about = `cut off after event ${after}, ${whole.types[after - 1]}`
            const reason = "task 1 (Task 1) failed 2 times: the gate exited with code 1: never"
            expect(run, about).toMatchObject({
              status: "failed",
              error: { error: { _tag: "TasksFailed", failures: [{ unit: "a", task: 1, reason }], blocked: ["b"] } }
            })
            expect(work.tasks[0], about).toMatchObject({ state: "failed", failures: 2 })
            // The interrupted attempt does not count, and there is none after the last.
            const failed = types.filter((type) => type === "task.gate.failed a 1")
            expect(failed.length, about).toBeLessThanOrEqual(3)
            expect(types.slice(types.indexOf("task.failed a 1")), about).not.toContain("task.started a 1")
          })
        )
      }),
    300_000
  )

  it.scopedLive("does not run a task again that has failed, where its unit was not yet recorded as failed", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const files = {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-fails.md": task(1, "true", "false")
      }
      const { config } = yield* repository(world, files)
      const reached = yield* Deferred.make<void>()
      const cutOff: Options = {
        store: (store) => ({
          ...store,
          work: {
            ...store.work,
            unit: (changed) =>
              changed.unit.state === "failed"
                ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
                : store.work.unit(changed)
          }
        })
      }
      const first = yield* untilClosed(charlotte(world, cutOff))
      const id = yield* Effect.flatMap(JobManager.JobManager, ({ start }) => start(config)).pipe(
        Effect.provide(first.context)
      )
      yield* Deferred.await(reached)
      yield* first.close
      const { run, types, work } = yield* Effect.provide(ended(id), charlotte(world))
      expect(run).toMatchObject({ status: "failed", attempt: 2 })
      expect(work.tasks).toMatchObject([{ state: "failed", failures: 1 }])
      expect(types.filter((type) => type.startsWith("task.started"))).toEqual(["task.started a 1"])
      expect(types.filter((type) => type.startsWith("unit.failed"))).toEqual(["unit.failed a"])
    })
  )
})
