/**
 * What happens to a node: its database is away, its process is killed or frozen, others send it what they like.
 */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Redacted } from "effect"
import { connect } from "node:net"
import { networkInterfaces } from "node:os"
import { Database } from "charlotte"
import * as EffectCluster from "../../src/cluster/engine/EffectCluster.js"
import * as Hello from "../../src/cluster/engine/Hello.js"
import { Busy, Unrouted } from "../../src/cluster/Engine.js"
import { JobNotFound } from "../../src/domain/errors.js"
import { poll, RealClock } from "../../src/internal/RealClock.js"
import { jobOf, type Node, settled } from "../cluster/engine/conformance.js"
import { ids, report, willing } from "../cluster/engine/scene.js"
import * as TestDatabase from "./database.js"
import { join } from "./engine.js"
import { engineAt, freeAddress } from "./engineAt.js"
import * as EngineProcess from "./engineProcess.js"
import * as Proxy from "./proxy.js"

const quick: EffectCluster.Timing = { expiration: "6 seconds", refresh: "2 seconds", assignment: "500 millis" }

const grace = Duration.seconds(5)

const within = (millis: number, check: () => boolean) =>
  Effect.map(poll(Effect.sync(check), { until: (isSo) => isSo, pause: 10, atMost: millis }), (isSo) =>
    expect(isSo).toBe(true)
  )

const owns = ({ engine }: Node) => ids.filter(engine.hasShard)

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { now } = yield* RealClock
    const began = yield* now
    return [yield* effect, (yield* now) - began] as const
  })

/** Checks all the time that no job has two owners. */
const neverBoth = (a: Node, b: Node) =>
  Effect.sync(() => expect(owns(a).filter(b.engine.hasShard)).toEqual([])).pipe(
    Effect.delay(20),
    Effect.forever,
    Effect.forkScoped
  )

/** The other process has what this one has not. */
const settledWith = (here: Node, other: EngineProcess.EngineProcess) =>
  Effect.flatMap(
    poll(here.engine.nodesOf(ids), {
      until: (nodes) =>
        nodes.some(Option.contains(other.address)) &&
        nodes.every((node, i) => Option.contains(node, isHere(here, i) ? here.engine.address : other.address)),
      pause: 20,
      atMost: "1 minute"
    }),
    (nodes) => Effect.sync(() => expect(nodes.filter(Option.isNone)).toEqual([]))
  )
const isHere = ({ engine }: Node, i: number) => engine.hasShard(ids[i] ?? ids[0] ?? expect.fail("no ids"))

/** The line that comes before all others. On loopback, nodes need no secret. */
const hello = (called: string) => `${Hello.line(undefined, { caller: "127.0.0.1:1", called })}\n`

/** Sends all on one connection, until it has so many answers, or none any more. */
const flood = (address: string, data: ReadonlyArray<string | Buffer>, expected: number) =>
  Effect.async<number>((resume) => {
    const [host = "", port = ""] = address.split(":")
    const socket = connect(Number(port), host)
    socket.write(hello(address))
    let answers = 0
    socket.on("error", () => {})
    socket.on("data", (part) => {
      answers += part.toString().split("\n").length - 1
      if (answers >= expected) socket.end()
    })
    socket.on("close", () => resume(Effect.succeed(answers)))
    for (const part of data) socket.write(part)
  })

describe("a node without its database", () => {
  for (const [how, then] of [
    ["freeze", "resume"],
    ["freeze", "forget"],
    ["disconnect", "reconnect"]
  ] as const) {
    it.scopedLive(`lets go of its shards before others take them, and has some again later: ${how}, ${then}`, () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const proxy = yield* Proxy.make(url)
        const [near, far] = [yield* join(url, { timing: quick }), yield* join(proxy.url, { timing: quick })]
        yield* settled([near, far])
        const checks = yield* neverBoth(near, far)
        yield* proxy[how]
        yield* within(60_000, () => owns(far).length === 0)
        yield* within(60_000, () => owns(near).length === ids.length)
        const [failure, millis] = yield* timed(Effect.flip(far.engine.ask("email").stop(jobOf(near), grace)))
        expect(failure).toMatchObject({ _tag: "StoreError", reason: "unreachable" })
        expect(millis).toBeLessThan(5_000)
        yield* proxy[then]
        yield* settled([near, far])
        expect(yield* Fiber.poll(checks)).toEqual(Option.none())
      })
    )
  }
})

/** A node here and one in another process, which has the job. */
const besideAnother = Effect.gen(function* () {
  const url = yield* TestDatabase.make
  const here = yield* join(url, { timing: quick })
  const other = yield* EngineProcess.make(url, quick)
  while ((yield* other.count()) < ids.length / 5);
  yield* settledWith(here, other)
  const jobId = ids.find((id) => !here.engine.hasShard(id)) ?? expect.fail("all are here")
  return { here, jobId, other }
})

