/** A daemon that is suspended answers nothing: commands say so in time, and what to do. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

const commands = (id: string): ReadonlyArray<string> => [
  "jobs",
  `show ${id}`,
  "start tasks --target other",
  "run tasks --target other",
  `stop ${id}`,
  "stop --all --json",
  `watch ${id}`,
  "watch",
  `logs -f ${id}`,
  "daemon start"
]

/** In seconds: those 5, and what starting so many processes at once takes on a busy machine. */
const limit = 20

describe("suspended daemon", () => {
  it.scopedLive(
    "makes every command exit with 75 and the fix within seconds, and responds once continued",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(Tasks.waiting())
        yield* world.git(world.repository, "branch", "other", "main")
        const { pid } = yield* Daemon.up(world)
        const id = yield* Daemon.submit(world)
        yield* Tasks.reached(world)
        yield* Daemon.kill(pid, "SIGSTOP")
        const run = (words: string) => Charlotte.run(world, `exec timeout ${limit} charlotte ${words}`)
        const ended = yield* Effect.forEach(commands(id), run, { concurrency: "unbounded" })
        for (const [index, { code, err, out }] of ended.entries()) {
          expect([commands(id)[index], code, out, err]).toEqual([
            commands(id)[index],
            75,
            "",
            expect.stringMatching(
              new RegExp(`charlotte daemon \\(pid ${pid}, .*has not responded for 5 seconds.*kill -CONT ${pid}`)
            )
          ])
        }
        const status = yield* run("daemon status")
        expect([status.code, status.err]).toEqual([75, ""])
        expect(status.out).toContain(`has not responded for 5 seconds`)
        yield* Daemon.kill(pid, "SIGCONT")
        expect((yield* run(`stop ${id}`)).code).toBe(0)
        yield* Daemon.down(world)
      }),
    300_000
  )
})
