/**
 * A daemon whose PostgreSQL server goes away, and comes back.
 */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Schedule, Schema } from "effect"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import * as OwnServer from "../ownServer.js"
import * as proxy from "../proxy.js"
import { command, jobs, world as makeWorld } from "./daemon.js"

/** What a probe is answered, without the body where that is of no interest. */
const probe = (world: Charlotte.World, path: string, options = "") =>
  Effect.map(
    Charlotte.run(
      world,
      `curl -s -i --max-time 20 ${options} --unix-socket ${world.home}/socket http://localhost${path}`
    ),
    ({ out }) => {
      const [head = "", body = ""] = out.split("\r\n\r\n")
      return {
        status: Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1]),
        retryAfter: /^retry-after: (.*)$/im.exec(head)?.[1],
        body
      }
    }
  )

const NotReady = Schema.parseJson(Schema.Struct({ problems: Schema.Array(Schema.String) }))

/** Asks until that is the status. */
const until = (world: Charlotte.World, status: number): ReturnType<typeof probe> =>
  Effect.flatMap(probe(world, "/readyz"), (answer) =>
    answer.status === status ? Effect.succeed(answer) : Effect.delay(until(world, status), "100 millis")
  )

const setUp = Effect.gen(function* () {
  const server = yield* OwnServer.make
  const world = yield* Charlotte.world(Tasks.waiting())
  const { pid } = yield* Daemon.up(world, { script: `exec charlotte daemon start --database ${server.url}` })
  const id = yield* Daemon.submit(world)
  const watching = yield* Charlotte.start(world, `exec charlotte watch ${id} --json`)
  yield* Tasks.reached(world)
  // On a busy machine it may not have asked for the events yet, which the daemon cannot read while its server is away.
  yield* watching.says(/"type":"task.started","unit":"a","task":2/)
  return { server, world, pid, id, watching }
})

/** A daemon that reaches its database through a proxy. */
const setUpBehindProxy = Effect.gen(function* () {
  const world = yield* makeWorld(Tasks.waiting())
  const between = yield* proxy.make(world.url)
  const { pid } = yield* Daemon.up(world, { script: `exec charlotte daemon start --database ${between.url}` })
  const id = yield* Daemon.submit(world)
  yield* Tasks.reached(world)
  return { between, world, pid, id }
})

const Lines = Schema.Struct({ type: Schema.optional(Schema.String), seq: Schema.optional(Schema.Int) })

/** The numbers of the events that were followed. */
const followed = (out: string) =>
  out
    .trim()
    .split("\n")
    .flatMap((line) => Schema.decodeSync(Schema.parseJson(Lines))(line).seq ?? [])

const whole = (numbers: ReadonlyArray<number>) => expect(numbers).toEqual(numbers.map((_, i) => i + 1))

/** Returns when the daemon has let go of its jobs, as its log says. */
const hasLetGo = (world: Charlotte.World) =>
  Effect.repeat(
    Effect.sync(() => Daemon.log(world).some(({ message }) => /all jobs are interrupted/.test(String(message)))),
    { until: (isSo) => isSo, schedule: Schedule.spaced("100 millis") }
  )

describe("a daemon whose PostgreSQL server is away", () => {
  it.scopedLive("keeps its jobs over a restart of the server, and loses no event", () =>
    Effect.gen(function* () {
      const { id, pid, server, watching, world } = yield* setUp
      yield* server.stop
      yield* server.start
      yield* Tasks.release(world)
      const watched = yield* watching.ended
      expect([watched.code, watched.err]).toEqual([0, ""])
      whole(followed(watched.out))
      expect(yield* jobs(world)).toMatchObject([{ id, status: "completed" }])
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      expect(Daemon.isAlive(pid)).toBe(true)
      yield* Daemon.down(world)
      const audit = yield* command(world, "doctor --audit")
      expect([audit.code, audit.err]).toEqual([0, ""])
    })
  )

  it.scopedLive(
    "lives on without it, is not ready and says why, and continues its jobs when it is back",
    () =>
      Effect.gen(function* () {
        const { id, pid, server, watching, world } = yield* setUp
        expect((yield* probe(world, "/readyz")).status).toBe(200)
        yield* server.stop
        const answer = yield* until(world, 503)
        expect(answer.retryAfter).toBe("5")
        expect(Schema.decodeSync(NotReady)(answer.body).problems).not.toEqual([])
        yield* hasLetGo(world)
        const later = yield* probe(world, "/readyz")
        expect(Schema.decodeSync(NotReady)(later.body).problems).toMatchObject([
          expect.stringMatching(/database|start the database server/)
        ])
        expect((yield* probe(world, "/healthz")).status).toBe(200)
        const submitted = yield* probe(
          world,
          "/api/v1/jobs",
          `-H 'content-type: application/json' -d '${JSON.stringify({ repoPath: world.repository, tasksDir: "tasks", targetBranch: "main" })}'`
        )
        expect([submitted.status, submitted.retryAfter]).toEqual([503, "5"])
        const listed = yield* command(world, "jobs --all")
        expect([listed.code, listed.out]).toEqual([75, ""])
        expect(listed.err).toMatch(/^charlotte: .*unreachable.*\n$/)
        const status = yield* command(world, "daemon status")
        expect(status.code).toBe(1)
        expect(status.out).toMatch(/ {2}! .*database/)
        expect(Daemon.isAlive(pid)).toBe(true)

        yield* server.start
        yield* until(world, 200)
        yield* Tasks.release(world)
        const watched = yield* watching.ended
        expect([watched.code, watched.err]).toEqual([0, ""])
        whole(followed(watched.out))
        expect(yield* jobs(world)).toMatchObject([{ id, status: "completed", attempt: 2 }])
        expect(yield* Tasks.done(world)).toEqual(Tasks.all)
        expect(Daemon.isAlive(pid)).toBe(true)
        yield* Daemon.down(world)
        const audit = yield* command(world, "doctor --audit")
        expect([audit.code, audit.err]).toEqual([0, ""])
      }),
    300_000
  )

  it.scopedLive(
    "is not ready either when the server is silent, and recovers when it answers",
    () =>
      Effect.gen(function* () {
        const { between, id, pid, world } = yield* setUpBehindProxy
        yield* between.freeze
        const [took, answer] = yield* Effect.timed(probe(world, "/readyz"))
        expect([answer.status, answer.retryAfter]).toEqual([503, "5"])
        expect(Duration.toSeconds(took)).toBeLessThan(10)
        expect(Schema.decodeSync(NotReady)(answer.body).problems).toEqual([expect.stringContaining("has not answered")])
        yield* hasLetGo(world)
        const status = yield* command(world, "daemon status")
        expect(status.code).toBe(1)
        yield* between.resume
        yield* until(world, 200)
        yield* Tasks.release(world)
        const watched = yield* command(world, `watch ${id}`)
        expect([watched.code, watched.err]).toEqual([0, ""])
        expect(yield* jobs(world)).toMatchObject([{ id, status: "completed", attempt: 2 }])
        expect(yield* Tasks.done(world)).toEqual(Tasks.all)
        expect(Daemon.isAlive(pid)).toBe(true)
        yield* Daemon.down(world)
      }),
    300_000
  )
})
