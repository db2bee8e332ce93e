import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, Runs, RunStore } from "charlotte"
import { JobsApi, Server } from "charlotte/http"
import { ConfigProvider, Context, Effect, Layer, Schema } from "effect"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { sender } from "../../../src/cli/act/sender.js"
import { charlotte } from "../../../src/cli/parser/commands.js"
import { at, created, id } from "../../store/runs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"
import * as Application from "./Application.js"

/** A home without a daemon, in which so many jobs have ended long ago, each with a log. */
const homeOf = (jobs: number, config: string) =>
  Effect.gen(function* () {
    const home = yield* TemporaryDirectory.make
    writeFileSync(`${home}/config.yaml`, config)
    yield* Effect.gen(function* () {
      const { record } = yield* RunStore.RunStore
      for (let n = 1; n <= jobs; n++) {
        yield* created(n)
        yield* record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(n), result: 1 })
        mkdirSync(`${home}/logs/${id(n)}`, { recursive: true })
        writeFileSync(`${home}/logs/${id(n)}/a.log`, "output")
      }
    }).pipe(
      Effect.provide([
        RunStore.layer.pipe(Layer.provide(Database.layer({ filename: `${home}/charlotte.db` }))),
        NodeContext.layer
      ])
    )
    const run = (...argv: ReadonlyArray<string>) =>
      Capture.run(charlotte, argv).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["CHARLOTTE_HOME", home]])))
      )
    return { hasLogs: (n: number) => existsSync(`${home}/logs/${id(n)}`), log: `${home}/logs/daemon.log`, run }
  })

describe("charlotte prune, by the retention of config.yaml", () => {
  it.scopedLive("says what would go, and removes records and logs, but for pinned jobs", () =>
    Effect.gen(function* () {
      const { hasLogs, run } = yield* homeOf(4, "retention: { maxRuns: 1 }\n")
      expect(yield* run("pin", id(2))).toMatchObject({ code: 0, out: `✓ job ${id(2)} is kept until it is unpinned\n` })
      expect((yield* run("show", id(2))).out).toContain("pinned")
      const planned = yield* run("prune", "--all", "--dry-run")
      expect(planned).toMatchObject({
        code: 0,
        out: `would remove the records and logs of 2 finished jobs\n  ${id(1)}\n  ${id(3)}\n`
      })
      expect((yield* run("show", id(1))).code).toBe(0)
      expect(hasLogs(1)).toBe(true)

      // Filters of jobs are about what they have left in repositories.
      expect((yield* run("prune", "--all", "--older-than", "1h", "--yes")).out).toBe("nothing to remove\n")
      const pruned = yield* run("prune", "--all", "--yes", "--json")
      expect(JSON.parse(pruned.out)).toEqual({
        pruned: [],
        records: [{ kind: "tasks", runs: 2, jobs: [id(1), id(3)] }]
      })
      expect([1, 2, 3, 4].map(hasLogs)).toEqual([false, true, false, true])
      expect((yield* run("show", id(1))).code).toBe(2)

      expect(JSON.parse((yield* run("unpin", id(2), "--json")).out)).toEqual({ id: id(2), pinned: false })
      expect((yield* run("prune", "--all", "--yes")).out).toBe(
        `removed the records and logs of 1 finished job\n  ${id(2)}\n`
      )
      expect((yield* run("prune", "--all", "--yes")).out).toBe("nothing to remove\n")
      expect((yield* run("pin", id(2))).code).toBe(2)
    })
  )

  it.scopedLive("notes who has pinned and pruned in the log of the home, though no daemon runs", () =>
    Effect.gen(function* () {
      const { log, run } = yield* homeOf(2, "retention: { maxRuns: 1 }\n")
      yield* run("pin", id(2))
      yield* run("unpin", id(2))
      yield* run("prune", "--all", "--yes")
      const lines = readFileSync(log, "utf8").trimEnd().split("\n")
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { message: `job ${id(2)} is pinned, by ${sender()}`, via: "library" },
        { message: `job ${id(2)} is no longer pinned, by ${sender()}`, via: "library" },
        { message: `finished jobs are pruned: 1, by ${sender()}`, via: "library" }
      ])
    })
  )

  it.scopedLive("removes no records where config.yaml says nothing of retention", () =>
    Effect.gen(function* () {
      const { hasLogs, run } = yield* homeOf(1, "maxJobs: 3\n")
      expect((yield* run("prune", "--all", "--yes")).out).toBe("nothing to remove\n")
      expect(hasLogs(1)).toBe(true)
    })
  )
})

class Note extends JobKind.Tag<Note>()("note", { config: Schema.Struct({}) }) {}

describe("charlotte pin and prune beside a running process", () => {
  it.scopedLive("ask that process", () =>
    Effect.gen(function* () {
      const notes = Note.layer({ run: () => Effect.succeed("done"), retention: { completed: 0 } }).pipe(
        Layer.provideMerge(RunStore.layerMemory)
      )
      const { run, services } = yield* Application.serve((socket) =>
        Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api: JobsApi.make([Note]) }), notes)
      )
      const [manager, runs] = [Context.get(services, Note), Context.get(services, Runs.Runs)]
      const [first, second] = yield* Effect.replicateEffect(Effect.tap(manager.start({}), manager.await), 2)
      if (first === undefined || second === undefined) return yield* Effect.dieMessage("two jobs were started")
      expect((yield* run("pin", first)).out).toBe(`✓ job ${first} is kept until it is unpinned\n`)
      expect(yield* run("prune", "--all", "--yes")).toMatchObject({
        code: 0,
        out: `removed the records and logs of 1 finished job of kind note\n  ${second}\n`
      })
      expect((yield* runs.list()).map(({ id, pinned }) => [id, pinned])).toEqual([[first, true]])
      expect((yield* run("unpin", first)).code).toBe(0)
      expect((yield* run("pin", second)).code).toBe(2)
    })
  )
})
