/** Conflicts of units, and the turn of an agent at one. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { DateTime, Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import * as Summary from "../../../src/cli/run/Summary.js"
import { jumping } from "../../support/jumpingClock.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, show, subjects, task, unit } from "../Jobs.js"
import { asked, decide, parked } from "./Approvals.js"
import { both, resolver } from "./Resolver.js"
import * as Life from "./Life.js"
import { commitOf, commitOnMain, type Config, counted, counting, pausing } from "./Scenes.js"
import * as Witness from "./Witness.js"

type Ended = Effect.Effect.Success<ReturnType<typeof ended>>

const states = ({ work }: Ended) => Object.fromEntries(work.units.map(({ state, unit }) => [unit, state]))

const turnOf = ({ work }: Ended) => work.tasks.find(({ resolves }) => resolves !== undefined)

/** How often an agent was called for tasks of the plan. */
const plannedCalls = ({ work }: Ended) =>
  work.tasks.filter(({ resolves }) => resolves === undefined).reduce((sum, { calls }) => sum + calls, 0)

const reasonOf = ({ work }: Ended, name: string) => work.units.find(({ unit }) => unit === name)?.reason

/** Two units that change the same line of a.txt. */
const clash = (world: Repository.Sandbox, settings = "conflicts: agent\n") => ({
  "charlotte.yaml": settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a.md": task(1, "sed -i s/one/left/ a.txt", `${counting(world, "gate-a")}; grep -q left a.txt`),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b.md": task(1, "sed -i s/one/right/ a.txt", `${counting(world, "gate-b")}; grep -q right a.txt`)
})

const resolved = "left\nright\ntwo\nthree\n"

const world = Effect.gen(function* () {
  const world = yield* Repository.sandbox
  yield* world.write(`${world.root}/resolve`, both)
  return world
})

const begin = (world: Repository.Sandbox, files: Record<string, string> = clash(world)) =>
  Effect.map(repository(world, files), ({ config, ...rest }) => ({ ...rest, config: { ...config, agent: "claude" } }))

const manager = (world: Repository.Sandbox) => charlotte(world, { profiles: [resolver(world)] })

/** The branches of a job other than its result, and the directories of its worktrees. */
const leftovers = (world: Repository.Sandbox, top: string, id: string) =>
  Effect.map(world.git(top, "for-each-ref", "--format=%(refname:short)", `refs/heads/charlotte/${id}`), (refs) => [
    ...refs.split("\n").filter((ref) => ref !== "" && !ref.endsWith("/result")),
    ...readdirSync(`${world.root}/charlotte/worktrees/${id}`).filter((name) => name !== "_repository")
  ])

const noted = ({ run, work }: Ended) =>
  Effect.map(DateTime.now, (now) => Summary.of({ run, work }, now).gates.map(({ text, unit }) => `${unit}: ${text}`))

