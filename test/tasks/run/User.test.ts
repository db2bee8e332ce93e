import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Cause, Effect, Fiber, Ref } from "effect"
import { readFileSync } from "node:fs"
import { ended, show, unit } from "../Jobs.js"
import * as Witness from "./Witness.js"

const files = {
  "charlotte.yaml": Witness.settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a1.md": Witness.named("a1", 1),
  "a/02-a2.md": Witness.named("a2", 2, [1]),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b1.md": Witness.named("b1", 1),
  "b/02-b2.md": Witness.named("b2", 2),
  "c/IMPLEMENTATION_PLAN.md": unit(["a"]),
  "c/01-c1.md": Witness.named("c1", 1)
}

/**
 * Runs git as the user, and again if it failed on a worktree that the job was just creating: git reads the metadata of all
 * worktrees first, and fails on one whose files are still empty.
 */
const again =
  (git: Witness.World["git"]): Witness.World["git"] =>
  (cwd, ...args) =>
    Effect.retry(Effect.sandbox(git(cwd, ...args)), {
      times: 10,
      while: (cause) => /failed to read \S+\/commondir/.test(Cause.pretty(cause))
    }).pipe(Effect.unsandbox)

/** Typical user actions; uncommitted files are stashed and restored. */
const round = (world: Witness.World, top: string, n: number) =>
  Effect.gen(function* () {
    const { write } = world
    const git = again(world.git)
    yield* write(`${top}/round-${n}.txt`, `${n}\n`)
    yield* git(top, "add", `round-${n}.txt`)
    yield* git(top, "commit", "--quiet", "-m", `round ${n}`)
    yield* git(top, "stash", "push", "--quiet", "--include-untracked")
    yield* git(top, "switch", "--quiet", "other")
    yield* git(top, "commit", "--quiet", "--allow-empty", "-m", `other ${n}`)
    yield* git(top, "branch", `left-${n}`)
    yield* git(top, "gc", "--quiet")
    yield* git(top, "switch", "--quiet", "mine")
    yield* git(top, "stash", "pop", "--quiet")
    yield* git(top, "worktree", "prune")
  })

describe("a user who works in the repository while a job runs", () => {
  it.scopedLive(
    "can commit, stash, switch and clean up without losing anything or affecting the job",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const expected = yield* Witness.undisturbed(files)
        const job = yield* Witness.job(world, files, 3)
        const { config, top } = job
        const dirty = yield* world.git(top, "status", "--porcelain")
        const stashed = yield* world.git(top, "stash", "list", "--format=%H")
        const base = (yield* world.git(top, "rev-parse", "main")).trim()
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          const rounds = yield* Ref.make(0)
          const isOver = yield* Ref.make(false)
          const user = yield* Effect.fork(
            Effect.repeat(
              Effect.flatMap(
                Ref.updateAndGet(rounds, (n) => n + 1),
                (n) => round(world, top, n)
              ),
              { until: () => Ref.get(isOver) }
            )
          )
          const { run } = yield* ended(id)
          yield* Ref.set(isOver, true)
          yield* Fiber.join(user)
          expect(run.error).toBeUndefined()

          const count = yield* Ref.get(rounds)
          const subjects = (branch: string) =>
            Effect.map(world.git(top, "log", "--format=%s", `${base}..${branch}`), (log) => log.trim().split("\n"))
          const numbers = Array.from({ length: count }, (_, index) => count - index)
          expect(count).toBeGreaterThan(1)
          expect(yield* subjects("mine")).toEqual(numbers.map((n) => `round ${n}`))
          expect((yield* subjects("other")).slice(0, count)).toEqual(numbers.map((n) => `other ${n}`))
          expect(yield* world.git(top, "status", "--porcelain")).toBe(dirty)
          expect(yield* world.git(top, "stash", "list", "--format=%H")).toBe(stashed)
          expect(yield* show(world, top, `mine:round-${count}.txt`)).toBe(`${count}\n`)

          expect(yield* world.git(top, "rev-parse", "main^{tree}")).toBe(expected.tree)
          expect(yield* Witness.trailers(world, top, `${base}..main`)).toEqual(expected.trailers)
          yield* Witness.isQuiet(world, top, id)
          yield* Witness.isTidy(world, top, id)
        }).pipe(Effect.provide(Witness.manager(world)))
      }),
    300_000
  )

  it.scopedLive("can check out the result branch: files are updated unless uncommitted work would be lost", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const expected = yield* Witness.undisturbed()
      const { config, top } = yield* Witness.job(world)
      yield* world.git(top, "stash", "push", "--quiet", "--include-untracked")
      const at = ["step", "agent-a1"] as const
      yield* Witness.holdAt(world, at)
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* Witness.reached(world, at)
        yield* world.git(top, "switch", "--quiet", `charlotte/${id}/result`)
        yield* world.write(`${top}/b1.txt`, "his\n")
        yield* Witness.release(world)
        const { run } = yield* ended(id)
        expect(run.error).toBeUndefined()
        expect(yield* world.git(top, "rev-parse", "main^{tree}")).toBe(expected.tree)
        expect(yield* world.git(top, "symbolic-ref", "HEAD")).toBe(`refs/heads/charlotte/${id}/result\n`)
        expect(yield* world.git(top, "log", "-1", "--format=%s")).toBe("Task 2\n")
        expect(yield* world.git(top, "status", "--porcelain")).toBe("?? b1.txt\n")
        expect(readFileSync(`${top}/b1.txt`, "utf8")).toBe("his\n")
        expect(readFileSync(`${top}/a2.txt`, "utf8")).toBe("a2\n")
      }).pipe(Effect.provide(Witness.manager(world)))
    })
  )
})
