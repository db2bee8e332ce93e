/** An agent that is cut off finds at its next turn what it has left in its worktree. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Run, RunStore } from "charlotte"
import { Prune } from "charlotte/tasks"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { jumping } from "../support/jumpingClock.js"
import * as Repository from "../support/Repository.js"
import { appears, charlotte, ended, repository, task, untilClosed } from "./Jobs.js"
import { commitOnMain, eventually } from "./run/Scenes.js"
import { agent, expectNothingOf, left, tasksOf } from "./UnfinishedWork.js"

/** Waits until the record of a job has a status. */
const becomes = (id: Run.Run["id"], status: Run.Run["status"]) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
      until: (run) => run.status === status
    })
  )

/** A repository with a task for each unit, and the config of a job whose agent runs the script at the end of each turn. */
const scene = (units: ReadonlyArray<string>, script: string) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const { config, top, untouched } = yield* repository(world, tasksOf(units))
    const layer = charlotte(world, { profiles: [agent(world, script)] })
    return { world, top, untouched, layer, config: { ...config, agent: "mine", concurrency: units.length } }
  })

type Scene = Effect.Effect.Success<ReturnType<typeof scene>>

const start = ({ config }: Scene) => Effect.flatMap(JobManager.JobManager, ({ start }) => start(config))

/** The job completes, and each unit found at its second turn what its first one had left. */
const comesOut = ({ top, untouched, world }: Scene, id: Run.Run["id"], units: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const job = yield* ended(id)
    expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
    for (const unit of units) {
      expect(left(world, unit, "before", 2), unit).toBe(left(world, unit, "after", 1))
      expect(yield* world.git(top, "show", `main:${unit}-crlf-1.txt`)).toBe("a\r\n1\r\nlast\n")
    }
    expect(job.work.tasks.flatMap(({ notes }) => notes)).toEqual([])
    yield* untouched
    return job
  })

for (const units of [["a"], ["a", "b", "c", "d"]]) {
  const count = units.length === 1 ? "of one unit" : `of ${units.length} units`
  describe(`the unfinished work ${count}`, () => {
    it.scopedLive("is there after the usage limit of its agent", () =>
      jumping((jump) =>
        Effect.gen(function* () {
          // All of them are at work when the first one reaches the limit.
          const all = units.map((unit) => `await ${unit}-after-1`).join("; ")
          const one = yield* scene(units, `[ $n = 1 ] && { ${all}; limited 3600; }; worked`)
          yield* Effect.gen(function* () {
            const id = yield* start(one)
            yield* becomes(id, "parked")
            yield* expectNothingOf(one.world, one.top)
            yield* jump("1 hour")
            const { work } = yield* comesOut(one, id, units)
            expect(work.tasks.map(({ failures }) => failures)).toEqual(units.map(() => 0))
          }).pipe(Effect.provide(one.layer))
        })
      )
    )

    it.scopedLive("is there after the manager was closed", () =>
      Effect.gen(function* () {
        const one = yield* scene(units, "[ $n = 1 ] && hang; worked")
        const first = yield* untilClosed(one.layer)
        const id = yield* Effect.provide(start(one), first.context)
        for (const unit of units) yield* appears(`${one.world.root}/${unit}-after-1`)
        yield* first.close
        yield* expectNothingOf(one.world, one.top)
        yield* Effect.provide(comesOut(one, id, units), one.layer)
      })
    )
  })
}

/** Starts a job whose agents hang after their first turn's work, stops it then, and returns its id. */
const stopped = (one: Scene, units: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* start(one)
    for (const unit of units) yield* appears(`${one.world.root}/${unit}-after-1`)
    yield* manager.stop(id)
    return id
  })