describe("a conflict of a unit", () => {
  it.scopedLive("is resolved by one turn of the unit's agent, and the gates of all units run on the merge", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config, top, untouched } = yield* begin(one)
      const job = yield* Effect.provide(run(config), manager(one))
      expect(job.run.status).toBe("completed")
      expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
      const [a, b] = job.work.units
      const tip = job.work.tasks.find(({ unit }) => unit === "b")?.commit
      expect(yield* one.git(top, "show", "--no-patch", "--format=%P", b?.commit ?? "")).toBe(`${a?.commit} ${tip}\n`)
      expect(yield* subjects(one, top, "mine..main")).toEqual(["Merge unit b", "Task 1", "Task 1"])
      expect(turnOf(job)).toMatchObject({
        unit: "b",
        task: 2,
        title: "Resolve the conflict in a.txt",
        state: "completed",
        calls: 1,
        resolves: ["a.txt"],
        commit: b?.commit
      })
      expect(yield* noted(job)).toEqual(["b: conflict in a.txt resolved by claude"])
      // Each gate ran before the work, after it, and on the merge.
      expect(yield* Effect.forEach(["turns", "gate-a", "gate-b"], (name) => counted(one, name))).toEqual([1, 3, 3])
      const prompt = readFileSync(`${one.root}/prompt`, "utf8")
      for (const part of ["- a.txt", "grep -q left a.txt", "grep -q right a.txt", "- task 1: Task 1"])
        expect(prompt).toContain(part)
      const logs = readdirSync(`${one.root}/charlotte/logs/${job.id}/b`)
      expect(logs.filter((name) => name.endsWith(".agent.log"))).toEqual([
        "01-attempt-1.1.agent.log",
        "02-attempt-1.1.agent.log"
      ])
      expect(yield* leftovers(one, top, job.id)).toEqual([])
      yield* untouched
    })
  )

  it.scopedLive("fails the unit unless the job or charlotte.yaml wants a turn at it", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config } = yield* begin(one, clash(one, "attempts: 1\n"))
      const job = yield* Effect.provide(run(config), manager(one))
      expect([states(job), yield* counted(one, "turns")]).toEqual([{ a: "merged", b: "failed" }, 0])
      expect(reasonOf(job, "b")).toBe("unit b conflicts with the units merged before it in a.txt")
      expect(turnOf(job)).toBeUndefined()
    })
  )

  it.scopedLive("is resolved by an agent in a retry that wants that, without running a task again", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config, top } = yield* begin(one, clash(one, "attempts: 1\n"))
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        const second = yield* run({ ...config, retryOf: first.id, conflicts: "agent" })
        expect([second.run.status, plannedCalls(second), turnOf(second)?.calls]).toEqual(["completed", 0, 1])
        expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
        expect(yield* leftovers(one, top, second.id)).toEqual([])
      }).pipe(Effect.provide(manager(one)))
    })
  )

  it.scopedLive(
    "that had a turn leaves its unit a further task if the result is rejected, and it lands with that",
    () =>
      Effect.gen(function* () {
        const one = yield* world
        const { config, top } = yield* begin(one, clash(one, "conflicts: agent\nland: ask\n"))
        yield* Effect.gen(function* () {
          const { approval, attempt, id } = yield* asked(config)
          const because = "Do this as well:\n\n```sh\necho more > more.txt\n```"
          yield* decide(id, { because, unit: "b" })
          const again = yield* parked(id, attempt)
          expect(again.commit).not.toBe(approval?.commit)
          yield* decide(id, { commit: again.commit })
          const job = yield* ended(id)
          expect(job.run).toMatchObject({ status: "completed", result: { landed: again.commit } })
          expect(
            job.work.tasks.map(({ position, resolves, state, task, unit }) => [unit, task, position, state, resolves])
          ).toEqual([
            ["a", 1, 0, "completed", undefined],
            ["b", 1, 0, "completed", undefined],
            ["b", 2, 1, "completed", ["a.txt"]],
            ["b", 3, 2, "completed", undefined]
          ])
          expect([yield* show(one, top, "main:a.txt"), yield* show(one, top, "main:more.txt")]).toEqual([
            resolved,
            "more\n"
          ])
          expect(yield* leftovers(one, top, id)).toEqual([])
        }).pipe(Effect.provide(manager(one)))
      })
  )

  it.scopedLive(
    "resolved by taking one side is caught by the gates of the other units, and by a retry resolved again",
    () =>
      Effect.gen(function* () {
        const one = yield* world
        yield* one.write(`${one.root}/resolve`, "printf 'right\\ntwo\\nthree\\n' > a.txt")
        const { config, top } = yield* begin(one)
        yield* Effect.gen(function* () {
          const first = yield* run(config)
          expect(states(first)).toEqual({ a: "merged", b: "failed" })
          expect(reasonOf(first, "b")).toContain("the gate of task 1 of unit a, on the merged result, ")
          expect(yield* show(one, top, `charlotte/${first.id}/result:a.txt`)).toBe("left\ntwo\nthree\n")
          const tip = first.work.tasks.find(({ unit }) => unit === "b")?.commit
          expect(yield* commitOf(one, top, `charlotte/${first.id}/unit/b`)).toBe(tip)
          expect(yield* leftovers(one, top, first.id)).toEqual([`charlotte/${first.id}/unit/b`])

          yield* one.write(`${one.root}/resolve`, both)
          const second = yield* run({ ...config, retryOf: first.id })
          expect([second.run.status, plannedCalls(second), yield* counted(one, "turns")]).toEqual(["completed", 0, 2])
          expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
        }).pipe(Effect.provide(manager(one)))
      })
  )

  it.scopedLive("resolved by a person who takes one side is caught by the gates of the other units", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config, top } = yield* begin(one, clash(one, "attempts: 1\n"))
      yield* one.shell(top, "git checkout --quiet -- b.txt && git switch --quiet main")
      yield* Effect.gen(function* () {
        const first = yield* run(config)
        yield* one.shell(
          top,
          `git switch --quiet charlotte/${first.id}/unit/b
           git merge --quiet --no-edit --strategy-option=ours charlotte/${first.id}/result
           git switch --quiet main`
        )
        const second = yield* run({ ...config, retryOf: first.id })
        expect(states(second)).toEqual({ a: "skipped", b: "failed" })
        expect(reasonOf(second, "b")).toContain("the gate of task 1 of unit a, on the merged result, ")
        expect(plannedCalls(second)).toBe(0)
      }).pipe(Effect.provide(manager(one)))
    })
  )

  it.scopedLive("in a file that the setup needs is resolved, and the setup passes on the merge", () =>
    Effect.gen(function* () {
      const one = yield* world
      const setup = "! grep -q '^<<<<<<<' a.txt"
      const { config, top } = yield* begin(one, clash(one, `conflicts: agent\nsetup: ${JSON.stringify(setup)}\n`))
      const job = yield* Effect.provide(run(config), manager(one))
      expect([job.run.status, yield* counted(one, "turns")]).toEqual(["completed", 1])
      expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
    })
  )

  it.scopedLive("is resolved without what the turn did to protected files, which a note says", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config, top } = yield* begin(one, {
        ...clash(one, 'conflicts: agent\nprotect: ["*.txt"]\n'),
        "a/01-a.md": task(1, "echo left > c.txt", "test -e c.txt"),
        "b/01-b.md": task(1, "echo right > c.txt", "test -e c.txt")
      })
      yield* one.write(`${one.root}/resolve`, `${both.replaceAll("a.txt", "c.txt")}; echo mine > a.txt`)
      const job = yield* Effect.provide(run(config), manager(one))
      expect([job.run.status, turnOf(job)?.resolves]).toEqual(["completed", ["c.txt"]])
      expect(yield* show(one, top, "main:c.txt")).toBe("left\nright\n")
      expect(yield* show(one, top, "main:a.txt")).toBe("one\ntwo\nthree\n")
      expect(turnOf(job)?.notes).toMatchObject([
        { _tag: "resolved", files: ["c.txt"] },
        { _tag: "protected", files: ["a.txt"] }
      ])
    })
  )

  it.scopedLive("fails the unit if the turn leaves markers, and gets no second one", () =>
    Effect.gen(function* () {
      const one = yield* world
      yield* one.write(`${one.root}/resolve`, "sed -i '/^>>>>>>> /d' a.txt; echo mine > other.txt")
      const { config, top } = yield* begin(one)
      const job = yield* Effect.provide(run(config), manager(one))
      expect(states(job)).toEqual({ a: "merged", b: "failed" })
      expect(reasonOf(job, "b")).toBe(
        "task 2 (Resolve the conflict in a.txt) failed once: the conflict is not resolved: markers are left in a.txt"
      )
      expect([yield* counted(one, "turns"), turnOf(job)?.state]).toEqual([1, "failed"])
      // The advice of a conflict that a person has to resolve.
      const { unmerged } = Summary.of({ run: job.run, work: job.work }, yield* DateTime.now)
      expect(unmerged).toMatchObject([{ unit: "b", commits: 1, merge: expect.stringContaining("git") }])
      expect(yield* leftovers(one, top, job.id)).toEqual([`charlotte/${job.id}/unit/b`])
    })
  )

  it.scopedLive.each([
    ["in a binary file", "printf '\\0left' > a.txt", "printf '\\0right' > a.txt"],
    ["of a renamed file that the other has deleted", "git mv a.txt c.txt", "git rm --quiet a.txt"],
    ["of a changed file that the other has deleted", "echo left > a.txt", "git rm --quiet a.txt"]
  ] as const)("%s gets no turn", ([, left, right]) =>
    Effect.gen(function* () {
      const one = yield* world
      const { config } = yield* begin(one, {
        ...clash(one),
        "a/01-a.md": task(1, left, "true"),
        "b/01-b.md": task(1, right, "true")
      })
      const job = yield* Effect.provide(run(config), manager(one))
      expect([states(job), yield* counted(one, "turns")]).toEqual([{ a: "merged", b: "failed" }, 0])
      expect(reasonOf(job, "b")).toMatch(/^unit b conflicts with the units merged before it in /)
    })
  )

  it.scopedLive("is resolved once, also if another unit depends on both", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config, top } = yield* begin(one, {
        ...clash(one),
        "c/IMPLEMENTATION_PLAN.md": unit(["a", "b"]),
        "c/01-c.md": task(1, "cp a.txt c.txt", "test -e c.txt")
      })
      const job = yield* Effect.provide(run(config), manager(one))
      expect([job.run.status, yield* counted(one, "turns")]).toEqual(["completed", 1])
      expect(job.work.units[2]?.base).toBe(job.work.units[1]?.commit)
      expect(yield* show(one, top, "main:c.txt")).toBe(resolved)
    })
  )

  it.scopedLive("with commits on the target gets no turn", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config, top } = yield* begin(one, {
        "charlotte.yaml": "conflicts: agent\n",
        "01-a.md": task(1, pausing(one, "sed -i s/one/left/ a.txt"), "grep -q left a.txt")
      })
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* appears(`${one.root}/go.reached`)
        yield* commitOnMain(one, top, "a.txt", "his\ntwo\nthree\n")
        yield* one.write(`${one.root}/go`, "")
        return yield* ended(id)
      }).pipe(Effect.provide(manager(one)))
      expect(job.run).toMatchObject({ status: "failed", error: { error: { _tag: "LandingBlocked" } } })
      expect(yield* counted(one, "turns")).toBe(0)
    })
  )
})

