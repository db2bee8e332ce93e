/** A foreground `charlotte run` of a job that has to wait. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

describe("charlotte run of a job that waits", () => {
  it.scopedLive("shows for what it waits, then runs it", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const { code, err, out } = yield* Charlotte.run(world, "exec charlotte run tasks --delay 2s")
      expect([code, err]).toEqual([0, ""])
      expect(out).toMatch(/^.* job (\w{26}) queued: waits until [\d-]+ [\d:]+\n.* job \1 started\n/)
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
    })
  )

  it.scopedLive("cancels it on Ctrl-C, so that no later process starts it", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const running = yield* Charlotte.start(world, "exec charlotte run tasks --delay 1h")
      yield* running.says(/ waits until /)
      yield* running.kill("SIGINT")
      const { code, err, out } = yield* running.ended
      expect([code, err]).toEqual([130, ""])
      expect(out).toMatch(/ job \w{26} cancelled\n\n! cancelled after /)
      expect((yield* Charlotte.run(world, "exec charlotte jobs")).out).toMatch(/^\w{26} {2}cancelled /m)
      expect(Charlotte.processes(world)).toEqual([])
    })
  )

  it.scopedLive("asks for a daemon while other jobs are pending, and leaves them alone", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      yield* Daemon.up(world)
      const id = yield* Daemon.submit(world, "--delay 1h")
      yield* Daemon.down(world)
      yield* world.git(world.repository, "branch", "other")
      const refused = yield* Charlotte.run(world, "exec charlotte run tasks --target other")
      expect(refused).toMatchObject({
        code: 69,
        out: "",
        err: `charlotte: other jobs wait to be started, such as ${id}, and only a daemon runs them to their end; start it with: charlotte daemon start\n`
      })
      const watched = yield* Charlotte.run(world, `exec charlotte watch ${id}`)
      expect(watched).toMatchObject({
        code: 130,
        err: `no daemon is running; job ${id} starts when one is: charlotte daemon start\n`
      })
      expect(watched.out).toMatch(/ waits until .*\n\n! pending for /)
    })
  )
})