describe("a node in another process", () => {
  it.scopedLive("is not waited for when it is frozen, and finds out by itself that it has lost its shards", () =>
    Effect.gen(function* () {
      const { here, jobId, other } = yield* besideAnother
      expect(yield* here.engine.ask("email").stop(jobId, grace)).toEqual(report(jobId))
      yield* other.signal("SIGSTOP")
      const [exit, millis] = yield* timed(Effect.exit(here.engine.ask("email").stop(jobId, grace)))
      expect(exit).toEqual(Exit.fail(new Unrouted({ jobId })))
      expect(millis).toBeLessThan(8_000)
      yield* within(60_000, () => owns(here).length === ids.length)
      const thawed = yield* Clock.currentTimeMillis
      yield* other.signal("SIGCONT")
      expect(yield* other.count(thawed)).toBe(0)
      yield* settledWith(here, other)
    })
  )

  it.scopedLive("is replaced when it is killed", () =>
    Effect.gen(function* () {
      const { here, jobId, other } = yield* besideAnother
      yield* other.kill
      const [exit, millis] = yield* timed(Effect.exit(here.engine.ask("email").stop(jobId, grace)))
      expect(exit).toEqual(Exit.fail(new Unrouted({ jobId })))
      expect(millis).toBeLessThan(5_000)
      yield* within(60_000, () => owns(here).length === ids.length)
      yield* here.engine.serve("email", willing)
      expect(yield* here.engine.ask("email").stop(jobId, grace)).toEqual(report(jobId))
    })
  )
})

describe("the socket of a node", () => {
  it.scopedLive("stays up whatever it is sent", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const [one, other] = [yield* join(url), yield* join(url)]
      yield* settled([one, other])
      const asked: Array<string> = []
      yield* one.engine.serve("email", {
        ...willing,
        stop: (jobId) =>
          jobId === jobOf(one)
            ? Effect.succeed(report(jobId))
            : Effect.zipRight(
                Effect.sync(() => void asked.push(jobId)),
                new JobNotFound({ jobId })
              )
      })
      const stranger = ids.filter((id) => one.engine.hasShard(id) && id !== jobOf(one))
      const request = (n: number, tag: string, payload: unknown) => ({
        _tag: "Request",
        id: String(n),
        tag,
        payload,
        headers: []
      })
      const frames = (n: number): string | Buffer => {
        const jobId = stranger[n % stranger.length]
        const forged: ReadonlyArray<unknown> = [
          request(n, "Stop", { kind: "email", by: "shard", jobId, grace: 0 }),
          request(n, "Stop", { kind: "email", by: "shard", jobId, grace: { _tag: "Millis", millis: 5 } }),
          request(n, "Stop", { kind: "email", by: "shard", jobId: "x", grace: { _tag: "Infinity" } }),
          request(n, "Resume", { kind: "other", by: "shard", jobId }),
          request(n, "Wake", { kind: "email", by: "shard", jobId }),
          request(n, "Effect", {}),
          request(n, "__proto__", null),
          { _tag: "Ping" },
          { _tag: "Ack", requestId: String(n) },
          { _tag: "Interrupt", requestId: String(n) },
          { _tag: "Nothing" },
          {}
        ]
        return `${JSON.stringify(forged[n % forged.length])}\n`
      }
      const garbage: ReadonlyArray<string | Buffer> = [
        "\n",
        "x\n",
        "null\n",
        "[]\n",
        "1\n",
        '"x"\n',
        "{\n",
        "GET / HTTP/1.1\r\n\r\n",
        Buffer.from(Array.from({ length: 1_000 }, (_, i) => (i * 7919) % 256)),
        `${"x".repeat(300_000)}\n`,
        "y".repeat(300_000),
        '{"_tag":"Ack","requestId":"no number"}\n',
        '{"_tag":"Interrupt"}\n',
        '{"_tag":"Request","id":"1","tag":"Ping","headers":7}\n',
        '{"_tag":"Eof"}\n{"_tag":"Ping"}\n'
      ]
      const send = (data: ReadonlyArray<string | Buffer>) =>
        Effect.async<void>((resume) => {
          const [host = "", port = ""] = one.engine.address.split(":")
          const socket = connect(Number(port), host)
          socket.on("error", () => {})
          socket.on("close", () => resume(Effect.void))
          socket.resume()
          for (const part of data) socket.write(part)
          socket.end()
        })
      for (const before of [[], [hello(one.engine.address)]]) {
        yield* Effect.forEach(garbage, (part) => send([...before, part]), { concurrency: 4 })
      }
      // Keeps its connection, so that what it has begun is not ended.
      const answers = yield* flood(
        one.engine.address,
        Array.from({ length: 10_000 }, (_, n) => frames(n)),
        8_000
      )
      expect(answers).toBeGreaterThanOrEqual(8_000)
      expect(asked.length).toBeGreaterThan(800)
      for (const { engine } of [one, other]) {
        expect(yield* engine.ask("email").stop(jobOf(one), grace)).toEqual(report(jobOf(one)))
      }
      yield* settled([one, other])
    })
  )
})

