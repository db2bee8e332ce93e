/** Jobs that land what another job has done. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Effect } from "effect"
import { rmSync } from "node:fs"
import { unknownId } from "../../support/jobs.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, litter, repository, run, subjects, task, unit } from "../Jobs.js"
import { asked, decide } from "./Approvals.js"
import { commitsOf, creates, failing, filesOf, five, landed, settings, witnessed } from "./FiveUnits.js"
import {
  blockedBy,
  commitOf,
  commitOnMain,
  type Config,
  counted,
  doneTasks,
  eventually,
  meanwhile,
  pausing,
  refusal,
  retry
} from "./Scenes.js"

/** Lands what a job has done, as the command does. */
const land = ({ agent: _, ...config }: Config, landOf: string, units?: Config["units"]) =>
  run({ ...config, landOf, ...(units && { units }) })

const refusedLanding = (...args: Parameters<typeof land>) =>
  Effect.map(refusal(land(...args)), ({ message }) => message)

describe("landing the work of a job", () => {
  it.scopedLive("lands exactly the four units of five that are done, verified on the commit that lands, and once", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        ...five(world),
        "charlotte.yaml": settings(world, "")
      })
      yield* Effect.gen(function* () {
        const failed = yield* run(config)
        expect(failed.run.status).toBe("failed")
        const before = yield* Effect.forEach(["a", "b", "c", "d", "e", "baseline"], (name) => counted(world, name))
        const second = yield* land(config, failed.id)
        const commit = yield* commitOf(world, top, "main")
        expect(second.run).toMatchObject({
          status: "completed",
          result: { landed: commit, commits: 7, leftOut: [{ unit: "c", job: failed.id }] }
        })
        expect(second.types.filter((type) => type.startsWith("task."))).toEqual([])
        expect(yield* filesOf(world, top, "main")).toEqual(landed)
        expect(yield* filesOf(world, top, `charlotte/${second.id}/result`)).toEqual(landed)
        expect((yield* doneTasks(world, top, "mine..main")).toSorted()).toEqual(["a 1", "b 1", "d 1", "e 1"])
        // Each ran once more, on the commit that landed.
        const after = yield* Effect.forEach(["a", "b", "c", "d", "e", "baseline"], (name) => counted(world, name))
        expect(after.map((count, at) => count - (before[at] ?? 0))).toEqual([1, 1, 0, 1, 1, 1])
        for (const name of ["a", "b", "d", "e", "baseline"])
          expect((yield* commitsOf(world, name)).at(-1), name).toBe(commit)
        expect(yield* refusedLanding(config, failed.id)).toBe(
          `invalid job configuration: landOf: nothing to land: main has all that job ${failed.id} has done`
        )
        expect(yield* commitOf(world, top, "main")).toBe(commit)
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
      expect(yield* litter(world, top)).toEqual([])
    })
  )

  it.scopedLive("leaves the rest to a retry", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { ...five(world), "charlotte.yaml": settings(world, "") })
      yield* Effect.gen(function* () {
        yield* world.git(top, "checkout", "--quiet", "--", "b.txt")
        const target = { ...config, targetBranch: "mine" }
        const failed = yield* run(target)
        yield* land(target, failed.id, ["e"])
        yield* world.write(`${world.root}/mended`, "")
        const again = yield* retry(target, `charlotte retry ${failed.id}`)
        expect(again.run).toMatchObject({ status: "completed" })
        expect(again.types.filter((type) => type.startsWith("task.completed"))).toEqual(["task.completed c 2"])
        expect(yield* filesOf(world, top, "mine")).toEqual(["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "more.txt"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("lands named units with all that they depend on, and the others later", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...creates(world, "d"),
        ...creates(world, "e", { dependsOn: ["d"] }),
        ...creates(world, "f", { dependsOn: ["e"] }),
        ...creates(world, "g"),
        ...failing(world)
      })
      yield* Effect.gen(function* () {
        const { id } = yield* run(config)
        const others: Record<string, number> = { f: yield* counted(world, "f"), g: yield* counted(world, "g") }
        const some = yield* land(config, id, ["e"])
        expect(some.run).toMatchObject({ status: "completed", result: { leftOut: [{ unit: "c", job: id }] } })
        expect(some.work.units.map(({ unit }) => unit)).toEqual(["d", "e"])
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt", "e.txt"])
        const first = yield* commitOf(world, top, "main")
        for (const name of ["d", "e", "baseline"]) expect((yield* commitsOf(world, name)).at(-1), name).toBe(first)
        for (const name of ["f", "g"]) expect(yield* counted(world, name), name).toBe(others[name])
        expect(yield* refusedLanding(config, id, ["d"])).toContain("nothing to land")

        const rest = yield* land(config, id)
        expect(rest.run.status).toBe("completed")
        expect(rest.work.tasks.flatMap(({ notes }) => notes)).toEqual([])
        const files = ["a.txt", "b.txt", "d.txt", "e.txt", "f.txt", "g.txt"]
        expect(yield* filesOf(world, top, "main")).toEqual(files)
        const second = yield* commitOf(world, top, "main")
        for (const name of ["d", "e", "f", "g"]) expect((yield* commitsOf(world, name)).at(-1), name).toBe(second)
        expect((yield* doneTasks(world, top, "mine..main")).toSorted()).toEqual(["d 1", "e 1", "f 1", "g 1"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("lands what a stopped job had done, also what was not merged yet", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...creates(world, "d"),
        "e/IMPLEMENTATION_PLAN.md": unit(),
        "e/01-e.md": task(1, pausing(world, "echo e > e.txt"), "true"),
        ...creates(world, "f")
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* eventually(id, "unit.merged d")
        // It is done, and waits to be merged after the one that is stopped.
        yield* eventually(id, "unit.completed f")
        yield* appears(`${world.root}/go.reached`)
        yield* manager.stop(id)
        const stopped = yield* land(config, id)
        expect(stopped.run).toMatchObject({ status: "completed", result: { leftOut: [{ unit: "e", job: id }] } })
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt", "f.txt"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("merges newer commits of the target, before and while it runs, and verifies exactly that", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...failing(world),
        ...creates(world, "d", {
          gate: `if test -e user.txt; then ${pausing(world, "test -e d.txt").replaceAll("\n", "; ")}; fi`
        })
      })
      yield* Effect.gen(function* () {
        const failed = yield* run(config)
        yield* commitOnMain(world, top, "user.txt", "user\n")
        const { agent: _, ...rest } = config
        const moved = yield* meanwhile(world, { ...rest, landOf: failed.id }, () =>
          commitOnMain(world, top, "more.txt", "more\n")
        )
        expect(moved.run.status).toBe("completed")
        expect((yield* subjects(world, top, "mine..main")).slice(0, 1)).toEqual([`Merge job ${moved.id} into main`])
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt", "more.txt"])
        const commit = yield* commitOf(world, top, "main")
        for (const name of ["d", "baseline"]) expect((yield* commitsOf(world, name)).at(-1), name).toBe(commit)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("lands nothing if a gate fails on the units together, until that is mended and it is retried", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...failing(world),
        ...creates(world, "d", { gate: `test ! -e '${world.root}/broken'` })
      })
      yield* Effect.gen(function* () {
        const failed = yield* run(config)
        const before = yield* commitOf(world, top, "main")
        yield* world.write(`${world.root}/broken`, "")
        const blocked = yield* land(config, failed.id, ["d"])
        const { command, reason } = yield* blockedBy(blocked)
        expect(reason).toMatch(/^the gate of task 1 of unit d, on the merged result, .* exited with code 1/)
        expect(command).toBe(`charlotte retry ${blocked.id}`)
        expect(yield* commitOf(world, top, "main")).toBe(before)
        rmSync(`${world.root}/broken`)
        const { agent: _, ...rest } = config
        const again = yield* run({ ...rest, landOf: failed.id, units: ["d"], retryOf: blocked.id })
        expect(again.run.status).toBe("completed")
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt"])
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("lands nothing if it is stopped, and everything when it is started again", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...failing(world),
        ...creates(world, "d"),
        ...creates(world, "e", {
          gate: `if test -e d.txt; then ${pausing(world, "true").replaceAll("\n", "; ")}; fi`
        })
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const first = yield* manager.start(config)
        yield* appears(`${world.root}/go.reached`)
        yield* world.write(`${world.root}/go`, "")
        yield* ended(first)
        const before = yield* commitOf(world, top, "main")
        for (const name of ["go", "go.reached"]) rmSync(`${world.root}/${name}`)
        const { agent: _, ...rest } = config
        const id = yield* manager.start({ ...rest, landOf: first })
        yield* appears(`${world.root}/go.reached`)
        yield* manager.stop(id)
        expect((yield* ended(id)).run.status).toBe("cancelled")
        expect(yield* commitOf(world, top, "main")).toBe(before)
        yield* world.write(`${world.root}/go`, "")
        expect((yield* land(config, first)).run.status).toBe("completed")
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt", "e.txt"])
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )

  it.scopedLive("lands a unit with others at whose result it began, since it contains their work", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...failing(world),
        // The tips of d and f fail its gate together, so h begins at the result, which has e as well.
        ...creates(world, "d", { gate: "test ! -e f.txt || test -e e.txt" }),
        ...creates(world, "e"),
        ...creates(world, "f"),
        ...creates(world, "h", { dependsOn: ["d", "f"] })
      })
      yield* Effect.gen(function* () {
        const { id } = yield* run(config)
        const second = yield* land(config, id, ["h"])
        expect(second.run).toMatchObject({ status: "completed" })
        expect(second.work.units.map(({ unit }) => unit)).toEqual(["d", "e", "f", "h"])
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt", "e.txt", "f.txt", "h.txt"])
        const commit = yield* commitOf(world, top, "main")
        for (const name of ["d", "e", "f", "h"]) expect((yield* commitsOf(world, name)).at(-1), name).toBe(commit)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("refuses units that could not be merged, and all that depend on them", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...creates(world, "d"),
        "f/IMPLEMENTATION_PLAN.md": unit(),
        "f/01-f.md": task(1, "echo f > d.txt", witnessed(world, "f", "true")),
        ...creates(world, "h", { dependsOn: ["f"] })
      })
      yield* Effect.gen(function* () {
        const { id, work } = yield* run(config)
        const states = Object.fromEntries(work.units.map(({ state, unit }) => [unit, state]))
        expect(states).toEqual({ d: "merged", f: "failed", h: "blocked" })
        expect(yield* refusedLanding(config, id, ["f"])).toMatch(
          /units: unit f could not be merged: .* in d\.txt; resolve that on charlotte\/\w+\/unit\/f, then charlotte retry \w+ --unit f$/
        )
        expect(yield* refusedLanding(config, id, ["d", "h"])).toContain(
          `units: unit h is not done: continue it with: charlotte retry ${id} --unit h`
        )
        const rest = yield* land(config, id)
        const leftOut = ["f", "h"].map((unit) => ({ unit, job: id }))
        expect(rest.run).toMatchObject({ status: "completed", result: { leftOut } })
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is refused for what is no ended job of tasks, for unknown units, and where nothing is done", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        "c/IMPLEMENTATION_PLAN.md": unit(),
        "c/01-c.md": task(1, pausing(world, "true"), "false")
      })
      const before = yield* commitOf(world, top, "main")
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        expect(yield* refusedLanding(config, unknownId)).toBe(
          `invalid job configuration: landOf: job ${unknownId} not found`
        )
        const planned = yield* run({ ...config, dryRun: true })
        expect(yield* refusedLanding(config, planned.id)).toContain(
          `nothing to land: no unit of job ${planned.id} is done`
        )
        const id = yield* manager.start(config)
        yield* appears(`${world.root}/go.reached`)
        expect(yield* refusedLanding(config, id)).toContain(`landOf: job ${id} is running: stop it first`)
        yield* world.write(`${world.root}/go`, "")
        yield* ended(id)
        expect(yield* refusedLanding(config, id)).toContain(`nothing to land: no unit of job ${id} is done`)
        expect(yield* refusedLanding(config, id, ["x"])).toContain("units: there is no unit x: the only one is c")
        expect(yield* refusedLanding(config, id, ["c"])).toContain("unit c is not done")
        const other = yield* repository(world, { "c/IMPLEMENTATION_PLAN.md": unit() }, "other")
        expect(yield* refusedLanding(other.config, id)).toContain(`job ${id} ran in another repository`)
      }).pipe(Effect.provide(charlotte(world)))
      expect(yield* commitOf(world, top, "main")).toBe(before)
    })
  )

  for (const end of ["fails", "is stopped", "is stopped before it is begun"])
    it.scopedLive(`leaves out all work of a unit that was rejected and whose further task ${end}`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, {
          "charlotte.yaml": settings(world, "land: ask\n"),
          ...creates(world, "d"),
          ...creates(world, "e"),
          ...creates(world, "f", { dependsOn: ["d"] }),
          ...creates(world, "g")
        })
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const { id } = yield* asked(config)
          const script = end === "fails" ? "false" : pausing(world, "true")
          const isBegun = !end.endsWith("begun")
          if (!isBegun) yield* manager.pause()
          yield* decide(id, { because: `Do this:\n\n\`\`\`sh\n${script}\n\`\`\``, unit: "d" })
          if (end !== "fails") {
            if (isBegun) yield* appears(`${world.root}/go.reached`)
            yield* manager.stop(id)
          }
          yield* ended(id)
          if (!isBegun) yield* manager.unpause()
          const { run } = yield* land({ ...config, land: "auto" }, id)
          const leftOut = ["d", "f"].map((unit) => ({ unit, job: id }))
          expect(run).toMatchObject({ status: "completed", result: { leftOut } })
          expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "e.txt", "g.txt"])
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

  it.scopedLive("lands a completed job that was not to land", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world, ""),
        ...creates(world, "d")
      })
      yield* Effect.gen(function* () {
        const kept = yield* run({ ...config, land: false })
        expect(kept.run.status).toBe("completed")
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt"])
        expect((yield* land({ ...config, land: false }, kept.id)).run.status).toBe("completed")
        expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is refused where the configuration allows nothing to land", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "charlotte.yaml": "land: never\n", ...creates(world, "d") })
      const { id } = yield* Effect.provide(run(config), charlotte(world))
      const before = yield* commitOf(world, top, "main")
      expect(yield* Effect.provide(refusedLanding(config, id), charlotte(world, { land: "never" }))).toContain(
        "land: config.yaml allows no job to land"
      )
      expect(yield* commitOf(world, top, "main")).toBe(before)
      expect((yield* Effect.provide(land(config, id), charlotte(world))).run.status).toBe("completed")
      expect(yield* filesOf(world, top, "main")).toEqual(["a.txt", "b.txt", "d.txt"])
    })
  )
})