describe("the turn at a conflict", () => {
  it.scopedLive("waits for a usage limit to reset, and continues in its worktree", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const one = yield* world
        yield* one.write(
          `${one.root}/resolve`,
          `if test -e half.txt; then rm half.txt; ${both}; else touch half.txt; limited 3600; fi`
        )
        const { config, top } = yield* begin(one)
        const { job, parked } = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const store = yield* RunStore.RunStore
          const id = yield* manager.start(config)
          const parked = yield* Effect.repeat(
            Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))),
            { until: ({ status }) => status === "parked" }
          )
          yield* jump("1 hour")
          return { parked, job: yield* ended(id) }
        }).pipe(Effect.provide(manager(one)))
        expect(parked.parked?.reason).toContain("claude is at its usage limit")
        expect([job.run.status, turnOf(job)?.calls, turnOf(job)?.failures]).toEqual(["completed", 1, 0])
        expect(yield* counted(one, "turns")).toBe(2)
        expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
        expect(plannedCalls(job)).toBe(2)
      })
    )
  )

  it.scopedLive("counts as an agent call", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config } = yield* begin(one, clash(one, "conflicts: agent\nlimits: { agentCalls: 2 }\n"))
      const job = yield* Effect.provide(run(config), manager(one))
      expect([states(job), yield* counted(one, "turns")]).toEqual([{ a: "merged", b: "failed" }, 0])
      expect(reasonOf(job, "b")).toContain("the limit of 2 agent calls")
    })
  )

  it.scopedLive(
    "is used by a retry once its merge was recorded, even if its job was stopped before the gates had passed",
    () =>
      Effect.gen(function* () {
        const one = yield* world
        const files = clash(one)
        // The gate of the first unit runs at its task, and then on the merge.
        const gate = `if test -e other.txt && ! test -e '${one.root}/go'; then touch '${one.root}/go.reached'; sleep 100; fi`
        const { config, top } = yield* begin(one, {
          ...files,
          "a/01-a.md": task(1, "sed -i s/one/left/ a.txt", `${gate}; grep -q left a.txt`)
        })
        yield* one.write(`${one.root}/resolve`, `${both}; touch other.txt`)
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          yield* appears(`${one.root}/go.reached`)
          yield* manager.stop(id)
          expect(turnOf(yield* ended(id))?.state).toBe("completed")
          yield* one.write(`${one.root}/go`, "")
          const second = yield* run({ ...config, retryOf: id })
          expect([second.run.status, plannedCalls(second), yield* counted(one, "turns")]).toEqual(["completed", 0, 1])
          expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
        }).pipe(Effect.provide(manager(one)))
      })
  )

  it.scopedLive("that a stop has ended is begun again by a retry, without running a task again", () =>
    Effect.gen(function* () {
      const one = yield* world
      const { config, top } = yield* begin(one)
      yield* one.write(`${one.root}/resolve`, pausing(one, both))
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* appears(`${one.root}/go.reached`)
        yield* manager.stop(id)
        yield* ended(id)
        yield* one.write(`${one.root}/go`, "")
        const second = yield* run({ ...config, retryOf: id })
        expect([second.run.status, plannedCalls(second), yield* counted(one, "turns")]).toEqual(["completed", 0, 2])
        expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
      }).pipe(Effect.provide(manager(one)))
    })
  )
})

