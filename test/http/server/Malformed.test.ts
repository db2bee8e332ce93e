import { expect, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { config, unknownId } from "../../support/jobs.js"
import * as requests from "../requests.js"
import * as World from "../world.js"

const seed = "malformed"
const count = 500

const pick = <A>(...values: readonly [A, ...ReadonlyArray<A>]): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, values.length), (i) => values[i] ?? values[0])

const words = [
  "",
  "%",
  "%00",
  "%E0%A4%A",
  "..",
  "../..",
  "__proto__",
  "constructor",
  "'",
  '"',
  "\u00e9",
  "a".repeat(300),
  "1e3",
  "-1",
  "NaN",
  "[]",
  "{}",
  "null",
  ":",
  "::",
  "*",
  "\\",
  "%2e%2e%2f",
  unknownId,
  "99999999999999999999"
] as const

const word = pick(...words)

const parameters = [
  "status",
  "label",
  "limit",
  "before",
  "after",
  "grace",
  "unit",
  "task",
  "file",
  "from",
  "to",
  "follow",
  "__proto__",
  "toString"
] as const

const query = Effect.gen(function* () {
  const n = yield* Random.nextIntBetween(0, 4)
  const pairs = yield* Effect.replicateEffect(Effect.all([pick(...parameters), word]), n)
  return n === 0 ? "" : `?${pairs.map(([name, value]) => `${name}=${value}`).join(yield* pick("&", "&&", ";", "&=&"))}`
})

const path = Effect.gen(function* () {
  const id = yield* Effect.flatMap(word, (word) => pick(unknownId, unknownId, word))
  return yield* pick(
    "/api/v1/jobs",
    "/api/v1/jobs",
    "/api/v1/jobs",
    "/api/v1/jobs/",
    "//api/v1//jobs",
    "/api/v1/jobs//stop",
    "/API/V1/JOBS",
    `/api/v1/jobs/${id}`,
    `/api/v1/jobs/${id}/stop`,
    `/api/v1/jobs/${id}/resume`,
    `/api/v1/jobs/${id}/events`,
    `/api/v1/jobs/${id}/logs`,
    "/api/v1/jobs/stop",
    "/api/v1/events",
    "/api/v1/shutdown/x",
    `/${id}`,
    "/metrics",
    "/readyz",
    "*",
    "",
    "http://localhost/api/v1/jobs",
    "/docs/..",
    "/?",
    "/#"
  )
})

/** Odd now and then: a request with one thing wrong gets further in than one with all things wrong. */
const mostly = <A>(usual: Effect.Effect<A>, odd: Effect.Effect<A>, odds = 12): Effect.Effect<A> =>
  Effect.flatMap(Random.nextIntBetween(0, odds), (n) => (n === 0 ? odd : usual))

const method = mostly(
  pick("GET", "POST"),
  pick("HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "BREW", "G\u0000T", "")
)

const json = JSON.stringify(config)

const body = Effect.gen(function* () {
  const text = yield* word
  return yield* pick(
    "",
    json,
    json.slice(0, -1),
    "null",
    "[]",
    "[[[[[[",
    "3",
    '"x"',
    "{",
    "\u0000",
    text,
    JSON.stringify({ ...config, labels: text, concurrency: text }),
    JSON.stringify({ ...config, extra: 1, repoPath: 3 }),
    '{"__proto__": {"repoPath": "/x"}}',
    `{"labels": ${"[".repeat(5_000)}`,
    JSON.stringify({ labels: { "charlotte.idempotency-key": "x" } })
  )
})

const oddHeader = Effect.gen(function* () {
  const value = yield* word
  return yield* pick(
    "host:",
    `host: ${value}`,
    `content-type: ${value}`,
    "content-length: -1",
    `content-length: ${value}`,
    "content-length: 100000",
    "content-length: 100000000",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    `idempotency-key: ${value}`,
    "idempotency-key: one",
    `last-event-id: ${value}`,
    "last-event-id: 999999",
    `authorization: ${value}`,
    "expect: 100-continue",
    "expect: a miracle",
    "upgrade: websocket\r\nconnection: upgrade",
    `x: ${"y".repeat(20_000)}`,
    ` folded: ${value}`,
    "no colon",
    ": no name",
    `origin: ${value}`,
    `sec-fetch-site: ${value}`,
    "accept-encoding: gzip",
    "charlotte-version: 0.0.1",
    "range: bytes=0-"
  )
})

const message = Effect.gen(function* () {
  const verb = yield* method
  const content = verb === "POST" ? yield* body : yield* mostly(Effect.succeed(""), body)
  const usual =
    content === "" ? [] : ["content-type: application/json", `content-length: ${Buffer.byteLength(content)}`]
  const odd = yield* mostly(Effect.succeed([]), Effect.replicateEffect(oddHeader, 2), 2)
  const host = yield* mostly(Effect.succeed(["host: localhost"]), Effect.succeed([]))
  const end = yield* mostly(Effect.succeed("\r\n"), pick("\n", "\r"), 40)
  const version = yield* mostly(Effect.succeed("HTTP/1.1"), pick("HTTP/1.0", "HTTP/2.0", "HTTP", ""), 40)
  const line = `${verb} ${yield* path}${yield* query} ${version}`
  return [line, ...host, ...usual, ...odd, "connection: close", "", content].join(end)
})

it.scopedLive(
  `server > ${count} malformed requests get an error response or are disconnected, and none gets a 500`,
  () =>
    Effect.gen(function* () {
      const world = yield* World.make({ requestTime: 500 })
      const where = { socketPath: world.socket }
      const messages = yield* Effect.withRandom(Effect.replicateEffect(message, count), Random.make(seed))
      const seen = new Map<string, number>()
      yield* Effect.forEach(
        messages,
        (text) =>
          Effect.gen(function* () {
            const answer = yield* requests
              .raw(where, text, /^HTTP\/1.1 200 .*: charlotte/s)
              .pipe(Effect.timeoutTo({ duration: "2 minutes", onSuccess: (a) => a, onTimeout: () => "a hang" }))
            const status = answer.slice("HTTP/1.1 ".length).slice(0, 3)
            seen.set(status, (seen.get(status) ?? 0) + 1)
            expect({ text, answer }).toEqual({ text, answer: expect.not.stringMatching(/^a hang|^HTTP\/1\.1 5(?!03)/) })
          }).pipe(Effect.scoped),
        { concurrency: 20, discard: true }
      )
      // They got everywhere.
      expect([...seen.keys()]).toEqual(expect.arrayContaining(["200", "201", "400", "403", "404", "415", "422"]))
      expect((yield* world.send({ path: "/healthz" })).status).toBe(200)
    })
)
