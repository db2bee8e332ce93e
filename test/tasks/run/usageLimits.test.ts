/** Agents that reach their usage limit, are not logged in, or are not reached. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Run, RunStore } from "charlotte"
import { Agents } from "charlotte/tasks"
import { DateTime, Duration, Effect, Layer, Option, Schema } from "effect"
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename } from "node:path"
import { Failpoint, type Service } from "../../../src/internal/Failpoint.js"
import * as needsPerson from "../../../src/progress/needsPerson.js"
import { jumping } from "../../support/jumpingClock.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, task, unit, untilClosed } from "../Jobs.js"
import { type Config, counted, counting, eventually, pausing } from "./Scenes.js"

/**
 * A stand-in for Claude Code. Its script has the number `n` of this call, and `limited SECONDS`, `refused TEXT` and `worked`. The
 * file `calls-NAME` has a line for the begin and the end of each call.
 */
const claude = (world: Repository.Sandbox, script: string, name = "claude") =>
  new Agents.Profile({
    name,
    command: [
      "sh",
      "-c",
      `cat > /dev/null
       ${counting(world, name)}
       calls='${world.root}/calls-${name}'
       echo begin >> "$calls"; trap 'echo end >> "$calls"' EXIT
       refused() { printf '{"type":"result","subtype":"success","is_error":true,"result":"%s"}\\n' "$1"; exit 1; }
       limited() { refused "Claude AI usage limit reached|$(($(date +%s) + $1))"; }
       worked() { date > "out-\${PWD##*/}.txt"; echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'; exit 0; }
       n=$(($(wc -c < '${world.root}/count-${name}') / 2))
       ${script}`
    ],
    prompt: "stdin",
    format: "claude-stream-json",
    env: []
  })

const once = { "01-a.md": task(1, "true", "ls out-*.txt"), "charlotte.yaml": "attempts: 1\n" }

const calls = ({ root }: Repository.Sandbox, name = "claude") => readFileSync(`${root}/calls-${name}`, "utf8")

const logOf = Schema.decodeUnknownSync(Schema.pluck(Schema.Struct({ log: Schema.String }), "log"))

const untilOf = ({ parked }: Run.Run) => DateTime.toEpochMillis(parked?.until ?? expect.fail("it has no time"))

/** Waits until the record of a job has a status. */
const becomes = (id: Run.Run["id"], status: Run.Run["status"]) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    return yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
      until: (run) => run.status === status
    })
  })

/** Starts a job for the agent `claude`, and waits until it is parked. */
const parkedJob = (config: Config) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const id = yield* manager.start({ ...config, agent: "claude" })
    yield* becomes(id, "parked")
    return id
  })

describe("a turn that failed at once in unknown words after an answer", () => {
  const answered = `printf '{"type":"assistant","message":{"model":"opus","content":[{"type":"text","text":"I begin."}]}}\\n'`

  it.scopedLive("uses no attempt once for its task where it changed nothing", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      const layer = charlotte(world, {
        profiles: [claude(world, `[ $n = 1 ] && { ${answered}; refused "no more of this"; }; worked`)]
      })
      const job = yield* Effect.provide(run({ ...config, agent: "claude" }), layer)
      expect(job.run.status).toBe("completed")
      expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 2 }])
      expect(yield* counted(world, "claude")).toBe(2)

      const other = yield* repository(yield* Repository.sandbox, once)
      const again = charlotte(world, { profiles: [claude(world, `${answered}; refused "no more of this"`)] })
      const failed = yield* Effect.provide(run({ ...other.config, agent: "claude" }), again)
      expect(failed.run.status).toBe("failed")
      expect(failed.work.tasks).toMatchObject([{ failures: 1, calls: 2, reason: "the agent failed: no more of this" }])
      expect(yield* counted(world, "claude")).toBe(4)
    })
  )

  it.scopedLive("uses an attempt where it changed files", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, once)
      const layer = charlotte(world, {
        profiles: [claude(world, `${answered}; touch changed; refused "no more of this"`)]
      })
      const job = yield* Effect.provide(run({ ...config, agent: "claude" }), layer)
      expect(job.work.tasks).toMatchObject([{ failures: 1, calls: 1 }])
      expect(yield* counted(world, "claude")).toBe(1)
    })
  )
})

