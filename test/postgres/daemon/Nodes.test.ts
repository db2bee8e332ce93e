/**
 * Two daemons on one PostgreSQL database, as nodes of a cluster.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import { command, jobs, world as makeWorld } from "./daemon.js"
import { placed, start, starting, status, two, until, whole } from "./nodes.js"

const Id = Schema.parseJson(Schema.Struct({ id: Schema.String }))

/** The time of an event, in milliseconds. */
const timeOf = (event: { readonly at?: string | undefined } | undefined) => Date.parse(event?.at ?? "")

describe("two daemons as nodes of a cluster", () => {
  it.scopedLive(
    "run a job that was started on one, show it on both, and stop it through the other, without a gap",
    () =>
      Effect.gen(function* () {
        const { a, b, world } = yield* two(Tasks.waiting())
        const id = yield* Daemon.submit(a)
        const watching = [
          yield* Charlotte.start(a, `exec charlotte watch ${id} --json`),
          yield* Charlotte.start(b, `exec charlotte watch ${id} --json`)
        ]
        yield* Tasks.reached(world)
        const { other } = yield* placed({ a, b })
        expect(yield* status(a)).toMatchObject({
          active: 1,
          limit: 10,
          nodes: [{ state: "alive" }, { state: "alive" }]
        })
        for (const node of [a, b]) expect(yield* jobs(node)).toMatchObject([{ id, status: "running", attempt: 1 }])
        const stopped = yield* command(other, `stop ${id}`)
        expect([stopped.code, stopped.err]).toEqual([0, ""])
        const watched = []
        for (const { ended } of watching) {
          const { code, out } = yield* ended
          expect(code).toBe(130)
          watched.push(whole(out))
        }
        expect(watched[0]?.at(-1)?.type).toBe("job.cancelled")
        expect(watched[1]).toEqual(watched[0])
        expect((yield* command(a, "daemon stop")).code).toBe(0)
        yield* Daemon.down(b)
      })
  )

  it.scopedLive("answer one idempotency key with one job, whichever of them is asked", () =>
    Effect.gen(function* () {
      const { a, b } = yield* two(Tasks.waiting())
      const start = "start tasks --idempotency-key once --json"
      const answers = yield* Effect.all(
        [a, b, a, b].map((node) => command(node, start)),
        { concurrency: "unbounded" }
      )
      for (const { code, err } of answers) expect([code, err]).toEqual([0, ""])
      const ids = answers.map(({ out }) => Schema.decodeSync(Id)(out).id)
      expect(new Set(ids).size).toBe(1)
      expect(yield* jobs(b)).toMatchObject([{ id: ids[0], status: "running" }])
    })
  )

  it.scopedLive("continue the job of one that was killed on the other, and lose no event", () =>
    Effect.gen(function* () {
      const { a, b, world } = yield* two(Tasks.waiting())
      const id = yield* Daemon.submit(a)
      yield* Tasks.reached(world)
      const { other, owner } = yield* placed({ a, b })
      const watching = yield* Charlotte.start(other, `exec charlotte watch ${id} --json`)
      yield* Daemon.kill(owner.pid, "SIGKILL")
      yield* Daemon.gone(owner.pid)
      yield* Tasks.release(world)
      const { code, err, out } = yield* watching.ended
      expect([code, err]).toEqual([0, ""])
      whole(out)
      expect(yield* jobs(other)).toMatchObject([{ id, status: "completed", attempt: 2 }])
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      const { nodes } = yield* status(other)
      expect(nodes.find(({ address }) => address === owner.address)?.state).toBe("dead")
      const audit = yield* command(other, "doctor --audit")
      expect([audit.code, audit.err]).toEqual([0, ""])
    })
  )

  it.scopedLive("hand a job over when its daemon gets SIGTERM, long before it would count as dead", () =>
    Effect.gen(function* () {
      const { a, b, world } = yield* two(Tasks.waiting())
      const id = yield* Daemon.submit(a)
      yield* Tasks.reached(world)
      const { other, owner } = yield* placed({ a, b })
      const watching = yield* Charlotte.start(other, `exec charlotte watch ${id} --json`)
      yield* until(status(other), ({ active }) => active === 1)
      const at = Date.now()
      yield* Daemon.kill(owner.pid, "SIGTERM")
      yield* Daemon.gone(owner.pid)
      yield* Tasks.release(world)
      const { code, err, out } = yield* watching.ended
      expect([code, err]).toEqual([0, ""])
      const events = whole(out)
      const resumed = events.find(({ type }) => type === "job.resumed")
      expect(timeOf(resumed) - at).toBeLessThan(8_000)
      expect(yield* jobs(other)).toMatchObject([{ id, status: "completed", attempt: 2 }])
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      expect((yield* status(other)).nodes).toMatchObject([{ address: other.address, state: "alive" }])
    })
  )

  it.scopedLive("say what one waits for that is started again after it was killed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(() => Tasks.simple)
      let homes = 0
      const restarted = Effect.gen(function* () {
        const killed = yield* start(world, `a${homes++}`)
        yield* Daemon.kill(killed.pid, "SIGKILL")
        yield* Daemon.gone(killed.pid)
        const { code, err } = yield* Charlotte.run(killed, starting(killed.address))
        yield* Daemon.down(killed)
        return { killed, code, err }
      })
      // On a busy machine, the one that was killed may count as dead before the next one looks.
      const { code, err, killed } = yield* Effect.repeat(restarted, { until: ({ err }) => err !== "" })
      expect(code).toBe(0)
      expect(err).toMatch(
        new RegExp(
          `^charlotte: the address ${killed.address} is that of process ${killed.pid} on machine \\S+, ` +
            "whose last sign of life is \\d+ s old; waiting up to 11 s until it counts as dead\n$"
        )
      )
      expect(Daemon.log(killed).map(({ message }) => message)).toContainEqual(expect.stringMatching(/^the address /))
    })
  )
})
