/** The end of a daemon whose jobs, clients and requests do not want it. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Schedule, type Scope } from "effect"
import { existsSync } from "node:fs"
import { request, type RequestOptions } from "node:http"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"

/** What an agent does that does not end when it is told to; each until it finds that it may. */
const ways = (go: string) => [
  `trap '' TERM INT HUP; while ! test -e '${go}'; do sleep 0.05; done`,
  `trap '' TERM INT HUP; setsid sh -c "trap '' TERM; while ! test -e '${go}'; do sleep 0.05; done"`,
  `test -e '${go}' || kill -STOP $$`,
  `trap '' TERM; while ! test -e '${go}'; do (trap '' TERM; sleep 0.1) & sleep 0.05; done`
]

/** So many units, each with an agent of that kind. */
const stubborn = (count: number) => (root: string) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => n).flatMap((n) => {
      const way = ways(`${root}/go`)[n % 4] ?? ""
      return [
        [`u${n}/IMPLEMENTATION_PLAN.md`, unit()],
        [`u${n}/01-task.md`, task(1, `touch '${root}/reached-${n}'\n${way}\necho ${n} > ${n}`, `test -e ${n}`)]
      ]
    })
  )

const settings = { "charlotte.yaml": "agent: script\nattempts: 1\n" }

/** Returns when all agents are at work. */
const reached = ({ root }: Charlotte.World, count: number) =>
  Effect.sync(() => Array.from({ length: count }, (_, n) => existsSync(`${root}/reached-${n}`)).every(Boolean)).pipe(
    Effect.repeat({ until: (all) => all, schedule: Schedule.spaced("20 millis") })
  )

interface Connection {
  /** What came so far. */
  readonly text: () => string
  /** The server has ended it, or cut it off. */
  readonly over: Effect.Effect<void>
}

/** A request on the socket, with its body sent a byte at a time, so that it does not come to its end. */
const connect = (
  { home }: Charlotte.World,
  options: RequestOptions,
  body = ""
): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.gen(function* () {
    const over = yield* Deferred.make<void>()
    const begun = yield* Deferred.make<void>()
    const done = (deferred: Deferred.Deferred<void>) => Deferred.unsafeDone(deferred, Effect.void)
    let text = ""
    let timer: NodeJS.Timeout | undefined
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const outgoing = request({ socketPath: `${home}/socket`, headers: { host: "localhost" }, ...options })
        outgoing.on("response", (response) => {
          done(begun)
          response.setEncoding("utf8").on("data", (piece: string) => (text += piece))
          response.on("error", () => {})
        })
        outgoing.on("error", () => {})
        outgoing.on("close", () => done(over))
        outgoing.on("socket", (socket) => socket.on("connect", () => body !== "" && done(begun)))
        if (body === "") return outgoing.end()
        let at = 0
        timer = setInterval(() => outgoing.write(body.slice(at, ++at)), 100)
        return outgoing
      }),
      (outgoing) =>
        Effect.sync(() => {
          clearInterval(timer)
          outgoing.destroy()
        })
    )
    yield* Deferred.await(begun)
    return { text: () => text, over: Deferred.await(over) }
  })

describe("daemon shutdown", () => {
  it.scopedLive(
    "takes at most 10 s with ten stubborn agents, fifty streams and an upload; the next daemon resumes the jobs",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world((root) => ({ ...settings, ...stubborn(10)(root) }))
        const daemon = yield* Charlotte.start(world, "exec charlotte daemon start --foreground")
        yield* daemon.says(/charlotte daemon is ready/)
        const id = yield* Daemon.submit(world, "--concurrency 10")
        yield* reached(world, 10)
        const streams = yield* Effect.forEach(
          Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? "/api/v1/events" : `/api/v1/jobs/${id}/events`)),
          (path) => connect(world, { path })
        )
        const headers = { host: "localhost", "content-type": "application/json", "content-length": "100000" }
        const upload = yield* connect(world, { path: "/api/v1/jobs", method: "POST", headers }, " ".repeat(100_000))

        const begun = yield* Clock.currentTimeMillis
        yield* daemon.kill("SIGTERM")
        const ended = yield* daemon.ended
        expect((yield* Clock.currentTimeMillis) - begun).toBeLessThan(10_000)
        expect([ended.code, ended.signal]).toEqual([0, null])
        expect(Charlotte.processes(world)).toEqual([])
        for (const { over } of [...streams, upload]) yield* over
        for (const { text } of streams) expect(text()).toMatch(/event: shutdown\n/)

        yield* world.write(`${world.root}/go`, "")
        yield* Daemon.up(world)
        expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
        expect((yield* world.git(world.repository, "ls-tree", "--name-only", "main")).match(/^\d$/gm)).toHaveLength(10)
        yield* Daemon.down(world)
      }),
    300_000
  )

  it.scopedLive(
    "is forced within a second by a second signal; the next daemon reaps orphans before it resumes",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world((root) => ({ ...settings, ...stubborn(4)(root) }))
        const daemon = yield* Charlotte.start(world, "exec charlotte daemon start --foreground")
        yield* daemon.says(/charlotte daemon is ready/)
        const id = yield* Daemon.submit(world)
        yield* reached(world, 4)
        yield* daemon.kill("SIGTERM")
        yield* daemon.says(/shutting down: received a signal/)
        // What comes at once is taken for one.
        yield* Effect.sleep("200 millis")
        const begun = yield* Clock.currentTimeMillis
        yield* daemon.kill("SIGTERM")
        const ended = yield* daemon.ended
        // It is a second; the rest is for this process to hear of it.
        expect((yield* Clock.currentTimeMillis) - begun).toBeLessThan(1_500)
        expect(ended.signal).toBe(null)

        yield* world.write(`${world.root}/go`, "")
        yield* Daemon.up(world)
        expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
        yield* Daemon.down(world)
      }),
    300_000
  )
})
