/**
 * What strangers send to the port of a node that has no secret, as on loopback: its job and its sign of life do not suffer.
 */
import { describe, expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import * as Hello from "../../../src/cluster/engine/Hello.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import { isLong } from "../../support/long.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { id as anId } from "../../store/runs.js"
import * as TestDatabase from "../database.js"
import * as Nodes from "./nodes.js"
import { Seen } from "./protocol.js"

const connections = 10
const frames = isLong ? 50_000 : 5_000

/** A connection on which nothing has been sent. */
const open = (called: string) =>
  Effect.acquireRelease(
    Effect.async<Socket>((resume) => {
      const [host = "", port = ""] = called.split(":")
      const socket = connect(Number(port), host, () => resume(Effect.succeed(socket)))
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const hello = (called: string, caller: string) => `${Hello.line(undefined, { caller, called })}\n`

const request = (n: number, tag: string, payload: unknown) =>
  `${JSON.stringify({ _tag: "Request", id: String(n), tag, payload, headers: [] })}\n`

const forged = (n: number, jobId: string): string => {
  const job = { kind: "work", by: n % 2 === 0 ? "address" : "shard", jobId }
  const tags = ["Stop", "Wake", "Resume", "Ping"] as const
  return request(n, tags[n % tags.length] ?? "Stop", { ...job, grace: { _tag: "Millis", millis: 0 } })
}

/** Milliseconds between two ticks of a job at work, at most, while its node is not held up. */
const slowest = 5_000

const rssOf = (pid: number): number => {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kib) * 1_024
}

const mib = 1_024 * 1_024

const start = Effect.gen(function* () {
  const url = yield* TestDatabase.make
  const directory = yield* TemporaryDirectory.make
  const node = yield* Nodes.make(url, directory)
  const id = yield* node.ask(JobId.JobId, { _tag: "Start", millis: 3_600_000, hasChild: false, whenFull: "refuse" })
  const follower = yield* node.ask(Schema.Int, { _tag: "Follow", after: 0 })
  const seen = node.ask(Schema.Array(Seen), { _tag: "Seen", follower, from: 0 })
  return { url, node, id, seen }
})

const selectAge =
  "SELECT (extract(epoch FROM clock_timestamp()) * 1000 - min(seen_at))::int AS age FROM charlotte_nodes"

/** How old the sign of life of the node has become, at most, in milliseconds, while the test runs. */
const oldestSign = (url: string) =>
  Effect.gen(function* () {
    let oldest = 0
    yield* TestDatabase.rowsOf(url, selectAge).pipe(
      Effect.map(([row]) => void (oldest = Math.max(oldest, Number(row?.["age"])))),
      Effect.delay(250),
      Effect.forever,
      Effect.forkScoped
    )
    return () => oldest
  })

describe("a node", () => {
  it.scopedLive(
    "works and gives signs of life as before while it gets thousands of forged requests, none of which ends its job",
    () =>
      Effect.gen(function* () {
        const { id, node, seen, url } = yield* start
        const oldest = yield* oldestSign(url)
        let answers = 0
        const sockets = yield* Effect.replicateEffect(open(node.address), connections)
        for (const [n, socket] of sockets.entries()) {
          socket.on("data", (part) => void (answers += part.toString().split("\n").length - 1))
          socket.write(hello(node.address, `127.0.0.1:${n + 1}`))
        }
        const { turn } = yield* RealClock
        for (let n = 0; n < frames; n++) {
          sockets[n % connections]?.write(forged(n, n % 3 === 0 ? id : anId(n % 9_999)))
          if (n % 500 === 0) yield* turn
        }
        yield* Effect.repeat(
          Effect.delay(
            Effect.sync(() => answers),
            50
          ),
          { until: (answers) => answers >= frames }
        )
        const events = yield* seen
        expect(events.filter(({ line }) => / job\./.test(line)).map(({ line }) => line.split(" ").at(-1))).toEqual([
          "job.started"
        ])
        expect(Math.max(...events.map(({ late }) => late))).toBeLessThan(slowest)
        expect(oldest()).toBeLessThan(slowest)
        expect(yield* node.isRunning).toBe(true)
      })
  )

  for (const [what, textOf] of [
    ["first lines", () => "x".repeat(Hello.maxLength)],
    [
      "requests",
      (called: string, n: number) => `${hello(called, `10.0.${n >> 8}.${n & 255}:1`)}{"_tag":"${"x".repeat(4_000)}`
    ]
  ] as const) {
    it.scopedLive(
      `needs at most 64 MiB more for 2,600 ${what} that are never complete, and closes their connections`,
      () =>
        Effect.gen(function* () {
          const { node } = yield* start
          const before = rssOf(node.pid)
          let most = 0
          let closed = 0
          for (let n = 0; n < 2_600; n++) {
            const socket = yield* open(node.address)
            socket.on("close", () => void (closed += 1))
            socket.resume()
            socket.write(textOf(node.address, n))
          }
          const look = Effect.sync(() => {
            most = Math.max(most, rssOf(node.pid))
            return closed
          })
          yield* Effect.repeat(Effect.delay(look, 50), { until: (closed) => closed === 2_600 })
          expect((most - before) / mib).toBeLessThan(64)
          expect(yield* node.isRunning).toBe(true)
        })
    )
  }
})
