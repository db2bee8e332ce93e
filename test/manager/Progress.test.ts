/** Progress: the newest that a job reports is kept with its run, without an event, and costs nothing much. */
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, JobKind, Run, RunStore } from "charlotte"
import { Deferred, Effect, Exit, Layer, Ref, Schema, Scope, TestClock } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import { databaseFile } from "./lives.js"

class Import extends JobKind.Tag<Import>()("import", { config: Schema.Struct({}) }) {}

type Options = JobKind.LayerOptions<typeof Import, never, never>
type Work = Options["run"]

const patience = { pause: 5, atMost: "20 seconds" } as const

const progress = (done: number, total: number, text?: string): Run.Progress =>
  new Run.Progress({ done, total, ...(text === undefined ? {} : { text }) })

const recordOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

/** Waits until so much is recorded as done, whatever the clock of the test says. */
const recorded = (id: JobId.JobId, done: number) =>
  Effect.map(poll(recordOf(id), { until: ({ progress }) => progress?.done === done, ...patience }), ({ progress }) =>
    expect(progress?.done).toBe(done)
  )

const ended = (run: Work, options: Partial<Options> = {}) =>
  Effect.flatMap(Import, (imports) => Effect.flatMap(imports.start({}), imports.await)).pipe(
    Effect.provide(Layer.provide(Import.layer({ run, ...options }), RunStore.layerMemory))
  )

/** With the progress that the store has written, in order. */
const counting = Effect.map(Ref.make<ReadonlyArray<number>>([]), (written) => ({
  written: Ref.get(written),
  layer: (run: Work) =>
    Import.layer({ run }).pipe(
      Layer.provideMerge(
        Layer.effect(
          RunStore.RunStore,
          Effect.map(RunStore.RunStore, (service) => ({
            ...service,
            progress: (reported: RunStore.NewProgress) =>
              Effect.zipRight(
                Ref.update(written, (all) => [...all, reported.progress.done]),
                service.progress(reported)
              )
          }))
        ).pipe(Layer.provide(RunStore.layerMemory))
      )
    )
}))

