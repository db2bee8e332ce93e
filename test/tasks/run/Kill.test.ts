import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Duration, Effect, Stream } from "effect"
import { isLong } from "../../support/long.js"
import { ended, run, show, subjects, task, unchangedButMain, unchangedFromHere, unit } from "../Jobs.js"
import * as Forge from "./Forge.js"
import * as Life from "./Life.js"
import { endure, type Phase, phases } from "./Phases.js"
import { commitOnMain, type Config } from "./Scenes.js"
import * as Witness from "./Witness.js"

/** A manager that is killed in a phase; its waiting processes continue at once, or never. */
const dies =
  (program: string, { letGo }: { readonly letGo: boolean }) =>
  (world: Witness.World, { at }: Pick<Phase, "at">, config: Config | undefined) =>
    Effect.gen(function* () {
      const life = yield* Life.begin(program, world, config)
      yield* life.until(Witness.reached(world, at))
      yield* life.kill
      if (letGo) yield* Witness.release(world)
    }).pipe(Effect.scoped)

interface Landing {
  readonly program: string
  readonly top: string
  /** The job to start; undefined if there is one. */
  readonly config: Config | undefined
  /** The gate of the landing at which the manager is killed first. */
  readonly gate: { readonly at: Phase["at"]; readonly times: number }
}

/** Kills the manager at a gate of the landing, before it moves the target and after it; nothing has landed but after that. */
const killedWhileLanding = (world: Witness.World, { config, gate, program, top }: Landing) =>
  Effect.gen(function* () {
    const die = dies(program, { letGo: false })
    const before = yield* world.git(top, "rev-parse", "main")
    let given = config
    for (const { at, times } of [
      gate,
      { at: ["before", "update-ref *refs/heads/main *"], times: 1 },
      { at: ["after", "update-ref *refs/heads/main *"], times: 1 }
    ] as const) {
      yield* Witness.holdAt(world, at, times)
      yield* die(world, { at }, given)
      given = undefined
      const isLanded = at[0] === "after"
      expect((yield* world.git(top, "rev-parse", "main")) === before, at.join(" ")).toBe(!isLanded)
    }
  })

/** What hangs since the kills does nothing more once it continues. */
const landsNoMore = (world: Witness.World, top: string) =>
  Effect.gen(function* () {
    const landed = yield* world.git(top, "rev-parse", "main")
    yield* Witness.release(world)
    expect(yield* world.git(top, "rev-parse", "main")).toBe(landed)
  })

describe("killing the manager in each phase of a task job", () => {
  for (const [what, letGo, some] of [
    ["if its child processes end", true, phases],
    ["if its child processes hang", false, phases.filter((_, index) => isLong || index % 3 === 0)]
  ] as const)
    it.scopedLive(
      `lets the job resume to the same result, with no task or merge run twice, ${what}`,
      () =>
        Effect.gen(function* () {
          const world = yield* Witness.world
          const program = yield* Life.program
          yield* endure(yield* Witness.job(world), some, dies(program, { letGo }))
        }),
      300_000
    )
})

describe("a merge interrupted by a crash", () => {
  it.scopedLive("is recorded as merged once the result contains it, also by the recovering manager", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const program = yield* Life.program
      const { config, top } = yield* Witness.job(world)
      const moves = ["before", "update-ref */result * *"] as const
      for (const given of [config, undefined]) {
        yield* Witness.holdAt(world, moves)
        yield* dies(program, { letGo: false })(world, { at: moves }, given)
        const { id, unit } = yield* Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          const { id } = yield* Witness.latest
          const { units } = yield* store.work.of(id)
          return { id, unit: units[0] }
        }).pipe(Effect.provide(Witness.records(world)))
        const result = (yield* world.git(top, "rev-parse", `charlotte/${id}/result`)).trim()
        expect(unit?.commit).toBeDefined()
        expect(unit?.commit).not.toBe(result)
        expect(unit?.state).toBe("running")
      }
    })
  )
})

