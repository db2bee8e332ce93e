/** Landing what a person has approved. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Agents } from "charlotte/tasks"
import { Effect, Either } from "effect"
import { isTerminal } from "../../../src/domain/RunStatus.js"
import { unknownId } from "../../support/jobs.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, litter, repository, show, task, unit, untilClosed } from "../Jobs.js"
import { asked, decide, parked } from "./Approvals.js"
import { blockedBy, commitOf, commitOnMain, counted, counting, doneTasks, pausing } from "./Scenes.js"

const settings = (world: Repository.Sandbox) =>
  `attempts: 1\nland: ask\nbaseline: [${JSON.stringify(counting(world, "baseline"))}]\n`

/** A unit with one task that creates `NAME.txt`; its gate counts its runs. */
const creates = (world: Repository.Sandbox, name: string, dependsOn: ReadonlyArray<string> = []) => ({
  [`${name}/IMPLEMENTATION_PLAN.md`]: unit(dependsOn),
  [`${name}/01-${name}.md`]: task(1, `echo ${name} > ${name}.txt`, `${counting(world, name)}; test -e ${name}.txt`)
})

const two = (world: Repository.Sandbox) => ({
  "charlotte.yaml": settings(world),
  ...creates(world, "api"),
  ...creates(world, "web", ["api"])
})

/** The script agent runs the text of a rejection. */
const script = (line: string) => `Do this as well:\n\n\`\`\`sh\n${line}\n\`\`\``

const refusal = <A, E, R>(decision: Effect.Effect<A, E, R>) => Effect.flip(Effect.asVoid(decision))

