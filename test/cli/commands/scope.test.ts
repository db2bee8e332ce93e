/** Inside a repository, commands mean its jobs; outside of one, all. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Schema } from "effect"
import { mkdirSync, symlinkSync } from "node:fs"
import { id, newRun } from "../../store/runs.js"
import * as Repository from "../../support/Repository.js"
import * as CommandLine from "./CommandLine.js"

const Page = Schema.parseJson(
  Schema.Struct({ jobs: Schema.Array(Schema.Struct({ id: Schema.String })), next: Schema.optional(Schema.String) })
)

/** Two repositories, and a home with jobs of both: the odd ones of the first, the even ones of the second. */
const scene = (count: number) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const one = yield* Repository.plain(world, "one")
    const two = yield* Repository.plain(world, "two")
    const home = `${world.root}/charlotte`
    mkdirSync(home, { mode: 0o700 })
    yield* Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      for (let n = 1; n <= count; n++) {
        const config = { repoPath: n % 2 === 1 ? one : two, tasksDir: "tasks", targetBranch: "main" }
        yield* store.create(newRun(n, { config }))
      }
    }).pipe(Effect.provide(Layer.provideMerge(RunStore.layer, Database.layer({ filename: `${home}/charlotte.db` }))))
    const run = (directory: string, ...argv: ReadonlyArray<string>) =>
      CommandLine.make({ ...world, directory, variables: { CHARLOTTE_HOME: home } })(argv).answer
    const jobs = (directory: string, ...argv: ReadonlyArray<string>) =>
      Effect.map(run(directory, "jobs", "--json", ...argv), ({ out }) => {
        const { jobs, next } = Schema.decodeSync(Page)(out)
        return [jobs.map(({ id }) => id), next] as const
      })
    return { ...world, one, two, run, jobs }
  })

const ids = (...numbers: ReadonlyArray<number>) => numbers.map(id)

describe("inside a repository", () => {
  it.scoped("jobs lists those of the repository, from anywhere in it, and --all the others, too", () =>
    Effect.gen(function* () {
      const { git, jobs, one, root, two } = yield* scene(5)
      yield* git(one, "worktree", "add", "--quiet", `${root}/linked`)
      symlinkSync(one, `${root}/link`)
      for (const directory of [one, `${one}/dir`, `${root}/linked`, `${root}/linked/dir`, `${root}/link`]) {
        expect([directory, yield* jobs(directory)]).toEqual([directory, [ids(5, 3, 1), undefined]])
      }
      expect(yield* jobs(two)).toEqual([ids(4, 2), undefined])
      for (const [directory, ...more] of [[one, "--all"], [root], [`${root}/home`]] as const) {
        expect(yield* jobs(directory, ...more)).toEqual([ids(5, 4, 3, 2, 1), undefined])
      }
    })
  )

  it.scoped("pages hold as many as were asked for, and end where the jobs of the repository do", () =>
    Effect.gen(function* () {
      const { jobs, one } = yield* scene(300)
      expect(yield* jobs(one, "--limit", "2")).toEqual([ids(299, 297), id(297)])
      expect(yield* jobs(one, "--limit", "2", "--before", id(297))).toEqual([ids(295, 293), id(293)])
      const [all, next] = yield* jobs(one, "--limit", "150")
      expect([all.length, all.at(-1), next]).toEqual([150, id(1), undefined])
      expect(yield* jobs(one, "--limit", "2", "--before", id(4))).toEqual([ids(3, 1), undefined])
    })
  )

  it.scoped("latest is the newest job of the repository, and outside of one of all", () =>
    Effect.gen(function* () {
      const { one, root, run, two } = yield* scene(121)
      for (const [directory, newest] of [
        [one, id(121)],
        [two, id(120)],
        [root, id(121)]
      ] as const) {
        expect((yield* run(directory, "show", "latest")).out).toContain(`job ${newest}\n`)
      }
    })
  )

  it.scoped("without a job of its own says so, and how to see the others", () =>
    Effect.gen(function* () {
      const world = yield* scene(2)
      const three = yield* Repository.plain(world, "three")
      const hint =
        "no jobs in this repository yet; start one with: charlotte run TASKSDIR; list all with: charlotte jobs --all\n"
      expect(yield* world.run(three, "jobs")).toEqual({ code: 0, out: "", err: hint })
      expect(yield* world.run(three, "show", "latest")).toEqual({ code: 2, out: "", err: `charlotte: ${hint}` })
    })
  )
})