describe("the notes on the work of a task", () => {
  it.scopedLive("are kept where the manager is killed as soon as its branch has moved", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const files = { "a/IMPLEMENTATION_PLAN.md": unit(), "a/01-a1.md": task(1, "true", "true") }
      const { config } = yield* Witness.job(world, files)
      const at = ["after", "update-ref */unit/a * *"] as const
      yield* Witness.holdAt(world, at)
      yield* dies(yield* Life.program, { letGo: false })(world, { at }, config)
      const { id } = yield* Effect.provide(Witness.latest, Witness.records(world))
      const { work } = yield* Effect.provide(ended(id), Witness.manager(world))
      expect(work.tasks).toMatchObject([{ state: "completed", calls: 1 }])
      expect(work.tasks[0]?.notes.join()).toContain("although no file was changed")
    })
  )
})

/** Three units; the third begins at the merge of the others. */
const diamond = {
  "charlotte.yaml": Witness.settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a1.md": Witness.named("a1", 1),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b1.md": Witness.named("b1", 1),
  "c/IMPLEMENTATION_PLAN.md": unit(["a", "b"]),
  "c/01-c1.md": Witness.named("c1", 1)
}

describe("the merge at which a unit begins", () => {
  it.scopedLive("is made again unless it was recorded, wherever the manager is killed", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const die = dies(yield* Life.program, { letGo: false })
      const { config, top, untouched } = yield* Witness.job(world, diamond)
      const expected = yield* Witness.undisturbed(diamond)
      const baseOfLast = Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const { id } = yield* Witness.latest
        return (yield* store.work.of(id)).units.find(({ unit }) => unit === "c")?.base
      }).pipe(Effect.provide(Witness.records(world)))
      // The gate of the task, and then on the merge, since the unit itself was merged without one.
      yield* Witness.holdAt(world, ["step", "gate-a1"], 2)
      yield* die(world, { at: ["step", "gate-a1"] }, config)
      expect(yield* baseOfLast).toBeUndefined()
      yield* Witness.holdAt(world, ["step", "agent-c1"])
      yield* die(world, { at: ["step", "agent-c1"] }, undefined)
      const base = yield* baseOfLast
      expect(base).toBeDefined()
      yield* Witness.holdAt(world, ["step", "gate-c1"])
      yield* die(world, { at: ["step", "gate-c1"] }, undefined)
      yield* Witness.comesOut({ config, top, untouched, world }, expected)
      expect(yield* baseOfLast).toBe(base)
    })
  )
})

