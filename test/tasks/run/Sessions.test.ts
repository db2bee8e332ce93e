/** Turns that resume the session of the last turn at their task. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Run, RunStore } from "charlotte"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import { rmSync, writeFileSync } from "node:fs"
import * as PlanSnapshot from "../../../src/tasks/run/PlanSnapshot.js"
import { jumping } from "../../support/jumpingClock.js"
import * as Repository from "../../support/Repository.js"
import { appears, charlotte, ended, repository, run, task, untilClosed } from "../Jobs.js"
import * as Claude from "./Claude.js"

/**
 * A stand-in for Claude Code, which keeps its sessions by directory, as that does. Its script has the number `n` of this call, and
 * `refused TEXT`, `tried` and `worked`. The file `turns` has what each call was started with, and its prompt.
 */
const claude = (world: Repository.Sandbox, script: string, name = "claude") => {
  const file = `${world.root}/${name}.sh`
  writeFileSync(
    file,
    `sessions='${world.root}/sessions'$(pwd); mkdir -p "$sessions"
     echo x >> '${world.root}/count'; n=$(($(wc -c < '${world.root}/count') / 2))
     { echo "== $1"; cat; } >> '${world.root}/turns'
     failed() { printf '{"type":"result","subtype":"%s","is_error":true,"session_id":"%s",%s}\\n' "$1" "$id" "$2"; exit 1; }
     refused() { failed success "\\"result\\":\\"$1\\""; }
     tried() { date > tried.txt; exit 0; }
     worked() { date > done.txt; printf '{"type":"result","subtype":"success","is_error":false,"result":"done"}\\n'; exit 0; }
     id=$1
     if [ $1 = new ]; then id=s$n; touch "$sessions/$id"
     elif ! [ -e "$sessions/$id" ]; then failed error_during_execution "\\"errors\\":[\\"No conversation found with session ID: $id\\"]"
     fi
     printf '{"type":"system","subtype":"init","session_id":"%s"}\\n' "$id"
     ${script}`
  )
  return Claude.profile(file, name)
}

/** The calls: how each was started, and with which prompt. */
const turns = ({ root }: Repository.Sandbox) => Claude.calls(`${root}/turns`)

const sessions = (world: Repository.Sandbox) => turns(world).map(({ session }) => session)

const one = (settings = "") => ({
  "01-a.md": task(1, "true", "test -e done.txt"),
  "charlotte.yaml": `attempts: 2\n${settings}`
})

const becomes = (id: Run.Run["id"], status: Run.Run["status"]) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
      until: (run) => run.status === status
    })
  })

/** A job whose manager closes in the middle of its first turn. */
const cutShort = (world: Repository.Sandbox, config: Parameters<typeof run>[0]) =>
  Effect.gen(function* () {
    const profile = claude(world, `[ $n = 1 ] && { touch '${world.root}/begun'; sleep 1000; }; worked`)
    const { close, context } = yield* untilClosed(charlotte(world, { profiles: [profile] }))
    const manager = yield* Effect.provide(JobManager.JobManager, context)
    const id = yield* manager.start({ ...config, agent: "claude" })
    yield* appears(`${world.root}/begun`)
    yield* close
    return { id, profile }
  })

const wholeTask = "# Task 1"
const cutOff = "Your last turn at this task was cut off before it ended"

describe("a turn after one that", () => {
  it.scopedLive("reached a limit resumes its session, with what happened since", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, one())
        const profiles = [claude(world, "[ $n = 1 ] && refused 'Credit balance is too low'; worked")]
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: "claude" })
          yield* becomes(id, "parked")
          yield* jump("1 hour")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect([job.run.status, job.run.error]).toEqual(["completed", undefined])
        const [first, second] = turns(world)
        expect([first?.session, first?.prompt.includes(wholeTask)]).toEqual(["new", true])
        expect([second?.session, second?.prompt.includes(wholeTask)]).toEqual(["s1", false])
        expect(second?.prompt).toContain(cutOff)
        expect(job.work.tasks).toMatchObject([
          { failures: 0, calls: 1, session: { agent: "claude", id: "s1", attempt: 1 } }
        ])
      })
    )
  )

  it.scopedLive("waited for a person resumes its session", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && refused 'Not logged in · Please run /login'; worked")]
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start({ ...config, agent: "claude" })
        yield* becomes(id, "parked")
        yield* manager.resume(id)
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "s1"]])
    })
  )

  it.scopedLive("was cut off with its manager resumes its session, which only its output names", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const { id, profile } = yield* cutShort(world, config)
      const job = yield* Effect.provide(ended(id), charlotte(world, { profiles: [profile] }))
      expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "s1"]])
      expect(turns(world)[1]?.prompt).toContain(cutOff)
    })
  )

  it.scopedLive("did not pass the gate resumes its session, with the reason", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && tried; worked")]
      const job = yield* Effect.provide(run({ ...config, agent: "claude" }), charlotte(world, { profiles }))
      expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "s1"]])
      expect(turns(world)[1]?.prompt).toContain("Your last attempt at this task failed: the gate exited with code 1.")
      expect(turns(world)[1]?.prompt).not.toContain(wholeTask)
    })
  )

  const ofTask = one()["01-a.md"].replace("status:", "session: fresh\nstatus:")
  for (const [where, files] of [
    ["plan", one("session: fresh\n")],
    ["task", { ...one("session: resume\n"), "01-a.md": ofTask }]
  ] as const)
    it.scopedLive(`did not pass the gate begins a fresh session where the ${where} says so`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, files)
        const profiles = [claude(world, "[ $n = 1 ] && tried; worked")]
        const job = yield* Effect.provide(run({ ...config, agent: "claude" }), charlotte(world, { profiles }))
        expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "new"]])
        expect(turns(world)[1]?.prompt).toContain(wholeTask)
      })
    )
})

