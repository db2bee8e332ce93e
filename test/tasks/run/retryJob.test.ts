import { describe, expect, it } from "@effect/vitest"
import { JobId, JobManager } from "charlotte"
import { rm } from "node:fs/promises"
import { DateTime, Effect } from "effect"
import * as Summary from "../../../src/cli/run/Summary.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, show, subjects, task, unchangedButMain, unit } from "../Jobs.js"
import { commitOf, commitOnMain, counted, counting, doneTasks, eventually, follow, pausing, refusal } from "./Scenes.js"

type Ended = Effect.Effect.Success<ReturnType<typeof ended>>

/** The tasks for which an agent was started. */
const calls = ({ types }: Ended) =>
  types.filter((type) => type.startsWith("task.agent.started")).map((type) => type.replace(/^\S+ /, ""))

const states = ({ work }: Ended) => Object.fromEntries(work.units.map(({ state, unit }) => [unit, state]))

/** The user changes a task, on the target and in the checkout. */
const mend = (world: Repository.Sandbox, top: string, file: string, content: string) =>
  Effect.zipRight(commitOnMain(world, top, file, content), world.write(`${top}/${file}`, content))

const switchToMain = (world: Repository.Sandbox, top: string) =>
  world.shell(top, "git checkout --quiet -- . && git clean -fdq && git switch --quiet main")

const makes = (file: string) => [`echo ${file} > ${file}`, `test -e ${file}`] as const