describe("an agent at its usage limit", () => {
  it.scopedLive("parks its job until the reset, uses no attempt, and is called once then", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const layer = charlotte(world, { profiles: [claude(world, "[ $n = 1 ] && limited 3600; worked")] })
        const { first, job } = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          const first = yield* becomes(id, "parked")
          expect(yield* manager.activeCount).toBe(0)
          yield* jump("1 hour")
          return { first, job: yield* ended(id) }
        }).pipe(Effect.provide(layer))
        expect(job.run).toMatchObject({ status: "completed", attempt: 2 })
        expect(job.work.tasks).toMatchObject([{ state: "completed", failures: 0, calls: 1 }])
        expect(yield* counted(world, "claude")).toBe(2)
        expect(first.parked?.reason).toBe("claude is at its usage limit: Claude AI usage limit reached")
        const resumed = job.events.find(({ type }) => type === "job.resumed")
        expect(resumed && DateTime.toEpochMillis(resumed.at)).toBeGreaterThanOrEqual(untilOf(first))
        expect(job.types).toContain("unit.waiting tasks")
        expect(job.events.find(({ type }) => type === "task.agent.ended")?.payload).toMatchObject({
          class: "usageLimit"
        })
        expect(job.types).not.toContain("task.retry tasks 1")
      })
    )
  )

  it.scopedLive("is called by one of two jobs first, and by the other once that has shown that it works", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const one = yield* repository(world, once, "one")
        const two = yield* repository(world, once, "two")
        const layer = charlotte(world, { profiles: [claude(world, "[ $n = 1 ] && limited 3600; sleep 1; worked")] })
        const jobs = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const first = yield* manager.start({ ...one.config, agent: "claude" })
          const limited = yield* becomes(first, "parked")
          const second = yield* manager.start({ ...two.config, agent: "claude" })
          const alike = yield* becomes(second, "parked")
          expect([alike.parked?.until, yield* counted(world, "claude")]).toEqual([limited.parked?.until, 1])
          yield* jump("1 hour")
          return [yield* ended(first), yield* ended(second)]
        }).pipe(Effect.provide(layer))
        for (const { run, work } of jobs) {
          expect([run.status, run.error]).toEqual(["completed", undefined])
          expect(work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
        }
        expect(calls(world)).toBe("begin\nend\n".repeat(3))
      })
    )
  )

  it.scopedLive("that works again before its reset goes on in all jobs, whether they are parked or at work", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const one = yield* repository(world, once, "one")
      const two = yield* repository(world, once, "two")
      const three = yield* repository(
        world,
        {
          "a/IMPLEMENTATION_PLAN.md": "---\ndepends_on: []\nagent: claude\n---\n",
          "a/01-a.md": task(1, "true", "true"),
          "b/IMPLEMENTATION_PLAN.md": "---\ndepends_on: []\nagent: other\n---\n",
          "b/01-b.md": task(1, "true", "true")
        },
        "three"
      )
      const slow = pausing(world, "worked")
      const profiles = [claude(world, "[ $n = 1 ] && limited 3600; worked"), claude(world, slow, "other")]
      const jobs = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const first = yield* parkedJob(one.config)
        const second = yield* parkedJob(two.config)
        const { agent: _, ...config } = three.config
        const third = yield* manager.start(config)
        yield* eventually(third, "unit.waiting a")
        yield* manager.resume(first)
        // Unit b is still at work.
        yield* eventually(third, "unit.completed a")
        yield* world.write(`${world.root}/go`, "")
        return [yield* ended(first), yield* ended(second), yield* ended(third)]
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect(jobs.map(({ run }) => [run.status, run.attempt])).toEqual([
        ["completed", 2],
        ["completed", 2],
        ["completed", 1]
      ])
      const woken = jobs[1]?.events.find(({ type }) => type === "job.resumed")
      expect(woken?.payload).toMatchObject({ by: "time" })
      expect(yield* counted(world, "claude")).toBe(4)
    })
  )

  it.scopedLive("keeps no job of another agent from beginning", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const one = yield* repository(world, once, "one")
      const two = yield* repository(world, once, "two")
      const profiles = [claude(world, "limited 3600"), claude(world, "worked", "other")]
      const [first, second] = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const first = yield* manager.start({ ...one.config, agent: "claude" })
        yield* becomes(first, "parked")
        const second = yield* run({ ...two.config, agent: "other" })
        const store = yield* RunStore.RunStore
        return [yield* store.get(first), second.run] as const
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([Option.getOrUndefined(first)?.status, second.status]).toEqual(["parked", "completed"])
    })
  )

  it.scopedLive("parks its job only once no unit can go on", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const slow = `test -e out-a.txt || exit 1; ${pausing(world, "true").replaceAll("\n", "; ")}`
        const { config } = yield* repository(world, {
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-a.md": task(1, "true", slow),
          "b/IMPLEMENTATION_PLAN.md": unit(),
          "b/01-b.md": task(1, "true", "test -e out-b.txt")
        })
        const script = `case "$PWD" in */a) worked;; esac
        while ! test -e '${world.root}/go.reached'; do sleep 0.02; done
        [ -e '${world.root}/limited' ] && worked; touch '${world.root}/limited'; limited 3600`
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          yield* eventually(id, "unit.waiting b")
          expect(yield* manager.activeCount).toBe(1)
          yield* world.write(`${world.root}/go`, "")
          yield* becomes(id, "parked")
          yield* jump("1 hour")
          const job = yield* ended(id)
          expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 2, undefined])
          const parked = job.types.indexOf("job.parked")
          expect(job.types.indexOf("unit.merged a")).toBeLessThan(parked)
          expect(job.types.indexOf("unit.merged b")).toBeGreaterThan(parked)
          expect(job.work.tasks.map(({ failures }) => failures)).toEqual([0, 0])
        }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
      })
    )
  )

  it.scopedLive("is still limited for the next manager, which calls it at the reset", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const layer = charlotte(world, { profiles: [claude(world, "[ $n = 1 ] && limited 3600; worked")] })
        const first = yield* untilClosed(layer)
        const id = yield* Effect.provide(parkedJob(config), first.context)
        yield* first.close
        const job = yield* Effect.gen(function* () {
          yield* becomes(id, "parked")
          expect(yield* counted(world, "claude")).toBe(1)
          yield* jump("1 hour")
          return yield* ended(id)
        }).pipe(Effect.provide(layer))
        expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
        expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
        expect(yield* counted(world, "claude")).toBe(2)
      })
    )
  )

  it.scopedLive(
    "is called at once by a job that a person resumes before the reset, and then counts as limited again",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const script = "[ $n = 1 ] && limited 3600; [ $n = 2 ] && limited 7200; worked"
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* parkedJob(config)
          const first = yield* becomes(id, "parked")
          yield* manager.resume(id)
          yield* eventually(id, "job.resumed")
          const second = yield* becomes(id, "parked")
          expect([second.attempt, yield* counted(world, "claude")]).toEqual([2, 2])
          expect(untilOf(second)).toBeGreaterThan(untilOf(first))
          yield* manager.resume(id)
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
        expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 3, undefined])
        expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
      })
  )

  it.scopedLive("parks its job also after a crash before the park, without another call or a lost attempt", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const layer = charlotte(world, { profiles: [claude(world, "[ $n = 1 ] && limited 3600; worked")] })
        const files = ["", "-wal"].map(
          (end) => [`${world.root}/charlotte.db${end}`, `${world.root}/crashed${end}`] as const
        )
        // The database as a crash right after the commit of the limit leaves it.
        const keep = () => {
          for (const [file, copy] of files) copyFileSync(file, copy)
        }
        const keeping: Service = {
          around: (names, effect) =>
            Effect.tap(effect, () => Effect.sync(() => names().includes("commit record a usage limit") && keep()))
        }
        const first = yield* untilClosed(Layer.provide(layer, Layer.succeed(Failpoint, keeping)))
        const id = yield* Effect.provide(parkedJob(config), first.context)
        yield* first.close
        for (const [file, copy] of files) {
          rmSync(file, { force: true })
          copyFileSync(copy, file)
        }
        const job = yield* Effect.gen(function* () {
          yield* becomes(id, "parked")
          expect(yield* counted(world, "claude")).toBe(1)
          yield* jump("1 hour")
          return yield* ended(id)
        }).pipe(Effect.provide(layer))
        expect(job.types.filter((type) => type.startsWith("job."))).toEqual(
          ["started", "interrupted", "resumed", "parked", "resumed", "completed"].map((type) => `job.${type}`)
        )
        expect(job.run).toMatchObject({ status: "completed", attempt: 3 })
        expect(job.work.tasks).toMatchObject([{ state: "completed", failures: 0, calls: 1 }])
        expect(yield* counted(world, "claude")).toBe(2)
      })
    )
  )

  it.scopedLive("is not what a gate, a tool or a turn that ended well says", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const line = "Claude AI usage limit reached|$(($(date +%s) + 3600))"
      const { config } = yield* repository(world, {
        "01-a.md": task(1, "true", `test -e third || { echo "${line}"; exit 1; }`)
      })
      const says = `text="${line}"
        printf '{"type":"user","message":{"content":[{"type":"tool_result","content":"%s"}]}}\\n' "$text"
        printf '{"type":"assistant","message":{"content":[{"type":"text","text":"%s"}]}}\\n' "$text"
        echo "$text"
        [ $n = 1 ] && exit 1
        [ $n = 3 ] && touch third
        printf '{"type":"result","subtype":"success","is_error":false,"result":"%s"}\\n' "$text"`
      const profiles = [claude(world, says)]
      const job = yield* run({ ...config, agent: "claude" }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.run.attempt]).toEqual(["completed", 1])
      expect(job.work.tasks).toMatchObject([{ failures: 2, calls: 3 }])
      expect(job.types).not.toContain("unit.waiting tasks")
    })
  )
})

