/** Logs on the nodes of a cluster, each with a server and files of its own, on one store. */
import { describe, expect, it } from "@effect/vitest"
import { JobId, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { Context, DateTime, Effect, Exit, Layer, Redacted, Scope, Stream } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { afterAll, beforeAll } from "vitest"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import * as certificate from "../../support/certificate.js"
import { config } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as World from "../world.js"

const ca = certificate.authority()
const { cert, key } = ca.issue(["127.0.0.1"])
const tls: Http.Server.Tls = { cert, key: Redacted.make(key) }
const trusted = getCACertificates("default")

beforeAll(() => setDefaultCACertificates([...trusted, ca.cert]))
afterAll(() => setDefaultCACertificates(trusted))

const text = <E>(log: Stream.Stream<Uint8Array, E>) => Stream.mkString(Stream.decodeText(log))

const all = new Uint8Array(100_000).map((_, i) => (i * 7) % 251)

const bytes = <E>(log: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(log), (pieces) => Buffer.concat([...pieces]))

/** The node that has run a job, and one that has not. */
const scene = Effect.gen(function* () {
  const manager = yield* Layer.build(World.idle)
  const memory = Context.get(manager, RunStore.RunStore)
  const store = { ...memory, childProcesses: { ...memory.childProcesses, spansMachines: true } }
  const services = Context.add(manager, RunStore.RunStore, store)
  const node = (name: string, token = World.token) =>
    Effect.gen(function* () {
      const logs = yield* TemporaryDirectory.make
      const scope = yield* Scope.fork(yield* Effect.scope, { _tag: "Sequential" })
      const made = yield* World.over(Layer.succeedContext(services), {
        listen: [{ socket: `${logs}/socket` }, { port: 0, tls }],
        logs,
        token
      }).pipe(Scope.extend(scope))
      const url = `https://127.0.0.1:${made.port}`
      const own = { id: `${name}:1/1`, kind: "tasks", address: `${name}:1`, pid: 1, capacity: 1 }
      const client = yield* Http.JobClient.make({ socket: `${logs}/socket` })
      return {
        client,
        logs,
        url,
        join: (url?: string) => Effect.orDie(store.cluster.join({ ...own, machine: `${name}/0123`, url })),
        leave: Effect.orDie(store.cluster.leave(own.id)),
        close: Scope.close(scope, Exit.void)
      }
    })
  const first = yield* node("first")
  const second = yield* node("second")
  const id = yield* first.client.start(config)
  const at = yield* DateTime.now

  /** Output of a process on the first node; its end is recorded if there is a tail. */
  const print = (name: string, content: string | Uint8Array, tail?: string) =>
    Effect.gen(function* () {
      const log = `${first.logs}/${id}/${name}`
      mkdirSync(`${first.logs}/${id}/api`, { recursive: true })
      writeFileSync(log, content)
      const cookie = name
      const process = { jobId: id, attempt: 1, bootId: "", machine: "first/0123", purpose: "agent" }
      yield* store.childProcesses.open({ ...process, cookie, log, at })
      if (tail !== undefined) yield* store.childProcesses.close({ cookie, at, tail })
      return log
    }).pipe(Effect.orDie)
  return { first, second, id, node, print }
})

const gone = (reason: string, rest: string) =>
  `[charlotte: the log is on first, and cannot be read there (${reason})${rest}`

const recorded = "; this is what is recorded of it, the last 16 KiB at most:]\n"

describe("log that another node has", () => {
  it.scopedLive("is the same, byte for byte, and any part of it", () =>
    Effect.gen(function* () {
      const { first, id, print, second } = yield* scene
      yield* first.join(first.url)
      yield* second.join(second.url)
      const file = yield* print("api/01-attempt-1.1.agent.log", all, "the end")
      for (const name of [file, `${id}/api/01-attempt-1.1.agent.log`]) {
        expect((yield* bytes(second.client.log(id, { file: name }))).equals(all)).toBe(true)
      }
      const part = yield* bytes(second.client.log(id, { file, from: 70_000, to: 80_000 }))
      expect(part.equals(all.subarray(70_000, 80_000))).toBe(true)
    })
  )

  it.scopedLive("is listed with those of the node that is asked, once", () =>
    Effect.gen(function* () {
      const { first, id, print, second } = yield* scene
      yield* first.join(first.url)
      yield* print("api/01-attempt-1.1.agent.log", "agent", "agent")
      mkdirSync(`${second.logs}/${id}`)
      writeFileSync(`${second.logs}/${id}/setup-2.1.log`, "setup!")
      const listed = yield* second.client.logFiles(id)
      expect(listed.map(({ file, host, size }) => [file, size, host])).toEqual(
        expect.arrayContaining([
          [`${id}/api/01-attempt-1.1.agent.log`, 5, undefined],
          [`${id}/setup-2.1.log`, 6, undefined]
        ])
      )
      expect(listed.length).toBe(2)
      expect((yield* first.client.logFiles(id)).map(({ file }) => file)).toEqual([`${id}/api/01-attempt-1.1.agent.log`])
    })
  )

  it.scopedLive("is followed until the job has ended, also where nothing is there yet", () =>
    Effect.gen(function* () {
      const { first, id, print, second } = yield* scene
      yield* first.join(first.url)
      const silent = yield* print("api/02-attempt-1.1.agent.log", "")
      const listening = yield* Effect.fork(text(second.client.log(id, { file: silent, follow: true })))
      const file = yield* print("api/01-attempt-1.1.agent.log", "so far")
      const following = yield* Effect.fork(
        text(Stream.tap(second.client.log(id, { file, follow: true }), () => Effect.asVoid(first.client.stop(id))))
      )
      expect(yield* following).toBe("so far")
      expect(yield* listening).toBe("")
    })
  )

  it.scopedLive("is its recorded end, with a sentence that says so, when the node is gone", () =>
    Effect.gen(function* () {
      const { first, id, print, second } = yield* scene
      yield* first.join(first.url)
      const file = yield* print("api/01-attempt-1.1.agent.log", all, "the end\n")
      const cut = yield* print("api/02-attempt-1.1.agent.log", "cut off by a crash")
      yield* first.close
      const refused = `no server listens on ${first.url}`
      expect(yield* text(second.client.log(id, { file }))).toBe(`${gone(refused, recorded)}the end\n`)
      yield* first.leave
      expect(yield* text(second.client.log(id, { file }))).toBe(`${gone("no node runs there", recorded)}the end\n`)
      expect(yield* text(second.client.log(id, { file: cut }))).toBe(
        gone("no node runs there", ", and its end is not recorded]\n")
      )
      const listed = yield* second.client.logFiles(id)
      expect(listed.map(({ host }) => host)).toEqual(["first", "first"])
      for (const { file, size } of listed) {
        expect((yield* bytes(second.client.log(id, { file }))).length).toBe(size)
      }
    })
  )

  it.scopedLive("is its recorded end when its node serves no other, or another token", () =>
    Effect.gen(function* () {
      const { first, id, node, print, second } = yield* scene
      const file = yield* print("api/01-attempt-1.1.agent.log", all, "the end\n")
      yield* first.join()
      expect(yield* text(second.client.log(id, { file }))).toBe(`${gone("its node has no URL", recorded)}the end\n`)
      yield* first.leave
      yield* first.join(first.url)
      const third = yield* node("third", Redacted.make("another-token-of-more-than-thirty-two-chars"))
      expect(yield* text(third.client.log(id, { file }))).toContain(`${first.url} answers 401`)
    })
  )

  it.scopedLive("is not asked of a third node", () =>
    Effect.gen(function* () {
      const { first, id, node, print, second } = yield* scene
      const file = yield* print("api/01-attempt-1.1.agent.log", all, "the end\n")
      // The log is said to be where it is not.
      yield* first.join(second.url)
      yield* second.join(first.url)
      const third = yield* node("third")
      expect(yield* text(third.client.log(id, { file }))).toBe(
        `${gone("no node there has its file", recorded)}the end\n`
      )
      expect(yield* third.client.logFiles(id)).toMatchObject([{ host: "first" }])
    })
  )

  it.scopedLive("does not exist if no process has written it", () =>
    Effect.gen(function* () {
      const { first, id, second } = yield* scene
      yield* first.join(first.url)
      const error = yield* Effect.flip(Stream.runDrain(second.client.log(id, { file: "/etc/passwd" })))
      expect(error._tag).toBe("LogNotFound")
      const missing = yield* Effect.flip(second.client.logFiles(JobId.JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")))
      expect(missing._tag).toBe("JobNotFound")
    })
  )
})