describe("the progress of a job", () => {
  it.effect("is recorded at once, then once a second while it changes, and at the end", () =>
    Effect.gen(function* () {
      const { layer, written } = yield* counting
      const reports = yield* Effect.makeLatch()
      const next = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        const imports = yield* Import
        const id = yield* imports.start({})
        /** Lets the job report up to a number, at one time. */
        const upTo = (done: number) => Effect.zipRight(Ref.set(next, done), reports.open)
        const idle = poll(Ref.get(next), { until: (next) => next === 0, ...patience })

        yield* upTo(1)
        yield* recorded(id, 1)
        yield* idle
        for (const done of [2, 5, 6]) yield* Effect.zipRight(upTo(done), idle)
        expect(yield* written).toHaveLength(1)
        yield* TestClock.adjust("1 second")
        yield* recorded(id, 6)
        // Nothing is written while nothing changes, and the next report is written at once.
        yield* TestClock.adjust("1 hour")
        expect(yield* written).toHaveLength(2)
        yield* Effect.zipRight(upTo(7), recorded(id, 7))
        yield* Effect.zipRight(upTo(8), idle)
        yield* upTo(10)
        const run = yield* imports.await(id)
        expect(run.progress).toEqual(progress(10, 10, "row 10"))
        expect(yield* recordOf(id)).toMatchObject({ status: "completed", progress: progress(10, 10, "row 10") })
        expect(yield* written).toEqual([1, 6, 7, 10])
      }).pipe(
        Effect.provide(
          layer(({ progress }) =>
            Effect.gen(function* () {
              let done = 0
              while (done < 10) {
                yield* reports.await
                yield* reports.close
                const to = yield* Ref.get(next)
                for (; done < to; done++) yield* progress({ done: done + 1, total: 10, text: `row ${done + 1}` })
                yield* Ref.set(next, 0)
              }
            })
          )
        )
      )
    })
  )

  it.live("costs a loop of 100,000 reports as many writes as it takes seconds, and two", () =>
    Effect.gen(function* () {
      const { layer, written } = yield* counting
      const total = 100_000
      const began = performance.now()
      yield* Effect.flatMap(Import, (imports) => Effect.flatMap(imports.start({}), imports.await)).pipe(
        Effect.tap((run) => Effect.sync(() => expect(run.progress).toEqual(progress(total, total)))),
        Effect.provide(
          layer(({ progress }) =>
            Effect.gen(function* () {
              for (let done = 1; done <= total; done++) yield* progress({ done, total })
            })
          )
        )
      )
      const millis = performance.now() - began
      const writes = (yield* written).length
      process.stdout.write(`${((1_000 * millis) / total).toFixed(2)} µs a report, ${writes} writes\n`)
      expect(writes).toBeLessThanOrEqual(2 + millis / 1_000)
    })
  )

  it.scoped("is recorded when its manager closes, and shown until the next attempt reports its own", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))
      const managed = (run: Work) => Layer.provideMerge(Import.layer({ run }), store)
      const reported = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const first = yield* Layer.build(
        managed(({ progress }) =>
          Effect.gen(function* () {
            for (const done of [1, 2, 3]) yield* progress({ done, total: 4 })
            yield* Deferred.succeed(reported, undefined)
            return yield* Effect.never
          })
        )
      ).pipe(Scope.extend(scope))
      const id = yield* Effect.flatMap(Import, (imports) => imports.start({})).pipe(Effect.provide(first))
      yield* Deferred.await(reported)
      yield* Scope.close(scope, Exit.void)

      const begun = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      yield* Effect.gen(function* () {
        const imports = yield* Import
        yield* Deferred.await(begun)
        expect(yield* recordOf(id)).toMatchObject({ status: "running", attempt: 2, progress: progress(3, 4) })
        yield* Deferred.succeed(go, undefined)
        expect((yield* imports.await(id)).progress).toEqual(progress(4, 4))
      }).pipe(
        Effect.provide(
          managed(({ progress }) =>
            Effect.gen(function* () {
              yield* Deferred.succeed(begun, undefined)
              yield* Deferred.await(go)
              yield* progress({ done: 4, total: 4 })
            })
          )
        )
      )
    })
  )

  it.live("is empty again with each retry, and stays with a run that fails", () =>
    Effect.gen(function* () {
      const retry = { times: 1, delay: () => 0 } satisfies JobKind.Retry
      const silent = yield* ended(
        ({ progress, tries }) =>
          Effect.zipRight(tries === 0 ? progress({ done: 1, total: 2 }) : Effect.void, Effect.fail("no")),
        { retry }
      )
      expect(silent).toMatchObject({ status: "failed", tries: 1 })
      expect(silent.progress).toBeUndefined()
      const failed = yield* ended(
        ({ progress, tries }) => Effect.zipRight(progress({ done: tries, total: 2 }), Effect.fail("no")),
        { retry }
      )
      expect(failed.progress).toEqual(progress(1, 2))
    })
  )

  it.live("counts as total if more is done than there is", () =>
    Effect.gen(function* () {
      const run = yield* ended(({ progress }) => progress({ done: 3, total: 2 }))
      expect(run.progress).toEqual(progress(2, 2))
    })
  )

  it.live.each([
    [Number.NaN, 1],
    [1, Number.NaN],
    [-1, 1],
    [0.5, 1],
    [0, Infinity]
  ] as const)("is a defect of the job if it is %d of %d", ([done, total]) =>
    Effect.gen(function* () {
      const run = yield* ended(({ progress }) => progress({ done, total }))
      const wrong = Number.isSafeInteger(done) && done >= 0 ? total : done
      const message = `progress: done and total are whole numbers from 0 on, and not ${wrong}`
      expect(run.status === "failed" && run.error).toMatchObject({ kind: "defect", error: { message } })
      expect(run.progress).toBeUndefined()
    })
  )
})