const personal = [
  {
    who: "that is not logged in",
    text: "Invalid API key · Please run /login",
    says: "is not logged in, or its key is refused"
  },
  {
    who: "whose organization is disabled",
    text: "API Error: 403 This organization has been disabled.",
    says: "may not be used with this account"
  }
]

for (const { says, text, who } of personal)
  describe(`an agent ${who}`, () => {
    it.scopedLive("parks its job with what to do, until it is resumed, and uses no attempt", () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const script = `[ $n = 1 ] && refused '${text}'; worked`
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          const { parked } = yield* becomes(id, "parked")
          expect(parked).toMatchObject({
            reason: `claude ${says}: ${text}; fix that, then continue with: charlotte resume ${id}`
          })
          expect(parked?.until).toBeUndefined()
          yield* manager.resume(id)
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
        expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 2, undefined])
        expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
      })
    )
  })

describe("an agent with nothing left to spend", () => {
  it.scopedLive("parks its job for an hour and for a person, or until the day that it names, and uses no attempt", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const regain = "You have reached your specified API usage limits. You will regain access on"
        const script = `[ $n = 1 ] && refused 'Credit balance is too low'
          [ $n = 2 ] && refused "${regain} $(date -u -d @$(($(date +%s) + 20 * 86400)) +%Y-%m-%d) at 00:00 UTC."
          worked`
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          const first = yield* becomes(id, "parked")
          expect(first.parked?.reason).toBe(
            "claude has nothing left to spend: Credit balance is too low; it does not say when that resets"
          )
          expect(needsPerson.choose([first]).map(({ id }) => id)).toEqual([id])
          yield* jump("1 hour")
          const second = yield* becomes(id, "parked").pipe(
            Effect.repeat({ until: ({ parked }) => parked?.reason !== first.parked?.reason })
          )
          expect(second.parked?.reason).toContain(`claude has nothing left to spend: ${regain}`)
          expect(needsPerson.choose([second])).toEqual([])
          expect(untilOf(second) - untilOf(first)).toBeGreaterThan(Duration.toMillis("17 days"))
          yield* jump("21 days")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
        expect(job.run).toMatchObject({ status: "completed", attempt: 3 })
        expect(job.work.tasks).toMatchObject([{ state: "completed", failures: 0, calls: 1 }])
      })
    )
  )
})

