/** The end of a daemon whose jobs, clients and requests do not want it. */
import { describe, expect, it } from "@effect/vitest"
import { StopReport } from "charlotte"
import { Clock, Deferred, Duration, Effect, Schedule, Schema, type Scope } from "effect"
import { existsSync, rmSync } from "node:fs"
import { request, type RequestOptions } from "node:http"
import { figures } from "../../support/figures.js"
import { isLong } from "../../support/long.js"
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

/** Units whose agents have written something and are at work. */
const working = (count: number) => (root: string) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => n).flatMap((n) => [
      [`u${n}/IMPLEMENTATION_PLAN.md`, unit()],
      [`u${n}/01-task.md`, task(1, `seq 1000 > ${n}; touch '${root}/reached-${n}'; exec sleep 1000`, "false")]
    ])
  )

const stopReport = Schema.decodeSync(Schema.parseJson(StopReport.StopReport))

const summary = (millis: ReadonlyArray<number>): string => {
  const sorted = [...millis].sort((a, b) => a - b)
  const at = (part: number) => Math.round(sorted[Math.ceil(part * sorted.length) - 1] ?? 0)
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`
}

describe.skipIf(!isLong)("40 units at work", () => {
  it.scopedLive(
    "end with a stop of their job, and with their daemon, again and again",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world((root) => ({ ...settings, ...working(40)(root) }))
        const atWork = Effect.map(reached(world, 40), () => {
          for (let n = 0; n < 40; n++) rmSync(`${world.root}/reached-${n}`)
        })
        let { pid } = yield* Daemon.up(world)
        yield* Daemon.submit(world, "--concurrency 40")
        let follower = yield* Charlotte.start(world, "exec charlotte watch latest")
        const stops: Array<number> = []
        for (let round = 0; round < 20; round++) {
          yield* atWork
          const { out } = yield* Charlotte.run(world, "exec charlotte stop latest --json")
          const { elapsed, mode } = stopReport(out)
          expect(mode).toBe("graceful")
          yield* follower.ended
          expect(Charlotte.processes(world)).toHaveLength(1)
          stops.push(Duration.toMillis(elapsed))
          follower = yield* Charlotte.start(world, "exec charlotte retry latest")
        }
        const ends: Array<number> = []
        for (let round = 0; round < 5; round++) {
          yield* atWork
          const began = yield* Clock.currentTimeMillis
          yield* Daemon.kill(pid, "SIGTERM")
          yield* Daemon.gone(pid)
          ends.push((yield* Clock.currentTimeMillis) - began)
          pid = (yield* Daemon.up(world)).pid
        }
        figures(`40 units at work: ${stops.length} stops ${summary(stops)}; ${ends.length} shutdowns ${summary(ends)}`)
        expect((yield* Charlotte.run(world, "exec charlotte stop --all")).code).toBe(0)
        yield* follower.ended
        yield* Daemon.down(world)
      }),
    3_600_000
  )
})
