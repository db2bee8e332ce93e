/** Agents that cannot go on without a person, and ask. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Run, RunStore } from "charlotte"
import { DateTime, Effect, TestClock } from "effect"
import { existsSync, rmSync, writeFileSync } from "node:fs"
import { Question } from "../../../src/domain/Question.js"
import { isTerminal } from "../../../src/domain/RunStatus.js"
import * as Questions from "../../../src/tasks/run/Questions.js"
import { at, created } from "../../store/runs.js"
import { planOf } from "../../store/work.js"
import { jumping } from "../../support/jumpingClock.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, task, unit, untilClosed } from "../Jobs.js"
import * as Claude from "./Claude.js"
import { commitOnMain } from "./Scenes.js"

/**
 * A stand-in for Claude Code. Its script has the number `n` of this call in its unit, and the unit `u`; `say TEXT` and `asks TEXT` end
 * the turn, and `worked` does the work. The file `turns-UNIT` has what each call was started with, and its prompt.
 */
const claude = (world: Repository.Sandbox, script: string, name = "claude") => {
  const file = `${world.root}/${name}.sh`
  writeFileSync(
    file,
    `u=\${PWD##*/}; sessions='${world.root}/sessions'; mkdir -p "$sessions"
     echo x >> '${world.root}/count-'$u; n=$(($(wc -c < '${world.root}/count-'$u) / 2))
     { echo "== $1"; cat; } >> '${world.root}/turns-'$u
     id=$1
     if [ $1 = new ]; then id=$u$n; touch "$sessions/$id"
     elif ! [ -e "$sessions/$id" ]; then
       printf '{"type":"result","subtype":"error_during_execution","is_error":true,"errors":["No conversation found with session ID: %s"]}\\n' "$id"; exit 1
     fi
     printf '{"type":"system","subtype":"init","session_id":"%s"}\\n' "$id"
     say() { printf '{"type":"assistant","message":{"content":[{"type":"text","text":"%s"}]}}\\n{"type":"result","subtype":"success","is_error":false,"result":"%s"}\\n' "$1" "$1"; exit 0; }
     asks() { say "I have looked at it.\\\\nQUESTION: $1"; }
     limited() { printf '{"type":"result","subtype":"success","is_error":true,"result":"Claude AI usage limit reached|%s"}\\n' $(($(date +%s) + $1)); exit 1; }
     worked() { date > done-$u.txt; say done; }
     ${script}`
  )
  return Claude.profile(file, name)
}

/** The calls for a unit: how each was started, and with which prompt. */
const turns = ({ root }: Repository.Sandbox, unit = "tasks") => {
  const file = `${root}/turns-${unit}`
  return existsSync(file) ? Claude.calls(file) : []
}

const one = (settings = "", gate = "ls done-*.txt") => ({
  "01-a.md": task(1, "true", gate),
  "charlotte.yaml": `attempts: 2\n${settings}`
})

/** Units of one task each. */
const units = (...names: ReadonlyArray<string>) =>
  Object.fromEntries([
    ["charlotte.yaml", "attempts: 1\n"],
    ...names.flatMap((name) => [
      [`${name}/IMPLEMENTATION_PLAN.md`, unit()],
      [`${name}/01-one.md`, task(1, "true", `ls done-${name}.txt`)]
    ])
  ])

const becomes = (id: Run.Run["id"], status: Run.Run["status"]) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    return yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
      until: (run) => run.status === status
    })
  })

/** Waits until a unit asks. */
const asked = (id: Run.Run["id"], unit?: string) =>
  Effect.gen(function* () {
    const { questions } = yield* RunStore.RunStore
    yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), questions.open([id])), {
      until: (open) => (open.get(id) ?? []).some((question) => unit === undefined || question.unit === unit)
    })
  })

const answer = (jobId: Run.Run["id"], text: string, unit?: string) =>
  Effect.gen(function* () {
    const { questions } = yield* RunStore.RunStore
    return yield* questions.answer({ jobId, text, unit, sender: { by: "ada" }, at: yield* DateTime.now })
  })

