/** Pruning loses no work unless it is discarded explicitly. */
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Prune } from "charlotte/tasks"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import * as Repository from "../support/Repository.js"
import { charlotte, repository, run, task, unit } from "./Jobs.js"

const makes = (file: string) => [`echo ${file} > ${file}`, `grep -q ${file} ${file}`] as const

/** Unit `a` and the first task of `b` complete; the second task of `b` fails until a flag file exists. */
const files = (root: string) => ({
  "charlotte.yaml": "attempts: 1\n",
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a.md": task(1, ...makes("a1")),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b.md": task(1, ...makes("b1")),
  "b/02-b.md": task(2, "touch b2", `test -e '${root}/flag'`, [1])
})

const branches = (world: Repository.Sandbox, top: string) =>
  Effect.map(world.git(top, "for-each-ref", "--format=%(refname:short)", "refs/heads/charlotte"), (lines) =>
    lines.split("\n").filter((line) => line !== "")
  )

const calls = ({ types }: Effect.Effect.Success<ReturnType<typeof run>>) =>
  types.flatMap((type) => (type.startsWith("task.started ") ? [type.slice("task.started ".length)] : []))

describe("prune", () => {
  it.scopedLive("keeps the work of a failed job, even from git gc, for a retry", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, files(world.root))
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        expect(first.run.status).toBe("failed")
        const [report] = yield* Prune.prune()
        expect(report?.problems).toEqual([])
        const worktree = `${world.root}/charlotte/worktrees/${first.id}/b`
        expect(report?.kept).toEqual([
          { name: worktree, jobId: first.id, reason: "it has uncommitted changes: b2" },
          {
            name: `charlotte/${first.id}/unit/b`,
            jobId: first.id,
            reason: "it is checked out in a worktree that is kept"
          },
          {
            name: `charlotte/${first.id}/result`,
            jobId: first.id,
            reason: expect.stringMatching(/^no other branch contains its last (\d+ commits|commit)$/)
          }
        ])
        yield* world.git(worktree, "clean", "--quiet", "--force")
        const [clean] = yield* Prune.prune()
        expect(clean).toMatchObject({ worktrees: [worktree], branches: [], problems: [] })
        expect(clean?.kept.map(({ name }) => name)).toEqual([
          `charlotte/${first.id}/result`,
          `charlotte/${first.id}/unit/b`
        ])
        yield* world.git(top, "reflog", "expire", "--expire=now", "--all")
        yield* world.git(top, "gc", "--quiet", "--prune=now")

        yield* world.write(`${world.root}/flag`, "")
        const second = yield* run({ ...config, retryOf: first.id })
        expect(second.run.status).toBe("completed")
        expect(calls(second)).toEqual(["b 2"])

        // The target contains all of it now.
        expect(yield* Prune.prune()).toMatchObject([{ kept: [], problems: [] }])
        expect(yield* branches(world, top)).toEqual([])
        expect(yield* Prune.prune()).toEqual([])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("removes work that another branch contains, but not work that only a tag refers to", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, { "01-a.md": task(1, ...makes("a1")) })
      yield* Effect.gen(function* () {
        const { id } = yield* run({ ...config, land: false })
        const result = `charlotte/${id}/result`
        yield* world.git(top, "tag", "kept", result)
        const dry = yield* Prune.prune({ dryRun: true })
        expect(dry).toMatchObject([{ kept: [{ name: result }] }])
        expect(yield* Prune.prune()).toMatchObject([{ kept: [{ name: result }] }])
        yield* world.git(top, "branch", "elsewhere", result)
        expect(yield* Prune.prune({ dryRun: true })).toMatchObject([{ branches: [result], kept: [] }])
        expect(yield* branches(world, top)).toEqual([result])
        expect(yield* Prune.prune()).toMatchObject([{ branches: [result], kept: [] }])
        expect(yield* branches(world, top)).toEqual([])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("discards the work of one job with discard", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, files(world.root))
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        const second = yield* run(config)
        const [report] = yield* Prune.prune({ jobs: [first.id], discard: true })
        expect(report).toMatchObject({ kept: [], problems: [] })
        expect(existsSync(`${world.root}/charlotte/worktrees/${first.id}/b`)).toBe(false)
        expect(existsSync(`${world.root}/charlotte/worktrees/${second.id}/b`)).toBe(true)
        const left = yield* branches(world, top)
        expect(left.length).toBeGreaterThan(0)
        expect(left.every((name) => name.startsWith(`charlotte/${second.id}/`))).toBe(true)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("finds what jobs left that retention has removed, and keeps their work until it is discarded", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, files(world.root))
      yield* Effect.gen(function* () {
        const { id } = yield* run(config)
        const store = yield* RunStore.RunStore
        yield* store.retain({ kind: "tasks", retention: { failed: 0 }, forget: () => Effect.void })
        expect(yield* store.prune({})).toMatchObject([{ jobs: [id] }])
        const directory = `${world.root}/charlotte`
        const worktree = `${directory}/worktrees/${id}/b`

        // Without the directory it may be the job of another home.
        expect(yield* Prune.prune({ repository: top })).toEqual([])
        expect(yield* Prune.prune({ directory: `${world.root}/elsewhere`, repository: top })).toEqual([])
        // Nobody knows when it ended.
        expect(yield* Prune.prune({ directory, olderThan: 0 })).toEqual([])
        const [report] = yield* Prune.prune({ directory })
        expect(report).toMatchObject({ repository: top, worktrees: [], branches: [], problems: [] })
        expect(report?.kept).toEqual([
          {
            name: worktree,
            jobId: id,
            reason: "it has uncommitted changes: b2, and its job is no longer recorded"
          },
          {
            name: `charlotte/${id}/unit/b`,
            jobId: id,
            reason: "it is checked out in a worktree that is kept, and its job is no longer recorded"
          },
          {
            name: `charlotte/${id}/result`,
            jobId: id,
            reason: expect.stringMatching(/^no other branch contains its last .*, and its job is no longer recorded$/)
          }
        ])
        expect(existsSync(worktree)).toBe(true)
        const discarded = yield* Prune.prune({ directory, jobs: [id], discard: true })
        expect(discarded).toMatchObject([{ worktrees: [worktree], kept: [], problems: [] }])
        expect(yield* branches(world, top)).toEqual([])
        expect(yield* Prune.prune({ directory })).toEqual([])
        expect(existsSync(`${directory}/worktrees/${id}`)).toBe(false)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("keeps snapshots of unfinished work until they are discarded, also of a job that is not recorded", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      // The first attempt at `a` and at `b` is discarded; `b` fails.
      const moves = (unit: string, gate: string) =>
        task(
          1,
          `test -e '${world.root}/${unit}' || { date > lost; git checkout -q --detach; touch '${world.root}/${unit}'; }`,
          gate
        )
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 2\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": moves("a", "test ! -e lost"),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": moves("b", "false")
      })
      yield* Effect.gen(function* () {
        const directory = `${world.root}/charlotte`
        const pruned = (options: Prune.Options = {}) =>
          Effect.map(Prune.prune({ directory, ...options }), ([report]) => ({
            snapshots: report?.snapshots ?? [],
            kept: (report?.kept ?? []).filter(({ name }) => name.includes("/unfinished/"))
          }))
        const { id } = yield* run(config)
        const [a, b] = ["a", "b"].map((unit) => `${directory}/unfinished/${id}/${unit}`)
        const keptB = { name: b, jobId: id, reason: "it has snapshots of unfinished work" }
        expect(yield* pruned({ dryRun: true })).toEqual({ snapshots: [a], kept: [keptB] })
        expect(yield* pruned({ directory: `${world.root}/elsewhere` })).toEqual({ snapshots: [], kept: [] })
        expect(yield* pruned({ repository: yield* Repository.plain(world, "other") })).toEqual({
          snapshots: [],
          kept: []
        })
        expect(yield* pruned({ repository: top })).toEqual({ snapshots: [a], kept: [keptB] })
        expect([a, b].map((path) => existsSync(path ?? ""))).toEqual([false, true])

        const store = yield* RunStore.RunStore
        yield* store.retain({ kind: "tasks", retention: { failed: 0 }, forget: () => Effect.void })
        expect(yield* store.prune({})).toMatchObject([{ jobs: [id] }])
        expect(yield* pruned()).toEqual({
          snapshots: [],
          kept: [{ ...keptB, reason: `${keptB.reason}, and its job is no longer recorded` }]
        })
        expect(yield* pruned({ jobs: [id], discard: true })).toEqual({ snapshots: [b], kept: [] })
        expect(yield* Prune.prune({ directory })).toEqual([])
        expect(existsSync(`${directory}/unfinished/${id}`)).toBe(false)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is limited to the named repository and to jobs that are old enough", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const plan = { "01-a.md": task(1, ...makes("a1")) }
      const one = yield* repository(world, plan)
      const other = yield* repository(world, plan, "other")
      yield* Effect.gen(function* () {
        yield* run(one.config)
        yield* run(other.config)
        expect(yield* Prune.prune({ olderThan: "1 hour" })).toEqual([])
        const pruned = yield* Prune.prune({ repository: `${one.top}/tasks`, olderThan: 0 })
        expect(pruned.map(({ repository }) => repository)).toEqual([one.top])
        expect(yield* branches(world, one.top)).toEqual([])
        expect((yield* branches(world, other.top)).length).toBeGreaterThan(0)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )
})