/** A job of two units: the agent has no login for `a` at first, and is at its limit for `b`. */
const unlike = (world: Repository.Sandbox, settings = "attempts: 1\n") =>
  Effect.gen(function* () {
    const { config } = yield* repository(world, {
      "charlotte.yaml": settings,
      "a/IMPLEMENTATION_PLAN.md": unit(),
      "a/01-a.md": task(1, "true", "test -e out-a.txt"),
      "b/IMPLEMENTATION_PLAN.md": unit(),
      "b/01-b.md": task(1, "true", "test -e out-b.txt")
    })
    // Each turn begins before the other has ended.
    const script = `unit="\${PWD##*/}"; echo x >> '${world.root}/turns-'"$unit"
      touch '${world.root}/begun-'"$unit"
      while ! test -e '${world.root}/begun-a' || ! test -e '${world.root}/begun-b'; do sleep 0.02; done
      [ -e '${world.root}/refused-'"$unit" ] && worked
      touch '${world.root}/refused-'"$unit"
      case "$unit" in a) refused 'Invalid API key · Please run /login';; esac
      limited 3600`
    return { config, profiles: [claude(world, script)] }
  })

const turns = ({ root }: Repository.Sandbox) =>
  ["a", "b"].map((name) => readFileSync(`${root}/turns-${name}`, "utf8").split("\n").length - 1)

