/**
 * The connections of a node, with real sockets: what callers send before and after the line that proves that they know the secret.
 */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Logger, LogLevel, Redacted } from "effect"
import { connect, type Socket } from "node:net"
import * as Connections from "../../../src/cluster/engine/Connections.js"
import * as Hello from "../../../src/cluster/engine/Hello.js"
import { freeAddress } from "../../postgres/engineAt.js"
import { poll, RealClock } from "../../../src/internal/RealClock.js"

const called = "10.0.0.5:7450"
const secret = Redacted.make("the secret of the cluster")
const lineOf = (caller: string) => `${Hello.line(secret, { caller, called })}\n`

/** A node that keeps what arrives after the first line. */
const node = Effect.gen(function* () {
  const port = Number((yield* freeAddress).replace(/.*:/, ""))
  const server = yield* Connections.listen({ host: "127.0.0.1", port }, { called, secret })
  const received: Array<string> = []
  yield* server
    .run((socket) => Effect.ignore(socket.runRaw((data) => void received.push(Buffer.from(data).toString()))))
    .pipe(Effect.forkScoped)
  const open = Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    const socket = yield* Effect.acquireRelease(
      Effect.async<Socket>((resume) => {
        const socket = connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
        socket.on("error", () => {})
        socket.on("close", () => Deferred.unsafeDone(closed, Effect.void))
        socket.resume()
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    return {
      closed: Deferred.await(closed),
      isClosed: Deferred.isDone(closed),
      write: (text: string) => socket.write(text)
    }
  })
  const until = (what: string) =>
    Effect.map(
      poll(
        Effect.sync(() => received.join("")),
        { until: (all) => all === what, pause: 10, atMost: "10 seconds" }
      ),
      (all) => expect(all).toBe(what)
    )
  return { open, until, received }
}).pipe(Logger.withMinimumLogLevel(LogLevel.None))

describe("a connection between nodes", () => {
  it.scopedLive("passes on what follows the line that proves the secret, however it is cut", () =>
    Effect.gen(function* () {
      const { open, received, until } = yield* node
      const [whole, cut] = [yield* open, yield* open]
      whole.write(`${lineOf("a:1")}one\ntwo\n`)
      yield* until("one\ntwo\n")
      received.length = 0
      for (const character of `${lineOf("b:1")}three\n`) {
        cut.write(character)
        yield* Effect.flatMap(RealClock, ({ turn }) => turn)
      }
      yield* until("three\n")
    })
  )

  it.scopedLive("passes on frames that arrive at once in groups of 16, each with its own turn of the event loop", () =>
    Effect.gen(function* () {
      const { open, received, until } = yield* node
      const { write } = yield* open
      const frames = Array.from({ length: 40 }, (_, n) => `${n}\n`)
      write(lineOf("a:1") + frames.join(""))
      yield* until(frames.join(""))
      const groups = [frames.slice(0, 16), frames.slice(16, 32), frames.slice(32)]
      expect(received).toEqual(groups.map((group) => group.join("")))
    })
  )

  for (const [what, text] of [
    ["a frame", '{"_tag":"Request","id":"1","tag":"Stop","payload":{},"headers":[]}\n'],
    ["no proof", "a:1\n"],
    ["another secret", `${Hello.line(Redacted.make("another"), { caller: "a:1", called })}\n`],
    ["no secret", `${Hello.line(undefined, { caller: "a:1", called })}\n`],
    ["the proof for another node", `${Hello.line(secret, { caller: "a:1", called: "10.0.0.6:7450" })}\n`],
    ["the proof of another node", lineOf("a:1").replace("a:1", "b:1")],
    ["a line without an end", "x".repeat(2 * Hello.maxLength)]
  ] as const) {
    it.scopedLive(`is closed, and nothing of it passed on, when it begins with ${what}`, () =>
      Effect.gen(function* () {
        const { open, received } = yield* node
        const connection = yield* open
        connection.write(`${text}frame\n`)
        yield* connection.closed
        expect(received).toEqual([])
      })
    )
  }

  it.scopedLive("is closed when a line is not complete within 5 seconds, and not while it is between two", () =>
    Effect.gen(function* () {
      const { open, until } = yield* node
      const { now } = yield* RealClock
      const [silent, dripping, unfinished, idle] = yield* Effect.all([open, open, open, open])
      const began = yield* now
      dripping.write(lineOf("a:1").slice(0, 10))
      idle.write(`${lineOf("d:1")}frame\n`)
      yield* until("frame\n")
      unfinished.write(`${lineOf("c:1")}{"_tag":`)
      yield* Effect.all([silent.closed, dripping.closed, unfinished.closed])
      expect((yield* now) - began).toBeGreaterThan(4_500)
      expect(yield* idle.isClosed).toBe(false)
    })
  )

  it.scopedLive("replaces the oldest of its node, where that has four", () =>
    Effect.gen(function* () {
      const { open, until } = yield* node
      const connections = yield* Effect.replicateEffect(open, 5)
      const other = yield* open
      let all = ""
      for (const [n, { write }] of [other, ...connections].entries()) {
        write(`${lineOf(n === 0 ? "b:1" : "a:1")}${n}\n`)
        all += `${n}\n`
        yield* until(all)
      }
      yield* connections[0]?.closed ?? Effect.void
      expect(yield* Effect.forEach([other, ...connections], ({ isClosed }) => isClosed)).toEqual([
        false,
        true,
        ...[false, false, false, false]
      ])
    })
  )
})