const start = (config: { readonly repoPath: string; readonly tasksDir: string; readonly targetBranch: string }) =>
  Effect.flatMap(JobManager.JobManager, (manager) => manager.start({ ...config, agent: "claude" }))

const wholeTask = "# Task 1"

describe("an agent that asks", () => {
  it.scopedLive("parks its job without gate or attempt, and its session goes on with the answer", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && { date > begun.txt; asks 'Which port?'; }; worked")]
      const { job, parked } = yield* Effect.gen(function* () {
        const id = yield* start(config)
        const parked = yield* becomes(id, "parked")
        const answered = yield* answer(id, "Use 8080.")
        expect(answered).toMatchObject({ unit: "tasks", task: 1, seq: 1, question: "Which port?", session: "tasks1" })
        return { parked, job: yield* ended(id) }
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect(parked.parked).toMatchObject({ reason: "tasks asks: Which port?", questions: 1 })
      expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
      expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 2, session: { id: "tasks1", answers: 1 } }])
      expect(job.types.filter((type) => /^task\.gate\.(started|passed)/.test(type))).toEqual([
        "task.gate.started tasks 1",
        "task.gate.passed tasks 1"
      ])
      expect(job.types.indexOf("unit.answered tasks")).toBeGreaterThan(job.types.indexOf("unit.asked tasks"))
      const [first, second] = turns(world)
      expect(first?.prompt).toContain("QUESTION:")
      expect([second?.session, second?.prompt.includes(wholeTask)]).toEqual(["tasks1", false])
      expect(second?.prompt).toContain("You asked a person: Which port?")
      expect(second?.prompt).toContain("Use 8080.")
      expect(second?.prompt).not.toContain("cut off")
    })
  )

  it.scopedLive("goes on while other units work, once, with the first answer", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, units("api", "web"))
      const script = `[ $u$n = api1 ] && asks 'Which port?'; [ $u$n = api2 ] && touch '${world.root}/went-on'
        [ $u = web ] && while ! [ -e '${world.root}/go' ]; do sleep 0.05; done; worked`
      const job = yield* Effect.gen(function* () {
        const id = yield* start(config)
        yield* asked(id, "api")
        yield* appears(`${world.root}/count-web`)
        yield* answer(id, "8080")
        expect(yield* Effect.flip(answer(id, "8081"))).toMatchObject({
          _tag: "AlreadyAnswered",
          unit: "api",
          by: "ada"
        })
        yield* appears(`${world.root}/went-on`)
        yield* world.write(`${world.root}/go`, "")
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
      expect([job.run.status, job.run.attempt]).toEqual(["completed", 1])
      expect(turns(world, "api").map(({ session }) => session)).toEqual(["new", "api1"])
    })
  )

  it.scopedLive("waits on while another one is answered, which has to be named", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, units("api", "web"))
      const profiles = [claude(world, `[ $n = 1 ] && asks "Which port for $u?"; worked`)]
      const job = yield* Effect.gen(function* () {
        const id = yield* start(config)
        expect((yield* becomes(id, "parked")).parked).toMatchObject({ questions: 2 })
        expect(yield* Effect.flip(answer(id, "8080"))).toMatchObject({
          _tag: "NoOpenQuestion",
          waiting: ["api", "web"]
        })
        expect(yield* Effect.flip(answer(id, "8080", "docs"))).toMatchObject({ _tag: "NoOpenQuestion", unit: "docs" })
        yield* answer(id, "8080", "web")
        yield* appears(`${world.root}/count-web`)
        const again = yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt === 2 })
        expect(again.parked).toMatchObject({ reason: "api asks: Which port for api?", questions: 1 })
        expect([turns(world, "api").length, turns(world, "web").length]).toEqual([1, 2])
        yield* answer(id, "8081")
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.run.attempt]).toEqual(["completed", 3])
    })
  )

  it.scopedLive(
    "waits on when its job is resumed, or its manager closes, and takes an answer that came meanwhile",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, units("api", "web"))
        const script = `[ $u$n = api1 ] && asks 'Which port?'
        [ $u = web ] && while ! [ -e '${world.root}/go' ]; do sleep 0.05; done; worked`
        const layer = charlotte(world, { profiles: [claude(world, script)] })
        const { close, context } = yield* untilClosed(layer)
        const id = yield* Effect.provide(
          Effect.tap(start(config), (id) => asked(id, "api")),
          context
        )
        yield* close
        const job = yield* Effect.gen(function* () {
          yield* becomes(id, "running")
          yield* world.write(`${world.root}/go`, "")
          const first = yield* becomes(id, "parked")
          yield* Effect.flatMap(JobManager.JobManager, (manager) => manager.resume(id))
          yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt > first.attempt })
          expect(turns(world, "api").length).toBe(1)
          yield* answer(id, "8080")
          return yield* ended(id)
        }).pipe(Effect.provide(layer))
        expect([job.run.status, turns(world, "api").length]).toEqual(["completed", 2])
      })
  )

  it.scopedLive("has all answers in the whole prompt of another session", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && asks 'Which port?'; [ $n = 2 ] && asks 'Which host?'; worked")]
      const job = yield* Effect.gen(function* () {
        const id = yield* start(config)
        yield* becomes(id, "parked")
        yield* answer(id, "Use 8080.")
        yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt === 2 })
        rmSync(`${world.root}/sessions/tasks1`)
        yield* answer(id, "Use localhost.")
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.work.tasks[0]?.failures]).toEqual(["completed", 0])
      const all = turns(world)
      expect(all.map(({ session }) => session)).toEqual(["new", "tasks1", "tasks1", "new"])
      expect(all[2]?.prompt).not.toContain("Use 8080.")
      for (const text of [wholeTask, "Use 8080.", "Use localhost."]) expect(all[3]?.prompt).toContain(text)
    })
  )

  it.scopedLive("asks on in a retry, which takes its questions and answers along", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && asks 'Which port?'; [ $n = 2 ] && asks 'Which host?'; worked")]
      const { job, questions } = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* start(config)
        yield* becomes(id, "parked")
        yield* answer(id, "Use 8080.")
        yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt === 2 })
        yield* manager.stop(id)
        expect(yield* Effect.flip(answer(id, "localhost"))).toMatchObject({ _tag: "JobEnded" })
        const retry = yield* manager.start({ ...config, agent: "claude", retryOf: id })
        yield* becomes(retry, "parked")
        expect(turns(world).length).toBe(2)
        yield* answer(retry, "Use localhost.")
        const job = yield* ended(retry)
        return { job, questions: yield* (yield* RunStore.RunStore).questions.of(retry) }
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
      expect(questions).toMatchObject([{ answer: "Use 8080." }, { answer: "Use localhost." }])
      expect(turns(world)[2]?.prompt).toContain("Use localhost.")
    })
  )

  it.scopedLive("does not ask again in a retry of an edited task, which keeps the answers", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && asks 'Which port?'; [ $n = 2 ] && asks 'Which host?'; worked")]
      const { questions, run } = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* start(config)
        yield* becomes(id, "parked")
        yield* answer(id, "Use 8080.")
        yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt === 2 })
        yield* manager.stop(id)
        const edited = `${one()["01-a.md"]}\nThe host is localhost.\n`
        yield* commitOnMain(world, top, "tasks/01-a.md", edited)
        yield* world.write(`${top}/tasks/01-a.md`, edited)
        const retry = yield* manager.start({ ...config, agent: "claude", retryOf: id })
        const store = yield* RunStore.RunStore
        const run = yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(retry))), {
          until: ({ status }) => status === "parked" || isTerminal(status)
        })
        return { run, questions: yield* store.questions.of(retry) }
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect(run.status).toBe("completed")
      expect(questions).toMatchObject([{ question: "Which port?", answer: "Use 8080." }])
    })
  )

  it.scopedLive("leaves the questions of a task behind that is not part of a retry of another unit", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, top } = yield* repository(world, {
        ...units("api", "web"),
        "web/01-one.md": task(1, "true", `ls '${world.root}/mended'`)
      })
      const profiles = [claude(world, "[ $u$n = api1 ] && asks 'Which port?'; worked")]
      const [first, retry] = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* start(config)
        yield* asked(id, "api")
        yield* answer(id, "Use 8080.")
        const first = yield* ended(id)
        yield* world.write(`${world.root}/mended`, "")
        const edited = task(1, "echo changed", "ls done-api.txt")
        yield* commitOnMain(world, top, "tasks/api/01-one.md", edited)
        yield* world.write(`${top}/tasks/api/01-one.md`, edited)
        const retry = yield* manager.start({ ...config, agent: "claude", retryOf: id, units: ["web"] })
        return [first, yield* ended(retry)] as const
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect(first.work.units).toMatchObject([{ state: "merged" }, { state: "failed" }])
      expect([retry.run.status, retry.run.error]).toEqual(["completed", undefined])
    })
  )

  it.scopedLive("waits beside a unit at a limit: each goes on when its own wait is over", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const files = { ...units("api", "web", "docs"), "charlotte.yaml": "attempts: 1\nagent: claude\n" }
        const named = (name: string) => files["web/01-one.md"]?.replace("task: 1", `task: 1\nagent: ${name}`) ?? ""
        const { config } = yield* repository(world, { ...files, "web/01-one.md": named("other") })
        const profiles = [
          claude(world, `[ $n = 1 ] && asks "Which port for $u?"; worked`),
          claude(world, "[ $n -le 2 ] && limited 3600; worked", "other")
        ]
        const job = yield* Effect.gen(function* () {
          const { agent: _, ...unnamed } = config
          const id = yield* Effect.flatMap(JobManager.JobManager, (manager) => manager.start(unnamed))
          const first = yield* becomes(id, "parked")
          expect(first.parked).toMatchObject({ questions: 2, until: expect.anything() })
          yield* answer(id, "8080", "api")
          const second = yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt === 2 })
          expect([second.parked?.questions, second.parked?.until]).toEqual([1, first.parked?.until])
          expect(["api", "web", "docs"].map((unit) => turns(world, unit).length)).toEqual([2, 1, 1])
          yield* jump("1 hour")
          const third = yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt === 3 })
          expect(third.parked?.questions).toBe(1)
          expect(["api", "web", "docs"].map((unit) => turns(world, unit).length)).toEqual([2, 2, 1])
          yield* jump("1 hour")
          yield* Effect.repeat(becomes(id, "parked"), { until: ({ attempt }) => attempt === 4 })
          expect(["api", "web", "docs"].map((unit) => turns(world, unit).length)).toEqual([2, 3, 1])
          yield* answer(id, "8081")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
      })
    )
  )

  it.scopedLive("fails its unit if nobody answers within the limit of the plan, even while the job is parked", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, one("limits: { answer: 2 hours, duration: 1 hour }\n"))
        const profiles = [claude(world, "asks 'Which port?'")]
        const job = yield* Effect.gen(function* () {
          const id = yield* start(config)
          yield* becomes(id, "parked")
          yield* jump("2 hours")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect(job.run.status).toBe("failed")
        expect(job.work.units).toMatchObject([
          { state: "failed", reason: "the limit of 2h for an answer in charlotte.yaml was reached" }
        ])
        expect(turns(world).length).toBe(1)
      })
    )
  )

  it.scopedLive("fails its attempts if the plan says so", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one("questions: fail\n"))
      const profiles = [claude(world, "asks 'Which port?'")]
      const job = yield* Effect.flatMap(start(config), ended).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.work.tasks[0]?.failures]).toEqual(["failed", 2])
      expect(turns(world)[0]?.prompt).not.toContain("QUESTION:")
    })
  )
})