describe("a job whose units wait for different things", () => {
  it.scopedLive(
    "parks for the reset and a person, and at the reset begins no turn of the unit that needs a person",
    () =>
      jumping((jump) =>
        Effect.gen(function* () {
          const world = yield* Repository.sandbox
          const { config, profiles } = yield* unlike(world)
          const job = yield* Effect.gen(function* () {
            const manager = yield* JobManager.JobManager
            const id = yield* parkedJob(config)
            const { parked } = yield* becomes(id, "parked")
            expect(parked).toMatchObject({ signal: "charlotte.resume" })
            expect(parked?.until).toBeDefined()
            expect(parked?.reason).toContain("is not logged in")
            expect(parked?.reason).toContain("at its usage limit")
            yield* jump("1 hour")
            yield* eventually(id, "task.completed b 1")
            const again = yield* becomes(id, "parked")
            expect(again.parked).toMatchObject({ signal: "charlotte.resume" })
            expect(again.parked?.until).toBeUndefined()
            expect([again.attempt, turns(world)]).toEqual([2, [1, 2]])
            yield* manager.resume(id)
            return yield* ended(id)
          }).pipe(Effect.provide(charlotte(world, { profiles })))
          expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 3, undefined])
          expect(turns(world)).toEqual([2, 2])
          expect(job.work.units.map(({ reason }) => reason)).toEqual([undefined, undefined])
          expect(job.work.tasks.map(({ failures }) => failures)).toEqual([0, 0])
        })
      )
  )

  it.scopedLive("goes on with all of them once a person resumes it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config, profiles } = yield* unlike(world)
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* parkedJob(config)
        yield* manager.resume(id)
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 2, undefined])
      expect(turns(world)).toEqual([2, 2])
    })
  )
})