describe("a retry", () => {
  for (const units of [["a"], ["a", "b", "c", "d"]])
    it.scopedLive(`adopts the worktrees of a stopped job with all files: ${units.length}`, () =>
      Effect.gen(function* () {
        const one = yield* scene(units, "[ $n = 1 ] && hang; worked")
        const { config, top, world } = one
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const first = yield* stopped(one, units)
          yield* expectNothingOf(world, top)
          const { work } = yield* comesOut(one, yield* manager.start({ ...config, retryOf: first }), units)
          const store = yield* RunStore.RunStore
          const before = yield* store.work.of(first)
          expect(work.units.map(({ worktree }) => worktree)).toEqual(before.units.map(({ worktree }) => worktree))
        }).pipe(Effect.provide(one.layer))
      })
    )

  it.scopedLive("keeps what it has adopted while the job before is pruned, and hands it to the next retry", () =>
    Effect.gen(function* () {
      const one = yield* scene(["a"], "[ $n -lt 3 ] && hang; worked")
      const { config, top, world } = one
      const directory = `${world.root}/charlotte`
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const first = yield* stopped(one, ["a"])
        const second = yield* manager.start({ ...config, retryOf: first })
        yield* appears(`${world.root}/a-after-2`)
        yield* Prune.prune({ directory, discard: true })
        yield* manager.stop(second)
        // The user changes the task and commits something else.
        const edited = task(1, "true", "test -e ok-a && echo edited")
        yield* commitOnMain(world, top, "tasks/a/01-task.md", edited)
        yield* world.write(`${top}/tasks/a/01-task.md`, edited)
        yield* commitOnMain(world, top, "news.txt", "news\n")
        const third = yield* ended(yield* manager.start({ ...config, retryOf: second }))
        expect([third.run.status, third.run.error]).toEqual(["completed", undefined])
        expect(left(world, "a", "before", 2)).toBe(left(world, "a", "after", 1))
        expect(left(world, "a", "before", 3)).toBe(left(world, "a", "after", 2))
        const file = yield* world.git(top, "show", "main:tasks/a/01-task.md")
        expect(file).toBe(edited.replace("pending", "complete"))
        expect(yield* world.git(top, "show", "main:news.txt", "main:a-crlf-1.txt")).toBe("news\na\r\n1\r\nlast\n")
        expect(yield* Prune.prune({ directory })).toMatchObject([{ kept: [], problems: [] }])
        expect((yield* world.git(top, "worktree", "list")).trim().split("\n")).toHaveLength(1)
      }).pipe(Effect.provide(one.layer))
    })
  )

  it.scopedLive("begins at the base with fresh, and the old work stays until it is pruned", () =>
    Effect.gen(function* () {
      const one = yield* scene(["a"], "[ $n = 1 ] && hang; worked")
      const { config, world } = one
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const first = yield* stopped(one, ["a"])
        const second = yield* ended(yield* manager.start({ ...config, retryOf: first, fresh: true }))
        expect([second.run.status, second.run.error]).toEqual(["completed", undefined])
        expect(left(world, "a", "before", 2)).toBe(left(world, "a", "before", 1))
        expect(yield* Prune.prune()).toMatchObject([
          { kept: [{ jobId: first, reason: expect.stringContaining("it has uncommitted changes") }, { jobId: first }] }
        ])
      }).pipe(Effect.provide(one.layer))
    })
  )

  it.scopedLive(
    "and another one of the same job at once work in directories of their own, and one goes on with the files",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, { "01-a.md": task(1, "true", "test -e where.txt") })
        yield* world.git(top, "branch", "next", "main")
        // The first turn hangs. The next ones show where they worked.
        const work =
          "test -e $R/again || { echo half > half.txt; touch $R/begun; exec sleep 1000; }; pwd > where.txt; ended"
        const layer = charlotte(world, { profiles: [agent(world, work, "true")] })
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const first = yield* manager.start({ ...config, agent: "mine" })
          yield* appears(`${world.root}/begun`)
          yield* manager.stop(first)
          yield* world.write(`${world.root}/again`, "")
          const retries = yield* Effect.forEach(
            ["main", "next"],
            (targetBranch) =>
              Effect.flatMap(manager.start({ ...config, agent: "mine", targetBranch, retryOf: first }), ended),
            { concurrency: "unbounded" }
          )
          expect(retries.map(({ run }) => [run.status, run.error])).toEqual([
            ["completed", undefined],
            ["completed", undefined]
          ])
          const directories = retries.map(({ work }) => work.units[0]?.worktree)
          const landed = yield* Effect.forEach(["main", "next"], (target) =>
            world.git(top, "show", `${target}:where.txt`)
          )
          expect(landed).toEqual(directories.map((directory) => `${directory}\n`))
          expect(new Set(directories).size).toBe(2)
          const files = yield* Effect.forEach(["main", "next"], (target) =>
            world.git(top, "ls-tree", "--name-only", target)
          )
          expect(files.filter((names) => names.split("\n").includes("half.txt"))).toHaveLength(1)
        }).pipe(Effect.provide(layer))
      })
  )

  it.scopedLive("makes a worktree if another retry of the same job has adopted the one of that job", () =>
    Effect.gen(function* () {
      const one = yield* scene(["a"], "[ $n -lt 3 ] && hang; worked")
      const { config, top, world } = one
      yield* world.git(top, "branch", "next", "main")
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const first = yield* stopped(one, ["a"])
        const second = yield* manager.start({ ...config, retryOf: first })
        yield* appears(`${world.root}/a-after-2`)
        const third = yield* ended(yield* manager.start({ ...config, targetBranch: "next", retryOf: first }))
        expect([third.run.status, third.run.error]).toEqual(["completed", undefined])
        expect(left(world, "a", "before", 2)).toBe(left(world, "a", "after", 1))
        expect(left(world, "a", "before", 3)).toBe(left(world, "a", "before", 1))
        yield* manager.stop(second)
        const fourth = yield* ended(yield* manager.start({ ...config, retryOf: second }))
        expect(fourth.run.status).toBe("completed")
        expect(left(world, "a", "before", 4)).toBe(left(world, "a", "after", 2))
      }).pipe(Effect.provide(one.layer))
    })
  )
})