describe("the questions that a retry takes along", () => {
  it.effect("are asked when it begins, and the answered ones keep their time", () =>
    Effect.gen(function* () {
      const jobId = yield* created(1)
      const store = yield* RunStore.RunStore
      const work = planOf(1, 1)
      yield* store.work.plan({ jobId, attempt: 1, work })
      const { unit } = work.units[0] ?? expect.fail("it has no unit")
      const asked = { unit, task: 1, agent: "claude", question: "Which port?" }
      const open = new Question({ ...asked, seq: 2, askedAt: at(2) })
      const answered = new Question({
        ...open,
        seq: 1,
        askedAt: at(1),
        answer: "Use 8080.",
        by: "ada",
        answeredAt: at(2)
      })
      yield* TestClock.setTime(60_000)
      yield* Questions.open(store, { id: jobId, attempt: 1 }, [answered, open])
      expect((yield* store.questions.of(jobId)).map(({ askedAt }) => askedAt)).toEqual([at(1), at(60_000)])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("an agent that changes nothing", () => {
  it.scopedLive(
    "and asks in plain words on its first turn is asked once more, uses no attempt, and then needs an answer",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const files = { ...one("", "ls done-*.txt"), "charlotte.yaml": "attempts: 1\n" }
        const { config } = yield* repository(world, files)
        const profiles = [claude(world, "[ $n -le 2 ] && say 'Which port should it have?'; worked")]
        const { job, parked } = yield* Effect.gen(function* () {
          const id = yield* start(config)
          const parked = yield* becomes(id, "parked")
          expect(turns(world).length).toBe(2)
          yield* answer(id, "8080.")
          return { parked, job: yield* ended(id) }
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect(parked.parked?.reason).toContain("It said: Which port should it have?")
        expect([job.run.status, job.work.tasks[0]?.failures]).toEqual(["completed", 0])
        expect(turns(world)[1]?.prompt).toContain("changed no file and made no commit")
      })
  )

  it.scopedLive("goes on once without a further attempt, and then needs an answer", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one("", "echo 'no port, 3 tests failed'; test -e done-tasks.txt"))
      const script = `[ $n = 1 ] && date > tries.txt; [ $n -le 3 ] && say 'There is nothing to do.'; worked`
      const profiles = [claude(world, script)]
      const { job, parked } = yield* Effect.gen(function* () {
        const id = yield* start(config)
        const parked = yield* becomes(id, "parked")
        expect(turns(world).length).toBe(3)
        yield* answer(id, "Do it.")
        return { parked, job: yield* ended(id) }
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect(parked.parked?.reason).toContain("it changes nothing, and the gate exited with code 1: no port")
      expect([job.run.status, job.work.tasks[0]?.failures]).toEqual(["completed", 1])
      expect(turns(world)[2]?.prompt).toContain("changed no file and made no commit")
      expect(turns(world)[3]?.prompt).toContain("Do it.")
    })
  )

  it.scopedLive("was lazy if it works when it goes on", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && say 'There is nothing to do.'; worked")]
      const job = yield* Effect.flatMap(start(config), ended).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.work.tasks[0]?.failures]).toEqual(["completed", 0])
      expect(job.types).not.toContain("unit.asked tasks")
    })
  )

  for (const [what, files, script] of [
    ["changes a file", one(), "date +%N >> tries.txt; say done"],
    ["meets a gate that could not be run", one("", "exit 127"), "say done"],
    ["is not to ask", one("questions: fail\n"), "say done"]
  ] as const)
    it.scopedLive(`fails its attempts if it ${what}`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, files)
        const layer = charlotte(world, { profiles: [claude(world, script)] })
        const job = yield* Effect.flatMap(start(config), ended).pipe(Effect.provide(layer))
        expect([job.run.status, job.work.tasks[0]?.failures, turns(world).length]).toEqual(["failed", 2, 2])
      })
    )
})