describe("the limit of the duration of a job", () => {
  it.scopedLive("does not count the time for which it was parked", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, { ...once, "charlotte.yaml": "limits: { duration: 30 minutes }\n" })
        const job = yield* Effect.gen(function* () {
          const id = yield* parkedJob(config)
          yield* jump("1 hour")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, "[ $n = 1 ] && limited 3600; worked")] })))
        expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
      })
    )
  )
})

/** Lets the pauses of a task pass until the job is parked. */
const throughPauses = (id: Run.Run["id"], jump: (by: "3 minutes") => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    for (;;) {
      const run = yield* Effect.flatten(store.get(id))
      if (run.status === "parked") return run
      const last = (yield* Effect.flatten(
        store.events({ kind: run.kind, jobId: id, after: 0, limit: 1_000 })
      )).events.at(-1)
      if (last?.type === "task.retry") yield* jump("3 minutes")
      yield* Effect.sleep("50 millis")
    }
  })

describe("an agent whose service is not reached", () => {
  it.scopedLive("is tried every 15 minutes after a while, by a job that parks in between and uses no attempt", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const profiles = [claude(world, "[ $n -le 8 ] && refused 'API Error: Connection error.'; worked")]
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          const first = yield* throughPauses(id, jump)
          expect([first.parked?.reason, first.parked?.tentative, yield* counted(world, "claude")]).toEqual([
            "claude does not reach its service: API Error: Connection error; no attempt used",
            true,
            7
          ])
          yield* jump("15 minutes")
          yield* eventually(id, "job.resumed")
          const second = yield* becomes(id, "parked")
          expect([untilOf(second) - untilOf(first) >= 900_000, yield* counted(world, "claude")]).toEqual([true, 8])
          yield* jump("15 minutes")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 3, undefined])
        expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
      })
    )
  )

  it.scopedLive("is tried again after a pause, without using an attempt, and keeps the log of each call", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const profiles = [claude(world, "[ $n = 1 ] && refused 'API Error: Connection error.'; worked")]
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          yield* eventually(id, "task.retry tasks 1")
          yield* jump("5 seconds")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
        expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
        expect(job.events.find(({ type }) => type === "task.retry")?.payload).toMatchObject({
          class: "network",
          attempt: 1,
          pause: 5_000
        })
        const logs = job.events.flatMap(({ payload, type }) => (type === "task.agent.started" ? [logOf(payload)] : []))
        expect(logs.map((log) => basename(log))).toEqual(["01-attempt-1.1.agent.log", "01-attempt-1.1.2.agent.log"])
        expect(logs.map((log) => readFileSync(log, "utf8"))).toEqual([
          expect.stringContaining("Connection error"),
          expect.stringContaining('"result":"done"')
        ])
      })
    )
  )
})

