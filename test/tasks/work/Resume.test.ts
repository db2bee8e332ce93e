import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Effect, Stream } from "effect"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, litter, repository, run, subjects, task, unit, untilClosed } from "../Jobs.js"
import { type Config, doneTasks } from "./Scenes.js"

/** Two units at the same commit, so that one has to be merged; in the first a diamond of tasks. */
const small = (world: Repository.Sandbox) => ({
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-first.md": task(1, "echo 1 >> a.txt", "test $(grep -c 1 a.txt) -eq 1"),
  "a/02-left.md": task(2, "echo left > left.txt", "test -e left.txt", [1]),
  "a/03-right.md": task(3, "echo right > right.txt", "test -e right.txt", [1]),
  "a/04-last.md": task(4, "cat left.txt right.txt > last.txt", "test -s last.txt", [2, 3]),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  // How often it was tried is counted outside, for each job by itself.
  "b/01-twice.md": task(
    1,
    `echo b > b.txt\necho x >> "${world.root}/tries-$(basename "$(dirname "$PWD")")"`,
    `test $(wc -l < "${world.root}/tries-$(basename "$(dirname "$PWD")")") -ge 2`
  )
})

/** A job that is cut off after so many events, and its end; each in a home of its own, so that several run at once. */
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

describe("a job that was interrupted", () => {
  it.scopedLive(
    "comes to the same whatever it was at, and does nothing twice that was done",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top, untouched } = yield* repository(world, small(world))
        const tree = (branch: string) => world.git(top, "rev-parse", `${branch}^{tree}`)
        yield* world.git(top, "branch", "whole", "main")
        const whole = yield* Effect.provide(run({ ...config, targetBranch: "whole" }), charlotte(world))
        expect(whole.run.status).toBe("completed")
        expect(yield* subjects(world, top, "main..whole")).toHaveLength(6)
        const last = whole.events.length

        const one = (after: number) =>
          Effect.gen(function* () {
            const targetBranch = `cut-${after}`
            yield* world.git(top, "branch", targetBranch, "main")
            const { events, id, run, types, work } = yield* cutOff(world, { ...config, targetBranch }, after)
            const about = `cut off after event ${after} of ${last}, ${whole.types[after - 1]}`
            expect(run.status, about).toBe("completed")
            expect(run.attempt, about).toBe(types.includes("job.resumed") ? 2 : 1)
            expect(yield* tree(targetBranch), about).toBe(yield* tree("whole"))
            const done = yield* doneTasks(world, top, `main..${targetBranch}`)
            expect(done.toSorted(), about).toEqual(["a 1", "a 2", "a 3", "a 4", "b 1"])
            const merges = (yield* subjects(world, top, `main..${targetBranch}`)).filter((s) => s.startsWith("Merge"))
            expect(merges, about).toEqual(["Merge unit b"])
            // What was done when it was cut off was not begun again.
            const before = types.slice(0, types.indexOf("job.interrupted"))
            for (const [index, type] of types.entries())
              if (type.startsWith("task.started") && index > before.length)
                expect(before, about).not.toContain(type.replace("started", "completed"))
            expect(
              work.units.every(({ state }) => state === "merged"),
              about
            ).toBe(true)
            expect(
              work.tasks.every(({ state }) => state === "completed"),
              about
            ).toBe(true)
            expect(
              events.map(({ seq }) => seq),
              about
            ).toEqual(events.map((_, index) => index + 1))
            const left = yield* world.git(top, "for-each-ref", "--format=%(refname)", `refs/heads/charlotte/${id}`)
            expect(left, about).toBe(`refs/heads/charlotte/${id}/result\n`)
          })
        // Tasks 2 and 3 of a go on as 1 did, and as 4 will.
        const cuts = whole.types.flatMap((type, index) => (/ a [23]$|^job\.completed/.test(type) ? [] : [index + 1]))
        yield* Effect.forEach(cuts, one, { concurrency: 3 })
        expect(yield* litter(world, top)).toEqual([])
        expect(yield* world.git(top, "worktree", "list")).not.toContain("worktrees")
        for (const after of cuts) yield* world.git(top, "branch", "-D", `cut-${after}`)
        yield* world.git(top, "branch", "-D", "whole")
        yield* untouched
      }),
    600_000
  )

  it.scopedLive(
    "fails as it would have, and tries a task no more often",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top, untouched } = yield* repository(world, {
          "charlotte.yaml": "attempts: 2\n",
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-fails.md": task(1, "true", "echo never; false"),
          "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
          "b/01-waits.md": task(1, "true", "true")
        })
        const whole = yield* Effect.provide(run(config), charlotte(world))
        expect(whole.run.status).toBe("failed")
        const one = (after: number) =>
          Effect.gen(function* () {
            const targetBranch = `cut-${after}`
            yield* world.git(top, "branch", targetBranch, "main")
            const { run, types, work } = yield* cutOff(world, { ...config, targetBranch }, after)
            const about = `cut off after event ${after}, ${whole.types[after - 1]}`
            const reason = "task 1 (Task 1) failed 2 times: the gate exited with code 1"
            expect(run, about).toMatchObject({
              status: "failed",
              error: { error: { _tag: "TasksFailed", failures: [{ unit: "a", task: 1, reason }], blocked: ["b"] } }
            })
            expect(work.tasks[0], about).toMatchObject({ state: "failed", failures: 2 })
            expect(types.filter((type) => type === "task.gate.failed a 1").length, about).toBeLessThanOrEqual(3)
            const end = types.indexOf("task.failed a 1")
            expect(types.slice(end), about).not.toContain("task.started a 1")
            yield* world.git(top, "branch", "-D", targetBranch)
          })
        yield* Effect.forEach(
          Array.from({ length: whole.events.length - 1 }, (_, index) => index + 1),
          one,
          { concurrency: 3 }
        )
        yield* untouched
      }),
    120_000
  )
})
