/** Landing the units that are done although others have failed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Repository from "../../support/Repository.js"
import { charlotte, litter, repository, run, subjects, task, unit } from "../Jobs.js"
import { commitsOf, creates, failing, filesOf, five, landed, settings, witnessed } from "./FiveUnits.js"
import { commitOf, commitOnMain, counted, doneTasks, meanwhile, pausing, retry } from "./Scenes.js"

describe("landing what is done", () => {
  it.scopedLive("lands exactly the four units of five that are done, verified on the commit that lands", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, five(world))
      const ended = yield* Effect.provide(run(config), charlotte(world))
      const commit = yield* commitOf(world, top, "main")
      expect(ended.run).toMatchObject({
        status: "failed",
        error: {
          error: {
            _tag: "TasksFailed",
            target: "main",
            landed: ["a", "b", "d", "e"],
            landedAt: commit,
            left: [{ unit: "c", reason: expect.stringContaining("task 2 (Task 2) failed once") }]
          }
        }
      })
      expect(ended.events.find(({ type }) => type === "orch.landed")?.payload).toEqual({
        target: "main",
        commit,
        units: ["a", "b", "d", "e"],
        left: ["c"]
      })
      expect(yield* filesOf(world, top, "main")).toEqual(landed)
      expect(yield* filesOf(world, top, `charlotte/${ended.id}/result`)).toEqual(landed)
      expect((yield* doneTasks(world, top, "mine..main")).toSorted()).toEqual(["a 1", "b 1", "d 1", "e 1"])
      // Each gate ran at its task, the merges ran those of all but the first unit again, and landing ran all of them.
      expect(yield* Effect.forEach(["a", "b", "c", "d", "e", "baseline"], (name) => counted(world, name))).toEqual([
        2, 3, 1, 3, 3, 5
      ])
      for (const name of ["a", "b", "d", "e", "baseline"])
        expect((yield* commitsOf(world, name)).at(-1), name).toBe(commit)
      yield* untouched
      expect(yield* litter(world, top)).toEqual([])
    })
  )

  it.scopedLive("leaves the rest to a retry, which runs nothing of what has landed", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, five(world))
      yield* world.git(top, "checkout", "--quiet", "--", "b.txt")
      const target = { ...config, targetBranch: "mine" }
      yield* Effect.gen(function* () {
        const { id } = yield* run(target)
        expect(yield* filesOf(world, top, "mine")).toEqual(landed)
        yield* world.write(`${world.root}/mended`, "")
        const again = yield* retry(target, `charlotte retry ${id}`)
        expect(again.run).toMatchObject({
          status: "completed",
          result: { landed: yield* commitOf(world, top, "mine") }
        })
        expect(again.types.filter((type) => type.startsWith("task.completed"))).toEqual(["task.completed c 2"])
        expect(yield* filesOf(world, top, "mine")).toEqual(["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "more.txt"])
        expect((yield* doneTasks(world, top, "main..mine")).toSorted()).toEqual([
          "a 1",
          "b 1",
          "c 1",
          "c 2",
          "d 1",
          "e 1"
        ])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("lands nothing if a gate fails on the units together, and says which", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...creates(world, "a", { gate: "test ! -e d.txt" }),
        ...failing(world),
        ...creates(world, "d")
      })
      const before = yield* commitOf(world, top, "main")
      const ended = yield* Effect.provide(run({ ...config, land: "done" }), charlotte(world))
      expect(ended.run).toMatchObject({
        status: "failed",
        error: {
          error: {
            _tag: "TasksFailed",
            notLanded: {
              reason: expect.stringMatching(
                /^the gate of task 1 of unit a, on the merged result, .* exited with code 1/
              ),
              command: `charlotte retry ${ended.id}`
            }
          }
        }
      })
      expect(JSON.stringify(ended.run.error)).not.toContain('"landed"')
      expect(ended.types).not.toContain("orch.landed")
      expect(yield* commitOf(world, top, "main")).toBe(before)
      yield* untouched
    })
  )

  it.scopedLive("verifies the merge with newer commits of the target", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world),
        ...failing(world),
        "d/IMPLEMENTATION_PLAN.md": unit(),
        "d/01-d.md": task(1, pausing(world, "echo d > d.txt"), witnessed(world, "d", "test -e d.txt"))
      })
      const ended = yield* meanwhile(world, config, () => commitOnMain(world, top, "user.txt", "user\n")).pipe(
        Effect.provide(charlotte(world))
      )
      expect(ended.run).toMatchObject({ status: "failed", error: { error: { landed: ["d"] } } })
      expect((yield* subjects(world, top, "mine..main")).slice(0, 1)).toEqual([`Merge job ${ended.id} into main`])
      const commit = yield* commitOf(world, top, "main")
      for (const name of ["d", "baseline"]) expect((yield* commitsOf(world, name)).at(-1), name).toBe(commit)
    })
  )

  it.scopedLive("lands nothing if nothing is merged", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "charlotte.yaml": settings(world),
        ...failing(world),
        ...creates(world, "d", { dependsOn: ["c"] })
      })
      const before = yield* commitOf(world, top, "main")
      const ended = yield* Effect.provide(run(config), charlotte(world))
      expect(ended.run).toMatchObject({ status: "failed", error: { error: { _tag: "TasksFailed", blocked: ["d"] } } })
      expect(ended.types).not.toContain("orch.landing")
      expect(yield* commitOf(world, top, "main")).toBe(before)
      yield* untouched
    })
  )

  it.scopedLive("is forbidden by a configuration that allows all or nothing, or nothing at all", () =>
    Effect.gen(function* () {
      for (const land of ["auto", "never"] as const) {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, five(world))
        const before = yield* commitOf(world, top, "main")
        yield* Effect.gen(function* () {
          const ended = yield* run({ ...config, land: "done" })
          expect(ended.run).toMatchObject({ status: "failed", error: { error: { _tag: "TasksFailed" } } })
          expect(ended.types).not.toContain("orch.landing")
          yield* world.write(`${world.root}/mended`, "")
          const again = yield* retry({ ...config, land: "done" }, `charlotte retry ${ended.id}`)
          expect(again.run.status).toBe("completed")
          expect((yield* commitOf(world, top, "main")) === before).toBe(land === "never")
        }).pipe(Effect.provide(charlotte(world, { land })))
      }
    })
  )
})