describe("the work of an attempt whose gate has failed", () => {
  for (const [name, refusal, resume] of [
    ["reaches its usage limit", "limited 3600", "jump"],
    ["has no login", "refused 'Invalid API key · Please run /login'", "person"]
  ] as const)
    it.scopedLive(`is there after another unit ${name} and the job is parked`, () =>
      jumping((jump) =>
        Effect.gen(function* () {
          const script = `case "$u $n" in
            'a 1') await b-after-1; ${refusal};;
            'b 1') await go; ended;;
            *) worked
          esac`
          const one = yield* scene(["a", "b"], script)
          yield* Effect.gen(function* () {
            const manager = yield* JobManager.JobManager
            const id = yield* start(one)
            yield* eventually(id, "unit.waiting a")
            yield* one.world.write(`${one.world.root}/go`, "")
            yield* becomes(id, "parked")
            yield* expectNothingOf(one.world, one.top)
            yield* resume === "jump" ? jump("1 hour") : manager.resume(id)
            const { work } = yield* comesOut(one, id, ["a", "b"])
            expect(work.tasks.map(({ failures }) => failures)).toEqual([0, 1])
          }).pipe(Effect.provide(one.layer))
        })
      )
    )
})

describe("a worktree", () => {
  it.scopedLive("is set up again only if its setup has not passed there", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      // The setup first hangs, and the manager is closed then.
      const setup = `echo x >> '${world.root}/setups'; test -e '${world.root}/go' || sleep 1000`
      const { config } = yield* repository(world, {
        ...tasksOf(["a"]),
        "charlotte.yaml": `setup: ${JSON.stringify(setup)}\n`
      })
      const layer = charlotte(world, { profiles: [agent(world, "[ $n -lt 3 ] && hang; worked")] })
      const first = yield* untilClosed(layer)
      const id = yield* Effect.flatMap(JobManager.JobManager, ({ start }) => start({ ...config, agent: "mine" })).pipe(
        Effect.provide(first.context)
      )
      yield* appears(`${world.root}/setups`)
      yield* first.close
      yield* world.write(`${world.root}/go`, "")
      for (const turn of [1, 2]) {
        const life = yield* untilClosed(layer)
        yield* appears(`${world.root}/a-after-${turn}`)
        yield* life.close
      }
      expect((yield* Effect.provide(ended(id), layer)).run.status).toBe("completed")
      expect(readFileSync(`${world.root}/setups`, "utf8")).toBe("x\nx\n")
    })
  )

  it.scopedLive("is made again at its last good commit, and a note says so, if a rebase was cut off there", () =>
    Effect.gen(function* () {
      const rebase =
        "git add --all; git commit --quiet -m all; git rebase --quiet --exec false HEAD~1 2> /dev/null || true"
      const one = yield* scene(["a"], `[ $n = 1 ] && { ${rebase}; touch "$R/rebasing"; hang; }; worked`)
      const first = yield* untilClosed(one.layer)
      const id = yield* Effect.provide(start(one), first.context)
      yield* appears(`${one.world.root}/rebasing`)
      yield* first.close
      const job = yield* Effect.provide(ended(id), one.layer)
      expect(job.run.status).toBe("completed")
      expect(left(one.world, "a", "before", 2)).toBe(left(one.world, "a", "before", 1))
      expect(job.work.tasks.flatMap(({ notes }) => notes)).toEqual([
        expect.stringMatching(/^unfinished work was discarded, since HEAD had been moved/)
      ])
    })
  )
})