describe("nodes with a secret", () => {
  const secret = Redacted.make("what all nodes of a cluster know, and nobody else")

  it.scopedLive("answer each other, and no node that has another secret, or none", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const [one, other] = [yield* join(url, { secret }), yield* join(url, { secret })]
      yield* settled([one, other])
      yield* one.engine.serve("email", willing)
      const jobId = jobOf(one)
      const stop = ({ engine }: Node) => Effect.exit(engine.ask("email", one.engine.address).stop(jobId, grace))
      expect(yield* stop(other)).toEqual(Exit.succeed(report(jobId)))
      for (const options of [{ secret: Redacted.make("a guess") }, {}]) {
        expect(yield* stop(yield* join(url, options))).toEqual(Exit.fail(new Unrouted({ jobId })))
      }
    })
  )

  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address

  it.runIf(address !== undefined)("are the only ones that another machine can reach", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const port = (yield* freeAddress).replace(/.*:/, "")
      for (const options of [
        { address: `${address}:${port}` },
        { address: `${address}:${port}`, listen: `127.0.0.1:${port}` },
        { address: `127.0.0.1:${port}`, listen: `0.0.0.0:${port}`, insecure: true }
      ]) {
        const refusal = yield* Effect.flip(Effect.scoped(Layer.build(engineAt(url, options))))
        expect(refusal).toMatchObject({ _tag: "AddressRefused", message: expect.stringContaining("need one secret") })
      }
    }).pipe(Effect.scoped, Effect.runPromise)
  )
})

describe("a node that is busy", () => {
  it.scopedLive("answers more than 64 requests at once with Busy, which are not asked again", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const [one, other] = [yield* join(url), yield* join(url)]
      yield* settled([one, other])
      const jobId = jobOf(one)
      const proceeds = yield* Deferred.make<void>()
      let asked = 0
      yield* one.engine.serve("email", {
        ...willing,
        stop: (jobId) =>
          Effect.zipRight(
            Effect.sync(() => void (asked += 1)),
            Effect.as(Deferred.await(proceeds), report(jobId))
          )
      })
      const stop = Effect.suspend(() => other.engine.ask("email").stop(jobId, grace))
      const first = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 64 }, () => stop),
          { concurrency: "unbounded" }
        )
      )
      yield* within(10_000, () => asked === 64)
      expect(yield* Effect.replicateEffect(Effect.exit(stop), 10)).toEqual(Array(10).fill(Exit.fail(new Busy())))
      expect(asked).toBe(64)
      yield* Deferred.succeed(proceeds, undefined)
      expect(yield* Fiber.join(first)).toHaveLength(64)
      expect(yield* stop).toEqual(report(jobId))
    })
  )
})

describe("joining a cluster", () => {
  it.scopedLive("works for several first nodes at once, whatever the time zone of the database", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      yield* TestDatabase.admin(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET timezone = 'Asia/Kolkata'`)
      const nodes = yield* Effect.all(
        Array.from({ length: 5 }, () => join(url)),
        { concurrency: "unbounded" }
      )
      yield* settled(nodes)
      const [late] = yield* TestDatabase.rowsOf(
        url,
        "SELECT count(*)::int AS count FROM charlotte_cluster_locks WHERE abs(extract(epoch FROM acquired_at - (now() AT TIME ZONE 'UTC'))) > 10"
      )
      expect(late).toEqual({ count: 0 })
    })
  )

  it.scopedLive("leaves nothing behind when the node closes", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const node = yield* join(url)
      yield* settled([node])
      yield* node.close
      const left = yield* TestDatabase.rowsOf(
        url,
        "SELECT (SELECT count(*)::int FROM charlotte_cluster_locks) AS locks, (SELECT count(*)::int FROM charlotte_cluster_runners) AS nodes"
      )
      expect(left).toEqual([{ locks: 0, nodes: 0 }])
    })
  )

  it.scopedLive("is refused at an address that is taken, or that nothing else can reach", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const node = yield* join(url)
      const [, port = ""] = node.engine.address.split(":")
      const refused = (options: EffectCluster.Options) =>
        Effect.flip(Effect.scoped(Layer.build(engineAt(url, options))))
      expect(yield* refused({ address: node.engine.address })).toMatchObject({
        _tag: "AddressRefused",
        message: expect.stringContaining("EADDRINUSE")
      })
      expect(yield* refused({ address: `0.0.0.0:${port}` })).toMatchObject({ _tag: "AddressRefused" })
    })
  )

  it.scopedLive("says what is wrong with the database", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const proxy = yield* Proxy.make(url)
      const address = yield* freeAddress
      const database = yield* Layer.build(Database.layerPostgres({ url: proxy.url }))
      yield* proxy.disconnect
      const engine = Layer.build(EffectCluster.layer({ address })).pipe(Effect.provide(database), Effect.scoped)
      expect(yield* Effect.flip(engine)).toMatchObject({ _tag: "StoreError", reason: "unreachable" })
      const sqlite = Layer.build(EffectCluster.layer({ address })).pipe(
        Effect.provide(Database.layer({ filename: ":memory:" })),
        Effect.scoped
      )
      expect(yield* Effect.flip(sqlite)).toMatchObject({ _tag: "StoreError", reason: "invalid" })
    })
  )
})