describe("a session that", () => {
  it.scopedLive("is gone is followed by another at once, with the whole prompt, and no attempt is used", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const profiles = [claude(world, "[ $n = 1 ] && refused 'Not logged in · Please run /login'; worked")]
      const job = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start({ ...config, agent: "claude" })
        yield* becomes(id, "parked")
        rmSync(`${world.root}/sessions`, { recursive: true })
        yield* manager.resume(id)
        return yield* ended(id)
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "s1", "new"]])
      expect(turns(world)[2]?.prompt).toContain(wholeTask)
      expect(job.work.tasks).toMatchObject([{ failures: 0, calls: 1, session: { id: "s3" } }])
      expect(job.work.tasks[0]?.notes.join()).toContain("No conversation found with session ID: s1")
    })
  )

  it.scopedLive("is too long is followed by another at once, and fails its task where the whole prompt is, too", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      // The gate fails the first attempt; in the second, the session is too long.
      const refusing = (calls: string) => `[ $n = 1 ] && tried; ${calls} && refused 'Prompt is too long'; worked`
      const job = yield* Effect.provide(
        run({ ...config, agent: "claude" }),
        charlotte(world, { profiles: [claude(world, refusing("[ $n = 2 ]"))] })
      )
      expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "s1", "new"]])
      expect(job.work.tasks).toMatchObject([{ failures: 1 }])

      const other = yield* Repository.sandbox
      const { config: again } = yield* repository(other, one())
      const failed = yield* Effect.provide(
        run({ ...again, agent: "claude" }),
        charlotte(other, { profiles: [claude(other, refusing("true"))] })
      )
      expect([failed.run.status, sessions(other)]).toEqual(["failed", ["new", "s1", "new"]])
      expect(failed.work.tasks).toMatchObject([
        { failures: 2, reason: "the prompt is too long for claude: Prompt is too long" }
      ])
    })
  )

  it.scopedLive.each([
    { title: "is resumed by a retry, which adopts its directory", fresh: false, last: "s1" },
    { title: "is not resumed by a retry in another directory", fresh: true, last: "new" }
  ])("$title", ({ fresh, last }) =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one("questions: fail\n"))
      const profiles = [claude(world, "[ $n -lt 3 ] && exit 0; worked")]
      const { first, second, taken } = yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const first = yield* run({ ...config, agent: "claude" })
        const second = yield* run({ ...config, agent: "claude", retryOf: first.id, fresh })
        const snapshot = yield* Effect.flatMap(Effect.flatten(store.submission(second.id)), PlanSnapshot.decode)
        return { first, second, taken: snapshot.taken }
      }).pipe(Effect.provide(charlotte(world, { profiles })))
      const [record] = first.work.tasks
      expect(taken.sessions).toMatchObject([{ task: 1, session: { ...record?.session, attempt: 0 } }])
      expect([second.run.status, sessions(world)]).toEqual(["completed", ["new", "s1", last]])
    })
  )

  it.scopedLive("belongs to one agent of a list is not resumed by the next, which resumes its own", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one("agent: [claude, other]\n"))
      const profiles = [
        claude(world, "refused 'Credit balance is too low'"),
        claude(world, "[ $n = 2 ] && tried; worked", "other")
      ]
      const job = yield* Effect.provide(run({ ...config, agent: undefined }), charlotte(world, { profiles }))
      // The gate fails the first attempt, which the second agent has continued.
      expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "new", "s2"]])
      expect(turns(world)[1]?.prompt).toContain(wholeTask)
      expect(job.work.tasks).toMatchObject([{ failures: 1, calls: 2, session: { agent: "other", id: "s2" } }])
    })
  )

  it.scopedLive("belongs to one agent of a list is kept if the next has done nothing", () =>
    jumping((jump) =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, one("agent: [claude, other]\n"))
        const profiles = [
          claude(world, "[ $n = 1 ] && refused 'Credit balance is too low'; worked"),
          claude(world, "refused 'Not logged in · Please run /login'", "other")
        ]
        const job = yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start({ ...config, agent: undefined })
          yield* becomes(id, "parked")
          yield* jump("1 hour")
          return yield* ended(id)
        }).pipe(Effect.provide(charlotte(world, { profiles })))
        expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "new", "s1"]])
        expect(turns(world)[2]?.prompt).not.toContain(wholeTask)
      })
    )
  )

  it.scopedLive("its agent can no longer resume is not resumed", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one())
      const { id, profile } = yield* cutShort(world, config)
      // The agent of that name cannot resume sessions any more.
      const { resume: _, ...others } = profile
      const job = yield* Effect.provide(ended(id), charlotte(world, { profiles: [new Agents.Profile(others)] }))
      expect([job.run.status, sessions(world)]).toEqual(["completed", ["new", "new"]])
    })
  )
})
