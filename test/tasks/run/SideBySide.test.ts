import { describe, expect, it } from "@effect/vitest"
import { JobManager, type RunStore } from "charlotte"
import { Effect } from "effect"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, show, task, unit } from "../Jobs.js"
import { commitOf, eventually, pausing } from "./Scenes.js"

/** The reasons for which a unit waited. */
const waits = ({ events }: Effect.Effect.Success<ReturnType<typeof ended>>, name: string) =>
  events.filter(({ type, unit }) => type === "unit.waiting" && unit === name).map(({ payload }) => payload)

const states = ({ work }: Effect.Effect.Success<ReturnType<typeof ended>>) =>
  Object.fromEntries(work.units.map(({ state, unit }) => [unit, state]))

const writes = (name: string, gate = `test -e ${name}.txt`) => task(1, `echo ${name} > ${name}.txt`, gate)

describe("units side by side", () => {
  it.scopedLive("a unit begins when the one that it depends on is done, while a stranger is still at work", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "quick/IMPLEMENTATION_PLAN.md": unit(),
        "quick/01-a.md": writes("quick"),
        "slow/IMPLEMENTATION_PLAN.md": unit(),
        "slow/01-a.md": task(1, pausing(world, "echo slow > slow.txt"), "test -e slow.txt"),
        "web/IMPLEMENTATION_PLAN.md": unit(["quick"]),
        "web/01-a.md": task(1, "cat quick.txt > web.txt", "test -s web.txt")
      })
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* eventually(id, "unit.waiting web")
        yield* world.write(`${world.root}/go`, "")
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world)))
      expect(job.run.status).toBe("completed")
      expect(waits(job, "web")).toEqual([{ reason: "waits for slow to be merged", waitsFor: ["slow"] }])
      expect(job.types.filter((type) => type.startsWith("unit.merged"))).toEqual([
        "unit.merged quick",
        "unit.merged slow",
        "unit.merged web"
      ])
      expect(yield* world.git(top, "ls-tree", "--name-only", "main", "--", "slow.txt", "web.txt")).toBe(
        "slow.txt\nweb.txt\n"
      )
    })
  )

  it.scopedLive("a unit that depends on several begins at their merge, without what its gates have left there", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "left/IMPLEMENTATION_PLAN.md": unit(),
        "left/01-a.md": writes("left", "date +%N > made.txt; test -e left.txt"),
        "right/IMPLEMENTATION_PLAN.md": unit(),
        "right/01-a.md": writes("right"),
        "top/IMPLEMENTATION_PLAN.md": unit(["right", "left"]),
        "top/01-a.md": task(1, "cat left.txt right.txt > top.txt", "test $(wc -l < top.txt) -eq 2")
      })
      const job = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(job.run.status).toBe("completed")
      const { base, commit } = {
        base: job.work.units.find(({ unit }) => unit === "top")?.base ?? "",
        commit: job.work.tasks.find(({ unit }) => unit === "top")?.commit ?? ""
      }
      const tipOf = (name: string) => job.work.tasks.find(({ unit }) => unit === name)?.commit
      expect(yield* world.git(top, "show", "--no-patch", "--format=%P", base)).toBe(
        `${tipOf("left")} ${tipOf("right")}\n`
      )
      expect(yield* commitOf(world, top, `${commit}~`)).toBe(base)
      expect((yield* world.git(top, "diff", "--name-only", base, commit)).trim().split("\n")).toEqual([
        "tasks/top/01-a.md",
        "top.txt"
      ])
    })
  )

  it.scopedLive("a unit waits for the merge of those that it depends on if their gates fail together", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "left/IMPLEMENTATION_PLAN.md": unit(),
        "left/01-a.md": writes("left", "test ! -e right.txt"),
        "right/IMPLEMENTATION_PLAN.md": unit(),
        "right/01-a.md": writes("right"),
        "top/IMPLEMENTATION_PLAN.md": unit(["left", "right"]),
        "top/01-a.md": task(1, "cat left.txt right.txt > top.txt", "test $(wc -l < top.txt) -eq 2")
      })
      const job = yield* run(config).pipe(Effect.provide(charlotte(world)))
      expect(states(job)).toEqual({ left: "merged", right: "merged", top: "merged" })
      const [, right, last] = job.work.units
      expect(last?.base).toBe(right?.commit)
      expect(job.run.status).toBe("completed")
      expect(yield* show(world, top, "main:top.txt")).toBe("left\nright\n")
    })
  )

  it.scopedLive("a unit of which a dependency conflicts is blocked after its turn, and keeps its commits", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "left/IMPLEMENTATION_PLAN.md": unit(),
        "left/01-a.md": task(1, pausing(world, "sed -i s/one/left/ a.txt", "left"), "grep -q left a.txt"),
        "right/IMPLEMENTATION_PLAN.md": unit(),
        "right/01-a.md": task(1, "sed -i s/one/right/ a.txt", "grep -q right a.txt"),
        "stranger/IMPLEMENTATION_PLAN.md": unit(),
        "stranger/01-a.md": writes("stranger"),
        "both/IMPLEMENTATION_PLAN.md": unit(["left", "right"]),
        "both/01-a.md": writes("both"),
        "next/IMPLEMENTATION_PLAN.md": unit(["right"]),
        "next/01-a.md": task(1, pausing(world, "echo next > next.txt", "next"), "test -e next.txt"),
        "next/02-b.md": task(2, "echo more > more.txt", "test -e more.txt")
      })
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* appears(`${world.root}/left.reached`)
        yield* appears(`${world.root}/next.reached`)
        yield* world.write(`${world.root}/left`, "")
        yield* eventually(id, "unit.failed right")
        yield* world.write(`${world.root}/next`, "")
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world)))
      expect(states(job)).toEqual({
        left: "merged",
        right: "failed",
        stranger: "merged",
        both: "blocked",
        next: "blocked"
      })
      const conflict = "unit right conflicts with the units merged before it in a.txt"
      expect(waits(job, "both")).toMatchObject([{ reason: expect.stringContaining(`to be merged: ${conflict}`) }])
      expect(job.work.tasks.filter(({ unit }) => unit === "next").map(({ calls, state }) => [state, calls])).toEqual([
        ["completed", 1],
        ["pending", 0]
      ])
      expect(yield* show(world, top, `charlotte/${job.id}/unit/next:next.txt`)).toBe("next\n")
      expect(yield* show(world, top, `charlotte/${job.id}/result:a.txt`)).toBe("left\ntwo\nthree\n")
      expect(yield* show(world, top, `charlotte/${job.id}/result:stranger.txt`)).toBe("stranger\n")
    })
  )

  it.scopedLive(
    "the bases and merges of units have a branch before they are recorded, so that no collection removes them",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, {
          "left/IMPLEMENTATION_PLAN.md": unit(),
          "left/01-a.md": writes("left"),
          "right/IMPLEMENTATION_PLAN.md": unit(),
          "right/01-a.md": writes("right"),
          "top/IMPLEMENTATION_PLAN.md": unit(["right", "left"]),
          "top/01-a.md": task(1, "cat left.txt right.txt > top.txt", "test $(wc -l < top.txt) -eq 2"),
          "last/IMPLEMENTATION_PLAN.md": unit(["top"]),
          "last/01-a.md": writes("last")
        })
        const recorded: Array<string> = []
        const holders = (commit: string) => world.git(top, "for-each-ref", `--contains=${commit}`, "refs/heads")
        const store = (store: RunStore.Service): RunStore.Service => ({
          ...store,
          work: {
            ...store.work,
            unit: (changed) =>
              Effect.gen(function* () {
                for (const commit of [changed.unit.base, changed.unit.commit])
                  if (commit !== undefined && (yield* Effect.orDie(holders(commit))) === "") recorded.push(commit)
                yield* Effect.orDie(world.git(top, "gc", "--quiet", "--prune=now"))
                yield* store.work.unit(changed)
              })
          }
        })
        const job = yield* run({ ...config, concurrency: 1 }).pipe(Effect.provide(charlotte(world, { store })))
        expect(job.run.error).toBeUndefined()
        expect(recorded).toEqual([])
      })
  )
})