describe("an agent that gets no answer from its model", () => {
  it.scopedLive("uses no attempt where the machine sleeps in the middle of the turn", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const [begun, awake] = [`${world.root}/begun`, `${world.root}/awake`]
        const script = `[ $n = 1 ] || worked
          touch '${begun}'; while [ ! -e '${awake}' ]; do sleep 0.05; done
          refused 'Please come back another day'`
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          yield* appears(begun)
          yield* jump("1 hour")
          writeFileSync(awake, "")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles: [claude(world, script)] })))
        expect(job.run.status).toBe("completed")
        expect(job.work.tasks).toMatchObject([{ state: "completed", failures: 0, calls: 1 }])
      })
    )
  )

  const unanswered = "{ echo 'Your seat was reassigned' >&2; exit 1; }"
  const limited = { ...once, "charlotte.yaml": "attempts: 1\nlimits: { agentCalls: 1 }\n" }

  it.scopedLive("is called three times, and uses neither attempts nor calls, also under the next manager", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, limited)
        const layer = charlotte(world, { profiles: [claude(world, `[ $n -le 4 ] && ${unanswered}; worked`)] })
        const first = yield* untilClosed(layer)
        const id = yield* Effect.provide(parkedJob(config), first.context)
        yield* first.close
        const job = yield* Effect.gen(function* () {
          const { parked } = yield* becomes(id, "parked")
          expect([parked?.reason, yield* counted(world, "claude")]).toEqual([
            "claude got no answer from its model 3 times in a row: exited with code 1: Your seat was reassigned; no attempt used",
            3
          ])
          yield* jump("5 minutes")
          yield* eventually(id, "job.resumed")
          yield* becomes(id, "parked")
          expect(yield* counted(world, "claude")).toBe(4)
          yield* jump("10 minutes")
          return yield* ended(id)
        }).pipe(Effect.provide(layer))
        expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
        expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1 }])
        const waits = job.events.filter(({ type }) => type === "unit.waiting").map(({ payload }) => payload)
        expect(waits[0]).toMatchObject({ reason: expect.stringContaining("Your seat was reassigned") })
        expect(job.events.find(({ type }) => type === "task.agent.ended")?.payload).toMatchObject({
          class: "unanswered"
        })
      })
    )
  )

  it.scopedLive("is called at once by a job that a person resumes", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, limited)
      const profiles = [claude(world, `[ $n -le 3 ] && ${unanswered}; worked`)]
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* parkedJob(config)
        yield* manager.resume(id)
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, job.run.attempt, job.run.error]).toEqual(["completed", 2, undefined])
      expect(yield* counted(world, "claude")).toBe(4)
    })
  )

  it.scopedLive("at one task only works at the others, and then that task has failed", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const names = ["a", "b", "c"] as const
        const { config } = yield* repository(
          world,
          Object.fromEntries(
            names.flatMap((name) => [
              [`${name}/IMPLEMENTATION_PLAN.md`, unit()],
              [`${name}/01-${name}.md`, task(1, "true", `test -e out-${name}.txt`)]
            ])
          )
        )
        const script = `case "$PWD" in */a) ${unanswered};; esac
          while ! test -e '${world.root}/go'; do sleep 0.02; done; worked`
        const profiles = [claude(world, script)]
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          yield* eventually(id, "unit.waiting a")
          yield* world.write(`${world.root}/go`, "")
          const parked = yield* becomes(id, "parked")
          expect(parked.attempt).toBe(1)
          yield* jump("5 minutes")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect(job.run.status).toBe("failed")
        expect(job.work.units.map(({ state }) => state)).toEqual(["failed", "merged", "merged"])
        expect(job.work.tasks.map(({ failures }) => failures)).toEqual([3, 0, 0])
        expect(yield* counted(world, "claude")).toBe(8)
      })
    )
  )
})

describe("an agent that is ended", () => {
  const ways = {
    gone: { script: "kill -9 $$", limits: {} },
    stalled: { script: "sleep 100", limits: { silence: Duration.seconds(1) } },
    timedOut: { script: "while :; do echo x; sleep 0.1; done", limits: { timeout: Duration.seconds(1) } }
  }
  for (const [name, { limits, script }] of Object.entries(ways)) {
    it.scopedLive(`uses an attempt, with the class ${name}`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, once)
        const profiles = [new Agents.Profile({ ...claude(world, script), ...limits })]
        const job = yield* run({ ...config, agent: "claude" }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect(job.run.status).toBe("failed")
        expect(job.work.tasks).toMatchObject([{ failures: 1, calls: 1 }])
        expect(job.events.find(({ type }) => type === "task.agent.ended")?.payload).toMatchObject({ class: name })
        expect(job.types.includes("task.agent.slow tasks 1")).toBe(name !== "gone")
      })
    )
  }
})