describe("retry", () => {
  it.scopedLive(
    "lets a unit begin with all units that it depends on, also with those that the job before has merged",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, {
          "charlotte.yaml": "attempts: 1\n",
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-a.md": task(1, ...makes("a1")),
          "b/IMPLEMENTATION_PLAN.md": unit(),
          "b/01-b.md": task(1, ...makes("b1")),
          "b/02-b.md": task(2, "touch b2", `test -e '${world.root}/mended'`, [1]),
          "c/IMPLEMENTATION_PLAN.md": unit(["a", "b"]),
          "c/01-c.md": task(1, "cat a1 b1 > c1", "test $(wc -l < c1) -eq 2")
        })
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          expect(states(first)).toEqual({ a: "merged", b: "failed", c: "blocked" })
          yield* world.write(`${world.root}/mended`, "")
          expect((yield* run({ ...config, retryOf: first.id })).run.status).toBe("completed")
        }).pipe(Effect.provide(charlotte(world)))
      })
  )

  it.scopedLive("merges nothing of a unit that another retry has completed from the start", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, "touch a1", `test -e '${world.root}/mended'`),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": task(1, `cp '${world.root}/version' b1; touch "b1.$(cat b1)"`, "test -e b1"),
        "b/02-b.md": task(2, "touch b2", `test -e '${world.root}/mended'`, [1])
      })
      yield* world.write(`${world.root}/version`, "old")
      yield* switchToMain(world, top)
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        expect(states(first)).toEqual({ a: "failed", b: "failed" })
        yield* world.write(`${world.root}/mended`, "")
        yield* world.write(`${world.root}/version`, "new")
        const second = yield* run({ ...config, retryOf: first.id, units: ["b"], fresh: true })
        expect(second.run.status).toBe("completed")
        const third = yield* run({ ...config, retryOf: first.id, units: ["a"] })
        expect(third.run.error?.error).toBeUndefined()
        const files = (yield* world.git(top, "ls-tree", "--name-only", "main")).split("\n")
        expect(files).toContain("b1.new")
        expect(files).not.toContain("b1.old")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("runs the remaining tasks on the branches of started units, and none twice", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, ...makes("a1")),
        "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
        "b/01-b.md": task(1, ...makes("b1")),
        "b/02-b.md": task(2, "touch b2", "test -e mended"),
        "b/03-b.md": task(3, ...makes("b3"), [2]),
        "c/IMPLEMENTATION_PLAN.md": unit(["b"]),
        "c/01-c.md": task(1, ...makes("c1")),
        "d/IMPLEMENTATION_PLAN.md": unit(),
        "d/01-d.md": task(1, ...makes("d1"))
      })
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        expect(states(first)).toEqual({ a: "merged", b: "failed", c: "blocked", d: "merged" })
        expect(calls(first).toSorted()).toEqual(["a 1", "b 1", "b 2", "d 1"])

        // Nothing has changed: it fails at the same task, with the same completed work.
        const second = yield* run({ ...config, retryOf: first.id })
        expect(states(second)).toEqual({ a: "skipped", b: "failed", c: "blocked", d: "skipped" })
        expect(calls(second)).toEqual(["b 2"])

        // The user fixes the failed task, and makes another commit.
        yield* mend(world, top, "tasks/b/02-b.md", task(2, "touch b2", "test -e b2"))
        yield* commitOnMain(world, top, "user.txt", "user\n")
        const untouched = yield* unchangedButMain(world, top)
        const third = yield* run({ ...config, retryOf: second.id })
        expect(third.run.status).toBe("completed")
        expect(calls(third)).toEqual(["b 2", "b 3", "c 1"])
        const done = yield* doneTasks(world, top, "mine..main")
        expect(done.toSorted()).toEqual(["a 1", "b 1", "b 2", "b 3", "c 1", "d 1"])
        const merges = (yield* subjects(world, top, "mine..main")).filter((subject) => subject.startsWith("Merge unit"))
        expect(merges).toHaveLength(new Set(merges).size)
        for (const file of ["a1", "b1", "b2", "b3", "c1", "d1", "user.txt"])
          expect(yield* show(world, top, `main:${file}`)).not.toBe(undefined)
        for (const file of ["a/01-a", "b/01-b", "b/02-b", "b/03-b", "c/01-c", "d/01-d"])
          expect(yield* show(world, top, `main:tasks/${file}.md`)).toContain("status: complete")
        yield* untouched
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("runs tasks again whose files changed, whether merged or on the branch of their unit", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, ...makes("a1")),
        "a/02-a.md": task(2, ...makes("a2")),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": task(1, ...makes("b1")),
        "b/02-b.md": task(2, ...makes("b2")),
        "b/03-b.md": task(3, "touch b3", `test -e '${world.root}/flag'`, [1, 2])
      })
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        expect(states(first)).toEqual({ a: "merged", b: "failed" })
        yield* mend(world, top, "tasks/a/01-a.md", task(1, "echo more >> a1", "grep -q more a1"))
        yield* mend(world, top, "tasks/b/02-b.md", task(2, "echo more >> b2", "grep -q more b2"))
        yield* world.write(`${world.root}/flag`, "")
        const untouched = yield* unchangedButMain(world, top)
        const second = yield* run({ ...config, retryOf: first.id })
        expect(second.run.status).toBe("completed")
        expect(calls(second).toSorted()).toEqual(["a 1", "b 2", "b 3"])
        expect(yield* show(world, top, "main:a1")).toBe("a1\nmore\n")
        expect(yield* show(world, top, "main:b2")).toBe("b2\nmore\n")
        const file = yield* show(world, top, "main:tasks/a/01-a.md")
        expect(file).toContain("status: complete # kept")
        expect(file).toContain("grep -q more a1")
        yield* untouched
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  describe("of a unit that could not be merged, without running its tasks again,", () => {
    const clash = {
      "a/IMPLEMENTATION_PLAN.md": unit(),
      "a/01-a.md": task(1, "echo a >> a.txt", "grep -q a a.txt"),
      "clash/IMPLEMENTATION_PLAN.md": unit(),
      "clash/01-c.md": task(1, ...makes("c1")),
      "clash/02-c.md": task(2, "echo clash >> a.txt", "grep -q clash a.txt", [1])
    }
    const reasonOf = ({ work }: Ended) => work.units.at(-1)?.reason

    it.scopedLive("merges its branch with the commits of a person who resolved the conflict there", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, clash)
        yield* switchToMain(world, top)
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          expect(states(first)).toEqual({ a: "merged", clash: "failed" })
          const second = yield* run({ ...config, retryOf: first.id })
          expect([states(second), calls(second)]).toEqual([{ a: "skipped", clash: "failed" }, []])
          expect(reasonOf(second)).toBe("unit clash conflicts with the units merged before it in a.txt")

          const merge = Summary.of({ run: second.run, work: second.work }, yield* DateTime.now).unmerged[0]?.merge
          const { output } = yield* follow(world, merge ?? "")
          expect(output).toContain("CONFLICT")
          yield* world.write(`${top}/a.txt`, "one\ntwo\nthree\na and clash\n")
          yield* world.shell(top, "git commit --quiet --all -m resolved && git switch --quiet main")
          const third = yield* run({ ...config, retryOf: second.id })
          expect([third.run.status, calls(third)]).toEqual(["completed", []])
          expect(yield* show(world, top, "main:a.txt")).toBe("one\ntwo\nthree\na and clash\n")
          expect((yield* doneTasks(world, top, "main")).toSorted()).toEqual(["a 1", "clash 1", "clash 2"])
          expect(yield* subjects(world, top, "main")).toContain("resolved")
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

    it.scopedLive("merges its branch as recorded if it was rewound, once the target fits", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, clash)
        yield* switchToMain(world, top)
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          yield* world.git(top, "branch", "--force", `charlotte/${first.id}/unit/clash`, "main")
          // The user removes the lines of the other unit again, and lands it so.
          yield* world.shell(
            top,
            `git merge --quiet charlotte/${first.id}/result
             printf 'one\\ntwo\\nthree\\n' > a.txt; git commit --quiet --all -m mended`
          )
          const second = yield* run({ ...config, retryOf: first.id })
          expect([second.run.status, calls(second)]).toEqual(["completed", []])
          expect(yield* show(world, top, "main:a.txt")).toBe("one\ntwo\nthree\nclash\n")
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

    it.scopedLive("runs its gates on the merged result, until they pass there", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, {
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-a.md": task(1, "touch a.part", "test -e a.part"),
          "gate/IMPLEMENTATION_PLAN.md": unit(),
          "gate/01-g.md": task(1, "touch g.part", "test -e both || test $(ls *.part | wc -l) -eq 1")
        })
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          expect(states(first)).toEqual({ a: "merged", gate: "failed" })
          const second = yield* run({ ...config, retryOf: first.id })
          expect([states(second), calls(second)]).toEqual([{ a: "skipped", gate: "failed" }, []])
          expect(reasonOf(second)).toContain("the gate of task 1 of unit gate, on the merged result, (test -e both ||")
          yield* commitOnMain(world, top, "both", "")
          const third = yield* run({ ...config, retryOf: second.id })
          expect([third.run.status, calls(third)]).toEqual(["completed", []])
          const done = yield* doneTasks(world, top, "mine..main")
          expect(done.toSorted()).toEqual(["a 1", "gate 1"])
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

    it.scopedLive("begins it at the base with fresh", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top, untouched } = yield* repository(world, clash)
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          const second = yield* run({ ...config, retryOf: first.id, fresh: true })
          expect(second.run.status).toBe("completed")
          expect(calls(second)).toEqual(["clash 1", "clash 2"])
          expect(yield* show(world, top, "main:a.txt")).toBe("one\ntwo\nthree\na\nclash\n")
          yield* untouched
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

    it.scopedLive("leaves it out if a person has merged it into the target", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, clash)
        yield* switchToMain(world, top)
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          yield* world.shell(
            top,
            `git merge --quiet --no-edit charlotte/${first.id}/result
             git merge --quiet --no-edit --strategy-option=ours charlotte/${first.id}/unit/clash`
          )
          const second = yield* run({ ...config, retryOf: first.id })
          expect(states(second)).toEqual({ a: "skipped", clash: "skipped" })
          expect([second.run.status, second.types.includes("unit.setup.started clash")]).toEqual(["completed", false])
        }).pipe(Effect.provide(charlotte(world)))
      })
    )
  })

  describe("of named units", () => {
    const plan = (root: string) => ({
      "charlotte.yaml": "attempts: 1\n",
      "done/IMPLEMENTATION_PLAN.md": unit(),
      "done/01-d.md": task(1, ...makes("d1")),
      "a/IMPLEMENTATION_PLAN.md": unit(["done"]),
      "a/01-a.md": task(1, ...makes("a1")),
      "a/02-a.md": task(2, "touch a2", `test -e '${root}/mended'`, [1]),
      "b/IMPLEMENTATION_PLAN.md": unit(),
      "b/01-b.md": task(1, ...makes("b1")),
      "b/02-b.md": task(2, "touch b2", `test -e '${root}/mended'`, [1]),
      "aa/IMPLEMENTATION_PLAN.md": unit(["a"]),
      "aa/01-aa.md": task(1, ...makes("aa1")),
      "ab/IMPLEMENTATION_PLAN.md": unit(["a", "b"]),
      "ab/01-ab.md": task(1, ...makes("ab1"))
    })

    it.scopedLive("works on them and on what depends on them, and leaves the others to the job before", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config, top } = yield* repository(world, plan(world.root))
        yield* switchToMain(world, top)
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          expect(states(first)).toEqual({ a: "failed", aa: "blocked", ab: "blocked", b: "failed", done: "merged" })
          const again = yield* run({ ...config, retryOf: first.id, units: ["a"] })
          expect([states(again), calls(again)]).toEqual([{ a: "failed", aa: "blocked", done: "skipped" }, ["a 2"]])
          const misdirected = yield* refusal(run({ ...config, retryOf: again.id, units: ["b"] }))
          expect(misdirected.message).toContain(
            `units: unit b was left to job ${first.id}: charlotte retry ${first.id} --unit b`
          )
          yield* world.write(`${world.root}/mended`, "")

          // Without names it works on the same units.
          const second = yield* run({ ...config, retryOf: again.id })
          expect([second.run.status, states(second)]).toEqual([
            "completed",
            { a: "merged", aa: "merged", done: "skipped" }
          ])
          expect(calls(second)).toEqual(["a 2", "aa 1"])
          expect((yield* doneTasks(world, top, "mine..main")).toSorted()).toEqual(["a 1", "a 2", "aa 1", "done 1"])
          expect(second.events.find(({ type }) => type === "orch.started")?.payload).toMatchObject({
            leftOut: ["b", "ab"]
          })
          const now = yield* DateTime.now
          for (const { run, work } of [again, second])
            expect(Summary.of({ run, work }, now).leftOut).toEqual([
              { units: ["b", "ab"], command: `charlotte retry ${first.id} --unit b --unit ab` }
            ])
          // What is left: its first task is not run again, nor are the units that have landed since.
          const third = yield* run({ ...config, retryOf: first.id })
          expect([third.run.status, calls(third)]).toEqual(["completed", ["b 2", "ab 1"]])
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

    it.scopedLive("begins only these at the base with fresh", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, plan(world.root))
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          yield* world.write(`${world.root}/mended`, "")
          const second = yield* run({ ...config, retryOf: first.id, units: ["b", "a"], fresh: true })
          expect([second.run.status, calls(second).toSorted()]).toEqual([
            "completed",
            ["a 1", "a 2", "aa 1", "ab 1", "b 1", "b 2"]
          ])
        }).pipe(Effect.provide(charlotte(world)))
      })
    )

    it.scopedLive("is rejected for a unit that does not exist, or depends on one that is left out", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, plan(world.root))
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          const say = (...units: readonly [string, ...Array<string>]) =>
            Effect.map(refusal(run({ ...config, retryOf: first.id, units })), ({ message }) => message)
          expect(yield* say("a", "bb")).toContain("units: there is no unit bb: the units are b, done, a, aa, ab")
          expect(yield* say("a", "ab")).toContain("units: unit ab depends on b, not done yet: add --unit b")
        }).pipe(Effect.provide(charlotte(world)))
      })
    )
  })

  it.scopedLive("continues a stopped job, including a unit that only waited to be merged", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, ...makes("a1")),
        "a/02-a.md": task(2, pausing(world, "touch a2"), "test -e a2", [1]),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": task(1, ...makes("b1"))
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* appears(`${world.root}/go.reached`)
        yield* eventually(id, "unit.completed b")
        yield* manager.stop(id)
        yield* world.write(`${world.root}/go`, "")
        expect(yield* manager.await(id)).toMatchObject({ status: "cancelled" })

        const second = yield* run({ ...config, retryOf: id })
        expect(second.run.status).toBe("completed")
        expect(calls(second)).toEqual(["a 2"])
        expect(states(second)).toEqual({ a: "merged", b: "merged" })
        const done = yield* doneTasks(world, top, "mine..main")
        expect(done.toSorted()).toEqual(["a 1", "a 2", "b 1"])
        yield* untouched
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("keeps the started work of a unit that was blocked in between", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, ...makes("a1")),
        "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
        "b/01-b.md": task(1, ...makes("b1")),
        "b/02-b.md": task(2, "touch b2", `test -e '${world.root}/flag'`, [1])
      })
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        expect(states(first)).toEqual({ a: "merged", b: "failed" })
        yield* mend(world, top, "tasks/a/01-a.md", task(1, "true", "false"))
        const second = yield* run({ ...config, retryOf: first.id })
        expect(states(second)).toEqual({ a: "failed", b: "blocked" })
        yield* mend(world, top, "tasks/a/01-a.md", task(1, "true", "true"))
        yield* world.write(`${world.root}/flag`, "")
        const untouched = yield* unchangedButMain(world, top)
        const third = yield* run({ ...config, retryOf: second.id })
        expect(third.run.status).toBe("completed")
        expect(calls(third)).toEqual(["a 1", "b 2"])
        expect(yield* show(world, top, "main:b1")).toBe("b1\n")
        yield* untouched
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("begins a unit from the start if it no longer depends on one that was not merged", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, pausing(world, "sed -i s/one/a/ a.txt"), "grep -q a a.txt"),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": task(1, "sed -i s/one/b/ a.txt; touch b1", "test -e b1"),
        "c/IMPLEMENTATION_PLAN.md": unit(["b"]),
        "c/01-c.md": task(1, ...makes("c1")),
        "d/IMPLEMENTATION_PLAN.md": unit(["c"]),
        "d/01-d.md": task(1, ...makes("d1"))
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* eventually(id, "unit.completed d")
        yield* world.write(`${world.root}/go`, "")
        expect(states(yield* ended(id))).toEqual({ a: "merged", b: "failed", c: "blocked", d: "blocked" })
        yield* mend(world, top, "tasks/c/IMPLEMENTATION_PLAN.md", unit())
        const second = yield* run({ ...config, retryOf: id })
        expect(states(second)).toEqual({ a: "skipped", b: "failed", c: "merged", d: "merged" })
        expect(calls(second)).toEqual(["c 1", "d 1"])
        const files = (yield* world.git(top, "ls-tree", "--name-only", `charlotte/${second.id}/result`)).split("\n")
        expect(files.filter((file) => /^[a-d]1$/.test(file))).toEqual(["c1", "d1"])
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("starts over if the work was removed", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, ...makes("a1")),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": task(1, ...makes("b1")),
        "b/02-b.md": task(2, "touch b2", `test -e '${world.root}/flag'`, [1])
      })
      yield* Effect.gen(function* () {
        const clear = (id: string, ...branches: ReadonlyArray<string>) =>
          Effect.gen(function* () {
            const commit = yield* commitOf(world, top, `charlotte/${id}/unit/b`)
            yield* Effect.promise(() => rm(`${world.root}/charlotte/worktrees/${id}/b`, { recursive: true }))
            yield* world.git(top, "worktree", "prune")
            yield* world.git(top, "branch", "-D", ...branches.map((branch) => `charlotte/${id}/${branch}`))
            yield* world.git(top, "gc", "--quiet", "--prune=now")
            expect((yield* follow(world, `git -C ${top} cat-file -e ${commit}`)).code).toBe(1)
          })
        const first = yield* run(config)
        expect(states(first)).toEqual({ a: "merged", b: "failed" })
        // Only the branch of the unit was removed; merged work still exists.
        yield* clear(first.id, "unit/b")
        const second = yield* run({ ...config, retryOf: first.id })
        expect(calls(second)).toEqual(["b 1", "b 2"])
        yield* world.git(top, "branch", "-D", `charlotte/${first.id}/result`)
        yield* clear(second.id, "unit/b", "result")
        yield* world.write(`${world.root}/flag`, "")
        const third = yield* run({ ...config, retryOf: second.id })
        expect(third.run.status).toBe("completed")
        expect(calls(third).toSorted()).toEqual(["a 1", "b 1", "b 2"])
        yield* untouched
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is rejected on a conflict with the target, with the command to resolve it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-a.md": task(1, "echo job >> a.txt", "grep -q job a.txt"),
        "b/IMPLEMENTATION_PLAN.md": unit(),
        "b/01-b.md": task(1, "touch b1", `test -e '${world.root}/flag'`)
      })
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        yield* commitOnMain(world, top, "a.txt", "one\ntwo\nthree\nuser\n")
        const { message } = yield* refusal(run({ ...config, retryOf: first.id }))
        expect(message).toContain(
          `the work of job ${first.id} conflicts with the branch main in a.txt: merge them (git -C `
        )
        const command = /\((git .*)\), and start a new job$/.exec(message)?.[1] ?? ""
        expect((yield* follow(world, command)).output).toContain("CONFLICT")
        yield* world.write(`${top}/a.txt`, "one\ntwo\nthree\nuser\njob\n")
        yield* world.git(top, "add", "a.txt")
        yield* world.git(top, "commit", "--quiet", "--no-edit")
        yield* world.write(`${world.root}/flag`, "")
        const second = yield* run(config)
        expect(second.run.status).toBe("completed")
        expect(calls(second)).toEqual(["b 1"])
        expect(yield* show(world, top, "main:a.txt")).toBe("one\ntwo\nthree\nuser\njob\n")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("lands on another branch, if that contains the commits from which the job started", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\n",
        "01-a.md": task(1, "echo a > a.txt", "test -e a.txt"),
        "02-b.md": task(2, `${counting(world, "b")}; echo b > b2.txt`, `test -e '${world.root}/go'`, [1])
      })
      yield* world.git(top, "branch", "next", "main")
      yield* Effect.gen(function* () {
        const before = (yield* world.git(top, "rev-parse", "main")).trim()
        const failed = yield* run(config)
        expect(failed.run.status).toBe("failed")
        yield* world.write(`${world.root}/go`, "")
        const retried = yield* run({ ...config, targetBranch: "next", retryOf: failed.id })
        expect(retried.run).toMatchObject({ status: "completed", result: { target: "next" } })
        expect(yield* counted(world, "b")).toBe(2)
        expect(yield* show(world, top, "next:a.txt")).toBe("a\n")
        expect((yield* world.git(top, "rev-parse", "main")).trim()).toBe(before)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is rejected for a job that cannot be retried", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, untouched } = yield* repository(world, { "01-a.md": task(1, "true", "true") })
      const other = yield* repository(world, { "01-a.md": task(1, "true", "false") }, "other")
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const unknown = JobId.JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")
        const say = (retryOf: string, changes: Partial<typeof config> = {}) =>
          Effect.map(refusal(manager.start({ ...config, ...changes, retryOf })), ({ message }) => message)
        expect(yield* say(unknown)).toBe(`invalid job configuration: retryOf: job ${unknown} not found`)
        const completed = yield* run(config)
        expect(yield* say(completed.id)).toContain(`job ${completed.id} is completed: there is nothing left to do`)
        const elsewhere = yield* run(other.config)
        expect(yield* say(elsewhere.id)).toContain(`job ${elsewhere.id} ran in another repository: ${other.top}`)
        const rootless = yield* world.git(other.top, "commit-tree", "-m", "without history", "main^{tree}")
        yield* world.git(other.top, "branch", "former", rootless.trim())
        const wrong = refusal(manager.start({ ...other.config, targetBranch: "former", retryOf: elsewhere.id }))
        expect((yield* wrong).message).toContain(
          `the branch former does not contain the commits of main from which job ${elsewhere.id} started: merge main into it, or name another target`
        )

        yield* world.git(other.top, "branch", "-D", "former")

        yield* commitOnMain(world, other.top, "tasks/01-a.md", task(1, "sleep 60", "true"))
        yield* world.git(other.top, "switch", "--quiet", "main")
        const running = yield* manager.start(other.config)
        const again = yield* refusal(manager.start({ ...other.config, retryOf: running }))
        expect(again.message).toContain(`job ${running} is running: `)
        yield* manager.stopAll
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
    })
  )
})
