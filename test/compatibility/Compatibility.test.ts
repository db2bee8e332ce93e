/** What version 0.1.0 has left, and how a command and a daemon of it get on with those of today. */
import * as HttpApi from "@effect/platform/HttpApi"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { Chunk, Effect, Exit, Layer, Stream } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import { dirname, join } from "node:path"
import manifest from "../../package.json" with { type: "json" }
import { exitOf } from "../../src/cli/errors/exitOf.js"
import * as Migrations from "../../src/store/sqlite/Migrations.js"
import * as SchemaCheck from "../../src/store/sqlite/SchemaCheck.js"
import * as World from "../http/world.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Home from "./home.js"
import * as Old from "./store-0.1.0.mjs"

/** A manager of today, whose jobs say which attempt they are. */
const manager = (filename: string) => {
  const Work = Orchestrator.layer(({ attempt, emit }) => Effect.as(emit({ type: "continued" }), `attempt ${attempt}`))
  const Store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))
  return JobManager.layer().pipe(Layer.provide(Work), Layer.provideMerge(Store))
}

describe("a database of 0.1.0", () => {
  it.scoped("has the schema of a new one once it is migrated", () =>
    Effect.gen(function* () {
      const filename = yield* Home.database()
      const migrated = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))
      yield* Effect.gen(function* () {
        const { latest } = yield* Migrations.version
        expect([yield* SchemaCheck.missing(latest), yield* SchemaCheck.unexpected(latest)]).toEqual([[], []])
      }).pipe(Effect.provide(migrated))
    })
  )

  it.scopedLive("keeps what has ended, and has its interrupted jobs done, once, as the next attempt", () =>
    Effect.gen(function* () {
      const filename = yield* Home.database()
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobs = yield* JobManager.JobManager
        const runs = yield* store.list()
        expect(runs).toHaveLength(4)
        const ended = yield* Effect.forEach(runs, ({ id }) => jobs.await(id))
        expect(ended.map(({ attempt, result, status }) => [status, attempt, result])).toEqual([
          ["completed", 2, "attempt 2"],
          ["completed", 2, "attempt 2"],
          ["cancelled", 1, undefined],
          ["completed", 1, "done"]
        ])
        expect(ended.map(({ labels }) => labels)).toEqual(Array.from({ length: 4 }, () => ({ team: "web" })))
        const last = runs[0]
        const events = last === undefined ? [] : Chunk.toArray(yield* Stream.runCollect(jobs.events(last.id)))
        expect(events.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
          "1 job.started",
          "2 progress",
          "3 job.interrupted",
          "4 job.resumed",
          "5 continued",
          "6 job.completed"
        ])
      }).pipe(Effect.provide(manager(filename)))
    })
  )
})

/** When it opens a file, 0.1.0 writes the `user_version` that is there: SQLite counts that at these offsets of the header. */
const counters = [24, 92]

const digest = (bytes: Buffer) => {
  for (const at of bytes.length > 0 ? counters : []) bytes.writeUInt32BE(0, at)
  return createHash("sha256").update(bytes).digest("hex")
}

describe("the store of 0.1.0", () => {
  const stored = ({ Database, RunStore }: typeof Old, filename: string) =>
    Effect.scoped(Layer.build(Layer.provide(RunStore.layer, Database.layer({ filename }))))

  it.scopedLive("opens its own database", () =>
    Effect.gen(function* () {
      const filename = yield* Home.database()
      expect(Exit.isSuccess(yield* Effect.exit(stored(Old, filename)))).toBe(true)
    })
  )

  it.scopedLive(
    "refuses a database that is migrated, and changes nothing in it but the count of transactions in its header",
    () =>
      Effect.gen(function* () {
        const filename = yield* Home.database()
        yield* Effect.provide(Effect.void, manager(filename))
        const files = () =>
          readdirSync(dirname(filename))
            // An index of the log in shared memory, which any reader makes.
            .filter((name) => !name.endsWith("-shm"))
            .map((name) => [name, digest(readFileSync(join(dirname(filename), name)))])
        const before = files()
        const { message, reason } = yield* Effect.flip(stored(Old, filename))
        expect([reason, message]).toEqual(["version", expect.stringContaining("install a newer one")])
        expect(files()).toEqual(before)
      })
  )
})

describe("a daemon and a client", () => {
  it.scopedLive("of different versions do not talk: a client of 0.1.0 is refused before anything is done", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const headers = { "charlotte-version": "0.1.0" }
      const { json, status } = yield* world.send({ method: "POST", path: "/api/v1/jobs/stop", headers })
      expect([status, json]).toMatchObject([
        412,
        { _tag: "VersionMismatch", client: "0.1.0", daemon: manifest.version }
      ])
    })
  )

  it.scopedLive(
    "of 0.1.0 is named by a client of today, in a sentence that ends with the command to restart it, and exit code 75",
    () =>
      Effect.gen(function* () {
        const socket = yield* TemporaryDirectory.file("socket")
        // As the guard of 0.1.0 answers a request of any other version, before it is looked at.
        const server = createServer((request, response) => {
          const client = request.headers["charlotte-version"]
          response.writeHead(412, { "content-type": "application/json", "charlotte-version": "0.1.0" })
          response.end(JSON.stringify({ _tag: "VersionMismatch", client, daemon: "0.1.0" }))
        })
        yield* Effect.acquireRelease(
          Effect.async<void>((resume) => void server.listen(socket, () => resume(Effect.void))),
          () => Effect.sync(() => server.close())
        )
        const client = yield* Http.JobClient.make({ socket })
        const error = yield* Effect.flip(client.health)
        expect(error.message).toBe(
          `this is charlotte ${manifest.version}, and the daemon is 0.1.0; restart it with: charlotte daemon restart`
        )
        expect(exitOf(error)[0]).toBe(75)
      })
  )
})

describe("what the README of 0.1.0 imports", () => {
  const imports: ReadonlyArray<readonly [module: () => Promise<object>, names: ReadonlyArray<string>]> = [
    [() => import("charlotte"), ["Database", "JobManager", "Orchestrator", "RunStore"]],
    [() => import("charlotte/http"), ["JobClient", "JobsApi", "layerApi"]],
    [() => import("charlotte/tasks"), ["TaskOrchestrator"]],
    [() => import("charlotte/testing"), ["ScriptedOrchestrator", "Step", "layer"]]
  ]

  it("is there", async () => {
    for (const [module, names] of imports)
      expect(Object.keys(await module())).toEqual(expect.arrayContaining([...names]))
  })

  it("is there as JobsApi.JobsApi, which the name that it had says", () => {
    // oxlint-disable-next-line typescript/consistent-type-assertions -- what a program without types does
    const old = Http.JobsApi as unknown as typeof Http.JobsApi.JobsApi
    expect(() => HttpApi.make("app").addHttpApi(old)).toThrow("write addHttpApi(JobsApi.JobsApi)")
    const api = HttpApi.make("app").addHttpApi(Http.JobsApi.JobsApi)
    expect(Layer.isLayer(Http.layerApi(api))).toBe(true)
  })

  it("is there by all the paths that 0.1.0 exported", () => {
    const paths = ["Database", "errors", "http", "JobConfig", "JobEvent", "JobId", "JobManager", "ManagedJob"]
    const others = ["Orchestrator", "Run", "RunStatus", "RunStore", "StopReport", "tasks", "testing", "Work"]
    expect(Object.keys(manifest.exports)).toEqual(
      expect.arrayContaining([".", ...[...paths, ...others].map((path) => `./${path}`)])
    )
  })
})
