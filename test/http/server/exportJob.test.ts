/**
 * The document of an exported job.
 */
import { describe, expect, it } from "@effect/vitest"
import { errors, RunStore } from "charlotte"
import { DateTime, Effect, Layer, Logger, LogLevel, Schema, Stream } from "effect"
import { Export } from "../../../src/http/contract/Export.js"
import { exportJob } from "../../../src/http/server/exportJob.js"
import { at, created, error, event, id, kind } from "../../store/runs.js"
import { planOf } from "../../store/work.js"
import * as FailingSql from "../../support/FailingSql.js"
import * as Stub from "../stub.js"

const onSqlite = RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))

const exported = (isServed: () => boolean = () => true) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.flatMap(exportJob(store, id(1), isServed), (pieces) => Stream.mkString(pieces))
  )

const decode = Schema.decode(Schema.parseJson(Export))

const signal = (name: string, payload?: unknown) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    store.signal({
      kind,
      jobId: id(1),
      name,
      payload: payload === undefined ? undefined : JSON.stringify(payload),
      sender: { by: "ann", via: "port" },
      limit: 1_000,
      at: at(5)
    })
  )

const time = (millis: number) => DateTime.formatIso(at(millis))

describe("exportJob", () => {
  it.effect("writes all that is recorded, each record on a line of its own", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1, { config: { to: 'a\n\u2028"b' }, labels: { team: "web" } })
      yield* store.work.plan({ jobId: id(1), attempt: 1, work: planOf(1, 1) })
      yield* store.append({ jobId: id(1), attempt: 1, events: [event("x.said", { n: 1 })] })
      yield* signal("approve", { ok: true })
      yield* signal("ping")
      yield* store.record({ type: "job.failed", jobId: id(1), attempt: 1, at: at(9), error })
      const job = `"jobId":"${id(1)}"`
      const unit = { unit: "unit 0001", position: 0, dependsOn: [], state: "pending" }
      const task = {
        unit: "unit 0001",
        task: 1,
        position: 0,
        title: "unit 0001 1",
        state: "pending",
        failures: 0,
        calls: 0
      }
      const end = { kind: "failure", error: "it went wrong", cause: "Error: it went wrong" }
      expect((yield* exported()).split("\n")).toEqual([
        '{"charlotte":1,',
        `"run":{"id":"${id(1)}","kind":"tasks","status":"failed","attempt":1,"config":{"to":"a\\n\u2028\\"b"},"labels":{"team":"web"},"priority":0,"createdAt":"${time(1)}","startedAt":"${time(1)}","endedAt":"${time(9)}","error":${JSON.stringify(end)}},`,
        '"events":[',
        `{${job},"seq":1,"cursor":1,"at":"${time(1)}","type":"job.started","payload":{"attempt":1}},`,
        `{${job},"seq":2,"cursor":2,"at":"${time(0)}","type":"x.said","payload":{"n":1}},`,
        `{${job},"seq":3,"cursor":3,"at":"${time(5)}","type":"job.signalled","payload":{"name":"approve","payload":{"ok":true},"by":"ann","via":"port"}},`,
        `{${job},"seq":4,"cursor":4,"at":"${time(5)}","type":"job.signalled","payload":{"name":"ping","by":"ann","via":"port"}},`,
        `{${job},"seq":5,"cursor":5,"at":"${time(9)}","type":"job.failed","payload":{"error":{"kind":"failure","error":"it went wrong"}}}],`,
        '"units":[',
        `${JSON.stringify(unit)}],`,
        '"tasks":[',
        `${JSON.stringify({ ...task, notes: [] })}],`,
        '"questions":[],',
        '"signals":[',
        '{"seq":3,"attempt":1,"name":"approve","payload":{"ok":true},"used":false},',
        '{"seq":4,"attempt":1,"name":"ping","used":false}]}',
        ""
      ])
      yield* decode(yield* exported())
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("writes where a job is in traces", () =>
    Effect.gen(function* () {
      const trace = {
        root: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
        startedBy: `00-${"3".repeat(32)}-${"4".repeat(16)}-01`
      }
      yield* created(1, { trace })
      const { run } = yield* Effect.flatMap(exported(), decode)
      expect(run.trace).toEqual(trace)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("writes a job that is not over as it stands", () =>
    Effect.gen(function* () {
      yield* created(1)
      const text = yield* exported()
      expect(text).toMatch(
        /^\{"charlotte":1,"complete":false,\n"run":.*,\n"events":\[\n.*\],\n"units":\[\],\n"tasks":\[\],\n"questions":\[\],\n"signals":\[\]\}\n$/
      )
      expect(yield* decode(text)).toMatchObject({ complete: false, run: { status: "running" }, events: [{ seq: 1 }] })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("ends with what was there when it began, while the job goes on and ends", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1)
      const emitted = Array.from({ length: 500 }, () => event("x"))
      yield* store.append({ jobId: id(1), attempt: 1, events: emitted })
      const pieces = yield* exportJob(store, id(1), () => true)
      yield* store.append({ jobId: id(1), attempt: 1, events: emitted })
      yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9) })
      const { complete, events, run } = yield* Effect.flatMap(Stream.mkString(pieces), decode)
      expect([complete, run.status, events.length, events.at(-1)?.seq]).toEqual([false, "running", 501, 501])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("has every signal of many", () =>
    Effect.gen(function* () {
      yield* created(1)
      yield* Effect.replicateEffect(signal("again", "x".repeat(1_000)), 100)
      const { signals } = yield* Effect.flatMap(exported(), decode)
      expect(signals.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 2))
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("fails for an unknown job, and for one of a kind that is not served", () =>
    Effect.gen(function* () {
      const unknown = { _tag: "JobNotFound", jobId: id(1) }
      expect(yield* Effect.flip(exported())).toMatchObject(unknown)
      yield* created(1)
      expect(yield* Effect.flip(exported(() => false))).toMatchObject(unknown)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("JobClient.export", () => {
  it.scopedLive("fails where the document is cut off", () =>
    Effect.gen(function* () {
      const failure = new errors.StoreError({ operation: "list signals", reason: "other", cause: new Error("broken") })
      const world = yield* Stub.worldOf({}, { signals: () => failure })
      yield* Effect.provide(created(1), world.services)
      const received: Array<string> = []
      const cut = world.bySocket.export(id(1)).pipe(
        Stream.decodeText(),
        Stream.runForEach((piece) => Effect.sync(() => received.push(piece)))
      )
      expect(yield* Effect.flip(cut)).toMatchObject({ _tag: "UnexpectedAnswer", problem: "the export is cut off" })
      expect(received.join("")).toMatch(/"signals":\[$/)
      // It is logged.
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )
})

describe("exportJob from a database", () => {
  it.effect("reads one page ahead of what is written at the most", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* created(1)
      for (let i = 0; i < 20; i++) {
        yield* store.append({ jobId: id(1), attempt: 1, events: Array.from({ length: 500 }, () => event("x", i)) })
      }
      yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9) })
      yield* clear
      const pages = Effect.map(statements, (all) => all.filter((one) => one.includes("charlotte_events")).length)
      const pieces = yield* exportJob(store, id(1), () => true)
      let written = 0
      let most = 0
      yield* Stream.runForEach(pieces, (piece) =>
        Effect.map(pages, (read) => {
          if (piece.includes('"seq"')) written += 1
          most = Math.max(most, read - written)
        })
      )
      expect(written).toBe(40)
      expect(most).toBeLessThanOrEqual(1)
    }).pipe(Effect.provide(onSqlite))
  )

  it.effect("fails in the middle where the database does", () =>
    Effect.gen(function* () {
      const { set } = yield* FailingSql.FailingSql
      yield* created(1)
      yield* set({ from: 1, to: 99, matching: /FROM charlotte_signals/ })
      expect(yield* Effect.flip(exported())).toMatchObject({ _tag: "StoreError" })
    }).pipe(Effect.provide(onSqlite))
  )
})