describe("landing", () => {
  it.scopedLive("merges a target that moved exactly once, wherever the manager is killed", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const program = yield* Life.program
      const { config, top } = yield* Witness.job(world)
      const die = dies(program, { letGo: false })
      const baseline = ["step", "baseline"] as const
      yield* Witness.holdAt(world, baseline, 2)
      yield* die(world, { at: baseline }, config)
      const commit = yield* commitOnMain(world, top, "his.txt", "his\n")
      const untouched = yield* unchangedButMain(world, top)
      // The gates of the merged unit run first, then those of the landing.
      yield* killedWhileLanding(world, { program, top, config: undefined, gate: { at: ["step", "gate-b1"], times: 2 } })
      yield* Effect.gen(function* () {
        const { id, run } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id))
        expect(run).toMatchObject({ status: "completed", attempt: 5 })
        expect(yield* subjects(world, top, `${commit}..main`)).toEqual([
          `Merge job ${id} into main`,
          "Merge unit b",
          "Task 1",
          "Task 2",
          "Task 1"
        ])
        expect(yield* show(world, top, "main:his.txt")).toBe("his\n")
        yield* Witness.isQuiet(world, top, id)
        yield* Witness.isTidy(world, top, id)
        yield* landsNoMore(world, top)
      }).pipe(Effect.provide(Witness.manager(world)))
      yield* untouched
    })
  )

  it.scopedLive("lands what is done as a whole, and nothing of the rest, wherever the manager is killed", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const program = yield* Life.program
      const { config, top, untouched } = yield* Witness.job(world, {
        ...Witness.twoUnits,
        "charlotte.yaml": `attempts: 1\nland: done\n${Witness.settings}`,
        "b/02-b2.md": task(2, "echo b2 > b2.txt", "false", [1]),
        "c/IMPLEMENTATION_PLAN.md": unit(),
        "c/01-c1.md": Witness.named("c1", 1)
      })
      // The gates of the merged units run first, then those of the landing.
      yield* killedWhileLanding(world, { program, top, config, gate: { at: ["step", "gate-c1"], times: 3 } })
      yield* Effect.gen(function* () {
        const { id, run } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id))
        expect(run).toMatchObject({
          status: "failed",
          attempt: 4,
          error: { error: { landed: ["a", "c"], left: [{ unit: "b" }] } }
        })
        expect(yield* Witness.trailers(world, top, "mine..main")).toEqual(["a 1", "a 2", "c", "c 1"])
        yield* Witness.isQuiet(world, top, id)
        yield* landsNoMore(world, top)
      }).pipe(Effect.provide(Witness.manager(world)))
      yield* untouched
    })
  )

  it.scopedLive("lands the work of another job as a whole or not at all, wherever the manager is killed", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const program = yield* Life.program
      const { config, top, untouched } = yield* Witness.job(world, {
        ...Witness.twoUnits,
        "charlotte.yaml": `attempts: 1\n${Witness.settings}`,
        "c/IMPLEMENTATION_PLAN.md": unit(),
        "c/01-c1.md": task(1, "true", "false")
      })
      const failed = yield* Effect.provide(run(config), Witness.manager(world))
      expect(failed.run.status).toBe("failed")
      const landing = { ...config, landOf: failed.id }
      yield* killedWhileLanding(world, { program, top, config: landing, gate: { at: ["step", "gate-b1"], times: 1 } })
      yield* Effect.gen(function* () {
        const { id, run } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id))
        expect(run).toMatchObject({ status: "completed", attempt: 4, config: { landOf: failed.id } })
        expect(yield* Witness.trailers(world, top, "mine..main")).toEqual(["a 1", "a 2", "b", "b 1"])
        yield* Witness.isQuiet(world, top, id)
        yield* landsNoMore(world, top)
      }).pipe(Effect.provide(Witness.manager(world)))
      yield* untouched
    })
  )

  it.scopedLive("opens a pull request exactly once, wherever the manager is killed", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const program = yield* Life.program
      const { config, top } = yield* Witness.job(world)
      const { opened, proposing, pushed } = yield* Forge.make(world, top, { step: `${world.witness}/step` })
      const untouched = yield* unchangedFromHere(world, top)
      const die = dies(program, { letGo: false })
      let given: Config | undefined = { ...config, land: "pull-request" }
      for (const point of [
        ["before", "push *"],
        ["after", "push *"],
        ["step", "gh-create"],
        ["step", "gh-created"]
      ] as const) {
        yield* Witness.holdAt(world, point)
        yield* die(world, { at: point }, given)
        given = undefined
        expect(yield* opened, point.join(" ")).toBe(point[1] === "gh-created" ? 1 : 0)
      }
      yield* Effect.gen(function* () {
        const { run } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id))
        expect(run).toMatchObject({ status: "completed", attempt: 5, result: { pullRequest: { isOpen: true } } })
        yield* Witness.release(world)
        expect(yield* opened).toBe(1)
        expect(yield* pushed).toEqual([`charlotte/${run.id}/result`])
      }).pipe(Effect.provide(Witness.manager({ ...world, environment: proposing(world.environment) })))
      yield* untouched
    })
  )
})

