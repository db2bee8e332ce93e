/** Those who watch a job while its daemon goes away and comes back. */
import { describe, expect, it } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { Effect, Schema } from "effect"
import { rmSync } from "node:fs"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

const seqOf = Schema.decodeSync(Schema.parseJson(Schema.pluck(JobEvent.JobEvent, "seq")))

const notices = /^(connection to the daemon lost; waiting up to a minute for it to restart\nreconnected\n){2}$/

describe("charlotte watch", () => {
  it.scopedLive(
    "survives a restart and a kill -9 of the daemon without missing or repeated lines",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(Tasks.waiting())
        const { pid } = yield* Daemon.up(world)
        const id = yield* Daemon.submit(world)
        yield* Tasks.reached(world)
        const watchers = yield* Effect.forEach(["", " --json"], (more) =>
          Charlotte.start(world, `exec charlotte watch ${id}${more}`)
        )
        const [lines, json] = watchers
        if (lines === undefined || json === undefined) return
        const logs = yield* Charlotte.start(world, `exec charlotte logs -f ${id} --unit b`)
        yield* lines.says(/ a 2 {2}Task 2\n/)
        yield* json.says(/"type":"task.started","unit":"a","task":2/)

        rmSync(`${world.root}/reached`)
        const restarted = yield* Charlotte.run(world, "exec charlotte daemon restart --json")
        const next = yield* Effect.acquireRelease(Effect.succeed(Daemon.read(restarted)), ({ pid }) =>
          Daemon.kill(pid, "SIGKILL")
        )
        expect(next.pid).not.toBe(pid)
        yield* Tasks.reached(world)
        for (const watcher of watchers) yield* watcher.says(/reconnected\n/)

        rmSync(`${world.root}/reached`)
        yield* Daemon.kill(next.pid, "SIGKILL")
        yield* Daemon.gone(next.pid)
        for (const watcher of watchers) yield* watcher.says(/reconnected\n(.*\n)*connection to the daemon lost/)
        yield* Daemon.up(world)
        yield* Tasks.reached(world)
        yield* Tasks.release(world)

        const [byLines, byJson] = [yield* lines.ended, yield* json.ended]
        for (const { code, err } of [byLines, byJson]) expect([code, err]).toEqual([0, expect.stringMatching(notices)])
        // The record says it the same way, and the numbers leave none out.
        expect(byLines.out).toBe((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).out)
        const seqs = byJson.out
          .split("\n")
          .filter((line) => line.startsWith('{"jobId"'))
          .map((line) => seqOf(line))
        expect(seqs).toEqual(seqs.map((_, index) => index + 1))
        expect(byLines.out.match(/ job \w{26} (started|interrupted|resumed|completed)\b/g)).toHaveLength(6)
        expect((yield* logs.ended).code).toBe(0)
        yield* Daemon.down(world)
      }),
    300_000
  )

  it.scopedLive("leaves the job running when interrupted, and prints how to watch it again", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      yield* Tasks.reached(world)
      const watcher = yield* Charlotte.start(world, `exec charlotte watch ${id}`)
      yield* watcher.says(/ a 2 {2}Task 2\n/)
      yield* watcher.kill("SIGINT")
      const { code, err } = yield* watcher.ended
      expect([code, err]).toEqual([
        130,
        `job ${id} is still running; watch it with: charlotte watch ${id}; stop it with: charlotte stop ${id}\n`
      ])
      yield* Tasks.release(world)
      expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
      yield* Daemon.down(world)
    })
  )
})