describe("a result that has to be approved", () => {
  it.scopedLive("waits in words and with its commit, and lands once that is approved", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top, untouched } = yield* repository(world, two(world))
      const before = yield* commitOf(world, top, "main")
      yield* Effect.gen(function* () {
        const { base, commit, id, reason, signal } = yield* asked(config)
        expect(signal).toBe("charlotte.approval")
        expect(reason).toBe(
          `all tasks are done, and commit ${commit.slice(0, 10)} lands on main once a person approves it: ` +
            `charlotte diff ${id}, then charlotte approve ${id} or charlotte reject ${id} --because TEXT`
        )
        expect(base).toBe(before)
        expect(yield* commitOf(world, top, `charlotte/${id}/result`)).toBe(commit)
        expect(yield* commitOf(world, top, "main")).toBe(before)
        yield* decide(id, { commit, by: "ann" })
        const { events, run } = yield* ended(id)
        expect(run).toMatchObject({ status: "completed", attempt: 2, result: { landed: commit } })
        expect(yield* commitOf(world, top, "main")).toBe(commit)
        expect(events.find(({ type }) => type === "job.signalled")?.payload).toEqual({
          name: "charlotte.approval",
          payload: { commit },
          by: "ann",
          via: "library"
        })
        // Nothing ran again: the result had passed all gates before.
        expect(yield* counted(world, "api")).toBe(1)
        // The same again changes nothing; anything else comes too late.
        yield* decide(id, { commit })
        expect(yield* refusal(decide(id, { commit, because: "no" }))).toMatchObject({
          reason: "decided",
          result: commit
        })
      }).pipe(Effect.provide(charlotte(world)))
      yield* untouched
      expect(yield* litter(world, top)).toEqual([])
    })
  )

  it.scopedLive("is asked for although the plan or the job wants more, if the configuration says so", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, { ...creates(world, "api"), "charlotte.yaml": "land: done\n" })
      yield* Effect.gen(function* () {
        const { commit, id } = yield* asked({ ...config, land: "auto" })
        yield* decide(id, { commit })
        expect((yield* ended(id)).run.status).toBe("completed")
      }).pipe(Effect.provide(charlotte(world, { land: "ask" })))
    })
  )

  it.scopedLive("is not asked for if all tasks were done before, so that nothing is left to land", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "land: ask\n",
        "01-api.md": task(1, "true", "true").replace("status: pending", "status: complete")
      })
      const before = yield* commitOf(world, top, "main")
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const store = yield* RunStore.RunStore
        const id = yield* manager.start(config)
        const run = yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
          until: ({ status }) => status === "parked" || isTerminal(status)
        })
        expect(run).toMatchObject({ status: "completed", result: { landed: before } })
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is refused under another name, before it is there, and once it is gone", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world),
        "api/IMPLEMENTATION_PLAN.md": unit(),
        "api/01-api.md": task(1, pausing(world, "echo api > api.txt"), "true")
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* appears(`${world.root}/go.reached`)
        const early = yield* commitOf(world, top, "main")
        expect(yield* refusal(decide(id, { commit: early }))).toMatchObject({ reason: "notWaiting", status: "running" })
        expect(yield* refusal(decide(id, { because: "no" }))).toMatchObject({ reason: "notWaiting" })
        yield* world.write(`${world.root}/go`, "")
        const { approval } = yield* parked(id)
        const commit = approval?.commit ?? ""
        expect(yield* refusal(decide(id, { commit: early }))).toMatchObject({
          _tag: "ApprovalRefused",
          reason: "otherCommit",
          result: commit
        })
        expect(yield* refusal(decide(id, { because: "no", unit: "web" }))).toMatchObject({ reason: "noSuchUnit" })
        expect(yield* refusal(manager.signal(id, "charlotte.approval", { commit }))).toMatchObject({
          _tag: "InvalidSignal"
        })
        yield* manager.stop(id)
        expect(yield* refusal(decide(id, { commit }))).toMatchObject({ reason: "notWaiting", status: "cancelled" })
        expect(yield* refusal(decide(unknownId, { commit }))).toMatchObject({ _tag: "JobNotFound" })
        expect(yield* commitOf(world, top, "main")).toBe(early)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is decided on once, by whoever comes first", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two(world))
      yield* Effect.gen(function* () {
        const { commit, id } = yield* asked(config)
        const decisions = [{ commit }, { commit, because: "no" }, { commit: commit.slice(0, 7) }]
        const outcomes = yield* Effect.forEach(decisions, (decision) => Effect.either(decide(id, decision)), {
          concurrency: "unbounded"
        })
        const { run } = yield* ended(id)
        const isApproved = run.status === "completed"
        expect(outcomes.map(Either.isRight)).toEqual([isApproved, !isApproved, isApproved])
        expect((yield* commitOf(world, top, "main")) === commit).toBe(isApproved)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is verified together with newer commits of the target, and lands, if they change other files", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two(world))
      yield* Effect.gen(function* () {
        const { commit, id } = yield* asked(config)
        const theirs = yield* commitOnMain(world, top, "user.txt", "user\n")
        const gates = yield* counted(world, "api")
        yield* decide(id, { commit })
        const { run } = yield* ended(id)
        const landed = yield* commitOf(world, top, "main")
        expect(run).toMatchObject({ status: "completed", result: { landed } })
        expect((yield* world.git(top, "rev-parse", "main^1", "main^2")).trim().split("\n")).toEqual([theirs, commit])
        expect(yield* counted(world, "api")).toBe(gates + 1)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("is asked for again, merged and verified, if the target has changed a file of the approved diff", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": settings(world),
        "api/IMPLEMENTATION_PLAN.md": unit(),
        "api/01-api.md": task(1, "sed -i '1i first' long.txt", `${counting(world, "api")}; grep -q first long.txt`)
      })
      const long = Array.from({ length: 20 }, (_, at) => `line ${at}\n`).join("")
      yield* commitOnMain(world, top, "long.txt", long)
      yield* Effect.gen(function* () {
        const { attempt, commit, id } = yield* asked(config)
        const theirs = yield* commitOnMain(world, top, "long.txt", `${long}last\n`)
        yield* decide(id, { commit })
        const again = yield* parked(id, attempt)
        const merged = again.approval?.commit ?? ""
        expect(again.reason).toContain(
          "main has changed long.txt, too, and is merged into the result; all tasks are done"
        )
        expect(again.approval?.base).toBe(theirs)
        expect(merged).not.toBe(commit)
        expect(yield* commitOf(world, top, `charlotte/${id}/result`)).toBe(merged)
        expect(yield* commitOf(world, top, "main")).toBe(theirs)
        expect(yield* refusal(decide(id, { commit }))).toMatchObject({ reason: "otherCommit", result: merged })
        // Woken without a decision, it asks the same again, and runs nothing.
        const gates = yield* counted(world, "api")
        yield* Effect.flatMap(JobManager.JobManager, ({ resume }) => resume(id))
        expect((yield* parked(id, again.attempt)).approval).toEqual(again.approval)
        yield* decide(id, { commit: merged })
        expect((yield* ended(id)).run).toMatchObject({ status: "completed", result: { landed: merged } })
        expect(yield* show(world, top, "main:long.txt")).toMatch(/^first\n[^]*last\n$/)
        expect(yield* counted(world, "api")).toBe(gates)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("cannot land if the target has changed the same lines, and says how to merge them", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two(world))
      yield* Effect.gen(function* () {
        const { commit, id } = yield* asked(config)
        yield* commitOnMain(world, top, "api.txt", "mine\n")
        yield* decide(id, { commit })
        const error = yield* blockedBy(yield* ended(id))
        expect(error.reason).toContain("it conflicts with the result in api.txt")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("lands after a restart in the middle of landing, and is asked for after one before the decision", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": `land: ask\nbaseline: [${JSON.stringify(`test ! -e user.txt || { ${pausing(world, "true").replaceAll("\n", "; ")}; }`)}]\n`,
        ...creates(world, "api")
      })
      const first = yield* untilClosed(charlotte(world))
      const { commit, id } = yield* Effect.provide(asked(config), first.context)
      yield* first.close
      const second = yield* untilClosed(charlotte(world))
      yield* Effect.provide(
        Effect.gen(function* () {
          expect((yield* parked(id)).approval?.commit).toBe(commit)
          yield* commitOnMain(world, top, "user.txt", "user\n")
          yield* decide(id, { commit })
          yield* appears(`${world.root}/go.reached`)
        }),
        second.context
      )
      yield* second.close
      yield* world.write(`${world.root}/go`, "")
      const { run } = yield* Effect.provide(ended(id), charlotte(world))
      expect(run.status).toBe("completed")
      expect(yield* world.git(top, "ls-tree", "--name-only", "main")).toMatch(/api\.txt\n[^]*user\.txt\n/)
      expect(yield* litter(world, top)).toEqual([])
    })
  )
})

describe("a rejected result", () => {
  for (const rejected of ["api", "web"])
    it.scopedLive(
      `gets one more task of unit ${rejected}, behind its gates, and lands with it when it is approved`,
      () =>
        Effect.gen(function* () {
          const world = yield* Repository.sandbox
          const { config, top } = yield* repository(world, two(world))
          const before = yield* commitOf(world, top, "main")
          yield* Effect.gen(function* () {
            const { attempt, commit, id } = yield* asked(config)
            const because = script("cat api.txt web.txt > both.txt")
            yield* decide(id, { commit, because, unit: rejected, by: "ann" })
            const again = yield* parked(id, attempt)
            const next = again.approval?.commit ?? ""
            expect(again.approval?.base).toBe(before)
            expect(yield* commitOf(world, top, `${next}^`)).toBe(commit)
            expect(yield* commitOf(world, top, `charlotte/${id}/result`)).toBe(next)
            const { tasks, units } = yield* Effect.flatMap(RunStore.RunStore, ({ work }) => work.of(id))
            expect(units.map(({ state, unit }) => [unit, state])).toEqual([
              ["api", "merged"],
              ["web", "merged"]
            ])
            expect(units.at(-1)?.commit).toBe(next)
            expect(tasks.find(({ task, unit }) => unit === rejected && task === 2)).toMatchObject({
              title: "Do this as well:",
              state: "completed",
              commit: next
            })
            // As its gate, and on the result before it is asked for again.
            expect(yield* counted(world, rejected)).toBeGreaterThan(2)
            expect(yield* refusal(decide(id, { commit }))).toMatchObject({ reason: "otherCommit", result: next })
            yield* decide(id, { commit: next })
            expect((yield* ended(id)).run).toMatchObject({ status: "completed", result: { landed: next } })
            expect(yield* show(world, top, "main:both.txt")).toBe("api\nweb\n")
            expect((yield* doneTasks(world, top, "mine..main")).toSorted()).toEqual(
              ["api 1", `${rejected} 2`, "web 1"].toSorted()
            )
          }).pipe(Effect.provide(charlotte(world)))
          expect(yield* litter(world, top)).toEqual([])
        })
    )

  it.scopedLive("protects in its task what the last task of the unit protects, and runs no gate before it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      yield* world.write(`${world.root}/script`, "echo api > api.txt")
      const agent = new Agents.Profile({
        name: "mine",
        command: ["sh", "-c", `cat > /dev/null; . '${world.root}/script'`],
        prompt: "stdin",
        env: []
      })
      const { config, top } = yield* repository(world, {
        "charlotte.yaml": "attempts: 1\nland: ask\n",
        "api/IMPLEMENTATION_PLAN.md": unit(),
        "api/01-api.md": task(1, "true", "test -e api.txt").replace("status:", "protect: [a.txt]\nstatus:")
      })
      yield* Effect.gen(function* () {
        const { attempt, id } = yield* asked({ ...config, agent: "mine" })
        const before = yield* show(world, top, "main:a.txt")
        yield* world.write(`${world.root}/script`, "echo more > more.txt; echo changed > a.txt")
        yield* decide(id, { because: "more", unit: "api" })
        const { commit } = yield* parked(id, attempt)
        expect(yield* show(world, top, `${commit}:a.txt`)).toBe(before)
        const { tasks } = yield* Effect.flatMap(RunStore.RunStore, ({ work }) => work.of(id))
        expect(tasks.map(({ notes, task }) => [task, notes])).toEqual([
          [1, []],
          [2, [expect.objectContaining({ _tag: "protected", files: ["a.txt"] })]]
        ])
        yield* decide(id, { commit })
        const { types } = yield* ended(id)
        expect(types.filter((type) => type.startsWith("task.gate.before"))).toEqual(["task.gate.before api 1"])
      }).pipe(Effect.provide(charlotte(world, { profiles: [agent] })))
    })
  )

  it.scopedLive("can be rejected again, and the last rejection goes on from all others", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two(world))
      yield* Effect.gen(function* () {
        const first = yield* asked(config)
        yield* decide(first.id, { commit: first.commit, because: script("echo 1 >> log.txt"), unit: "web" })
        const second = yield* parked(first.id, first.attempt)
        yield* decide(first.id, { because: script("echo 2 >> log.txt"), unit: "api" })
        const third = yield* parked(first.id, second.attempt)
        yield* decide(first.id, { because: script("echo 3 >> log.txt"), unit: "web" })
        const last = yield* parked(first.id, third.attempt)
        yield* decide(first.id, { commit: last.approval?.commit })
        const { run } = yield* ended(first.id)
        expect(run).toMatchObject({ status: "completed", result: { landed: last.approval?.commit } })
        expect(yield* show(world, top, "main:log.txt")).toBe("1\n2\n3\n")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("fails the job without a unit, with the text as its reason, and the work is kept", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two(world))
      yield* Effect.gen(function* () {
        const { commit, id } = yield* asked(config)
        yield* decide(id, { because: "it is\nugly" })
        const { run } = yield* ended(id)
        expect(run).toMatchObject({
          status: "failed",
          error: {
            error: {
              _tag: "ResultRejected",
              reason: "it is ugly",
              target: "main",
              branch: `charlotte/${id}/result`,
              command: expect.stringContaining(`merge charlotte/${id}/result`)
            }
          }
        })
        expect(yield* commitOf(world, top, `charlotte/${id}/result`)).toBe(commit)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("fails the unit, and keeps all work, if its task cannot be done", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two(world))
      yield* Effect.gen(function* () {
        const { commit, id } = yield* asked(config)
        yield* decide(id, { because: script("rm api.txt"), unit: "api" })
        const { run } = yield* ended(id)
        expect(run).toMatchObject({ status: "failed", error: { error: { failures: [{ unit: "api", task: 2 }] } } })
        expect(yield* commitOf(world, top, `charlotte/${id}/unit/api`)).toBe(commit)
      }).pipe(Effect.provide(charlotte(world)))
    })
  )

  it.scopedLive("goes on after a restart in the middle of its task", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, two(world))
      const first = yield* untilClosed(charlotte(world))
      const { commit, id } = yield* Effect.provide(
        Effect.tap(asked(config), ({ commit, id }) =>
          Effect.zipRight(
            decide(id, { commit, because: script(pausing(world, "echo more > more.txt")), unit: "api" }),
            appears(`${world.root}/go.reached`)
          )
        ),
        first.context
      )
      yield* first.close
      yield* world.write(`${world.root}/go`, "")
      yield* Effect.gen(function* () {
        const { approval } = yield* parked(id, 2)
        expect(approval?.commit).not.toBe(commit)
        yield* decide(id, { commit: approval?.commit })
        expect((yield* ended(id)).run.status).toBe("completed")
        expect(yield* show(world, top, "main:more.txt")).toBe("more\n")
      }).pipe(Effect.provide(charlotte(world)))
    })
  )
})