/** Enough files to interrupt git while it writes them. */
const many = {
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-many.md": task(1, "mkdir many; cd many; seq 3000 | xargs touch", "test -f many/3000"),
  "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
  "b/01-one.md": task(1, "echo one > many/1", "grep -q one many/1")
}

const isDone = (world: Witness.World, top: string) =>
  Effect.gen(function* () {
    expect(yield* Witness.trailers(world, top, "mine..main")).toEqual(["a 1", "b 1"])
    expect((yield* world.git(top, "ls-tree", "--name-only", "main:many")).trim().split("\n")).toHaveLength(3000)
    expect(yield* show(world, top, "main:many/1")).toBe("one\n")
  })

/** A user who has the target checked out. */
const onTarget = (world: Witness.World) =>
  Effect.gen(function* () {
    const job = yield* Witness.job(world, many)
    yield* world.git(job.top, "switch", "--quiet", "main")
    const status = world.git(job.top, "status", "--porcelain", "--branch")
    const before = yield* status
    expect(before).toBe("## main\n M b.txt\n?? untracked.txt\n")
    return { ...job, untouched: Effect.map(status, (now) => expect(now).toBe(before)) }
  })

const fastForward = { at: ["during", "merge --ff-only *"] } as const

describe("a git process that a killed manager left running", () => {
  it.scopedLive("is killed if it writes the files of a worktree", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const { config, top, untouched } = yield* Witness.job(world, many)
      const at = ["during", "read-tree -m *"] as const
      yield* Witness.holdAt(world, at, 2)
      yield* dies(yield* Life.program, { letGo: false })(world, { at }, config)
      expect(Witness.waiting(world)).toHaveLength(1)
      yield* Effect.gen(function* () {
        const { id, run } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id))
        expect(run).toMatchObject({ status: "completed", attempt: 2 })
        expect(Witness.waiting(world)).toEqual([])
        yield* isDone(world, top)
        yield* Witness.isQuiet(world, top, id)
        yield* Witness.isTidy(world, top, id)
      }).pipe(Effect.provide(Witness.manager(world)))
      yield* untouched
    })
  )

  it.scopedLive("is awaited if it fast-forwards the user's checkout", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const { config, top, untouched } = yield* onTarget(world)
      yield* Witness.holdAt(world, fastForward.at)
      yield* dies(yield* Life.program, { letGo: false })(world, fastForward, config)
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { id } = yield* Witness.latest
        yield* Stream.runDrain(
          Stream.take(
            Stream.filter(manager.events(id), ({ type }) => type === "orch.landing"),
            2
          )
        )
        yield* Witness.release(world)
        const { run } = yield* ended(id)
        expect(run).toMatchObject({ status: "completed", attempt: 2 })
        yield* isDone(world, top)
        yield* Witness.isQuiet(world, top, id)
        yield* Witness.isTidy(world, top, id)
      }).pipe(Effect.provide(Witness.manager(world)))
      yield* untouched
    })
  )

  it.scopedLive("is reported and left alone if it does not end", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const { config, top, untouched } = yield* onTarget(world)
      yield* Witness.holdAt(world, fastForward.at)
      yield* dies(yield* Life.program, { letGo: false })(world, fastForward, config)
      const impatient = { ...world, environment: { ...world.environment, patience: Duration.millis(300) } }
      yield* Effect.gen(function* () {
        const { id, run } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id))
        expect(run).toMatchObject({
          status: "failed",
          error: { error: { _tag: "LandingBlocked", command: `charlotte retry ${id}` } }
        })
        expect(JSON.stringify(run.error)).toMatch(/index\.lock is locked by .*git \(pid \d+\)/)
        expect(Witness.waiting(world)).toHaveLength(1)
        // It ends after all.
        yield* Witness.release(world)
        yield* isDone(world, top)
        yield* Witness.isQuiet(world, top, id)
      }).pipe(Effect.provide(Witness.manager(impatient)))
      yield* untouched
    })
  )
})