describe("killing the manager at a conflict", () => {
  it.scopedLive(
    "continues the turn, and uses its merge once that is recorded",
    () =>
      Effect.gen(function* () {
        const one = yield* Witness.world
        const program = yield* Life.program
        const at = (name: string, gate: string) => `STEP=gate-${name}; . "$WITNESS/step"\n${gate}`
        const { config, top, untouched } = yield* begin(one, {
          ...clash(one),
          "a/01-a.md": task(1, "sed -i s/one/left/ a.txt", at("a", "grep -q left a.txt")),
          "b/01-b.md": task(1, "sed -i s/one/right/ a.txt", at("b", "grep -q right a.txt"))
        })
        yield* one.write(
          `${one.root}/resolve`,
          `if test -e half.txt; then rm half.txt; ${both}; else touch half.txt '${one.root}/turn.reached'; sleep 100; fi`
        )
        const life = (reached: Effect.Effect<unknown>, given?: Config) =>
          Effect.gen(function* () {
            const life = yield* Life.begin(program, one, given)
            yield* life.until(reached)
            yield* life.kill
          }).pipe(Effect.scoped)
        yield* life(appears(`${one.root}/turn.reached`), { ...config, concurrency: 1 })
        for (const [point, times] of [
          [["before", "update-ref */merge/b * *"], 1],
          [["step", "gate-a"], 1],
          [["before", "update-ref */result * *"], 1]
        ] as const) {
          yield* Witness.holdAt(one, point, times)
          yield* life(Witness.reached(one, point))
        }
        yield* Witness.release(one)
        const job = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id)).pipe(
          Effect.provide(Witness.manager(one, { profiles: [resolver(one)] }))
        )
        expect([job.run.status, yield* counted(one, "turns"), plannedCalls(job)]).toEqual(["completed", 2, 2])
        expect(turnOf(job)).toMatchObject({ state: "completed", failures: 0, commit: job.work.units[1]?.commit })
        expect(yield* noted(job)).toEqual(["b: conflict in a.txt resolved by claude"])
        expect(yield* show(one, top, "main:a.txt")).toBe(resolved)
        expect(yield* subjects(one, top, "mine..main")).toEqual(["Merge unit b", "Task 1", "Task 1"])
        expect(yield* leftovers(one, top, job.id)).toEqual([])
        yield* untouched
      }),
    300_000
  )
})
