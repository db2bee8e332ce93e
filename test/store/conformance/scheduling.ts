import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { at, created, id, kind, newRun, record } from "../runs.js"

const definition = JSON.stringify({ cron: "0 2 * * *", timeZone: "UTC", missed: "once", overlap: "skip" })

const nightly = { kind, name: "nightly", definition }

const registered = (millis: number, with_: { readonly name?: string; readonly definition?: string } = {}) =>
  Effect.flatMap(RunStore.RunStore, ({ schedules }) => schedules.register({ ...nightly, ...with_, at: at(millis) }))

/** Records the tick at so many milliseconds with the n-th run, or with the reason why it has none. */
const tick = (
  millis: number,
  run: number | string | RunStore.NewRun,
  with_: { readonly skipsOverlap?: boolean; readonly definition?: string } = {}
) =>
  Effect.flatMap(RunStore.RunStore, ({ schedules }) =>
    schedules.tick({
      ...nightly,
      skipsOverlap: true,
      ...with_,
      tick: at(millis),
      run: typeof run === "number" ? newRun(run) : run
    })
  )

const started = (n: number) => ({ _tag: "Started", id: id(n) })
const refused = (why: string) => ({ _tag: "Refused", why })

const ends = (n: number) =>
  Effect.flatMap(RunStore.RunStore, ({ producers }) =>
    producers.requestStop({ kind, jobId: id(n), grace: undefined, at: at(n) })
  )

const row = Effect.flatMap(RunStore.RunStore, ({ schedules }) => Effect.map(schedules.list, ([first]) => first))

export const scheduling = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("schedules", () => {
    it.effect("are recorded from their registration on, and from a change of their definition on", () =>
      Effect.gen(function* () {
        const { schedules } = yield* RunStore.RunStore
        expect(yield* schedules.list).toEqual([])
        expect(yield* registered(10)).toEqual(at(10))
        expect(yield* registered(20)).toEqual(at(10))
        yield* registered(5, { name: "another" })
        expect(yield* schedules.list).toMatchObject([
          { kind, name: "another" },
          {
            kind,
            name: "nightly",
            cron: "0 2 * * *",
            timeZone: "UTC",
            missed: "once",
            since: at(10),
            skipped: 0,
            isLive: false
          }
        ])
        expect(yield* registered(30, { definition: "{}" })).toEqual(at(30))
        expect(yield* registered(25)).toEqual(at(30))
        yield* tick(40, 1)
        expect(yield* registered(35, { definition: "{}" })).toEqual(at(40))
        yield* schedules.remove(nightly)
        expect(yield* Effect.flip(schedules.remove(nightly))).toMatchObject({
          _tag: "ScheduleNotFound",
          schedule: "nightly"
        })
        expect(yield* schedules.list).toMatchObject([{ name: "another" }])
      }).pipe(Effect.provide(layer))
    )

    it.effect("record each tick once with its run, which is pending, and never an earlier one", () =>
      Effect.gen(function* () {
        yield* registered(10)
        expect(yield* tick(10, 1)).toEqual(refused("taken"))
        expect(yield* tick(20, 1)).toEqual(started(1))
        expect(yield* record(id(1))).toMatchObject({ status: "pending" })
        yield* ends(1)
        expect(yield* tick(20, 2)).toEqual(refused("taken"))
        expect(yield* tick(15, 2)).toEqual(refused("taken"))
        expect(yield* tick(30, 2, { definition: "{}" })).toEqual(refused("changed"))
        expect(yield* tick(30, 2)).toEqual(started(2))
        const store = yield* RunStore.RunStore
        expect((yield* store.list()).map(({ id }) => id)).toEqual([id(2), id(1)])
        expect(yield* row).toMatchObject({ lastTick: at(30), lastRun: id(2), skipped: 0 })
        expect(
          yield* store.schedules.tick({ ...nightly, name: "none", tick: at(40), run: newRun(3), skipsOverlap: true })
        ).toEqual(refused("changed"))
      }).pipe(Effect.provide(layer))
    )

    it.effect("are apart from others of their kind, and from one of the same name of another kind", () =>
      Effect.gen(function* () {
        const { schedules } = yield* RunStore.RunStore
        const others = [
          { ...nightly, kind: "other" },
          { ...nightly, name: "hourly" }
        ]
        for (const one of [nightly, ...others]) yield* schedules.register({ ...one, at: at(10) })
        const times = Effect.map(schedules.list, (all) =>
          all.map(({ kind, lastTick, name, pausedAt }) => [kind, name, lastTick, pausedAt])
        )
        expect(yield* tick(20, 1)).toEqual(started(1))
        yield* schedules.pause({ ...nightly, at: at(25) })
        const untouched = [
          ["other", "nightly", undefined, undefined],
          [kind, "hourly", undefined, undefined]
        ]
        expect(yield* times).toEqual([...untouched, [kind, "nightly", at(20), at(25)]])
        for (const one of others) yield* schedules.pause({ ...one, at: at(26) })
        yield* schedules.unpause({ ...nightly, at: at(30) })
        expect(yield* times).toEqual([
          ["other", "nightly", undefined, at(26)],
          [kind, "hourly", undefined, at(26)],
          [kind, "nightly", at(20), undefined]
        ])
        yield* schedules.remove(nightly)
        expect(yield* schedules.list).toMatchObject([{ kind: "other" }, { name: "hourly" }])
      }).pipe(Effect.provide(layer))
    )

    it.effect("record one run of a tick that many record at the same time", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* registered(10)
        const all = yield* Effect.all(
          [1, 2, 3, 4, 5].map((n) => tick(20, n)),
          { concurrency: "unbounded" }
        )
        expect(all.filter(({ _tag }) => _tag === "Started")).toHaveLength(1)
        expect(yield* store.list()).toHaveLength(1)
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "keep the reason of a skipped tick: a last run that is not over, a full queue, a taken key, or a given one",
      () =>
        Effect.gen(function* () {
          yield* registered(10)
          yield* created(1, { startKey: "a" })
          expect(yield* tick(20, newRun(2, { startKey: "a" }))).toMatchObject({ _tag: "Skipped" })
          expect(yield* row).toMatchObject({ lastTick: at(20), skipped: 1, lastSkipped: { tick: at(20) } })
          expect((yield* row)?.lastSkipped?.reason).toContain(`job ${id(1)} already works on a`)
          expect(yield* tick(30, newRun(3, { maxQueued: 0 }))).toMatchObject({ _tag: "Skipped" })
          expect(yield* tick(40, 4)).toEqual(started(4))
          expect(yield* tick(50, 5)).toEqual({ _tag: "Skipped", reason: `its last job ${id(4)} is pending` })
          expect(yield* tick(60, 6, { skipsOverlap: false })).toEqual(started(6))
          expect(yield* tick(70, "it was missed")).toEqual({ _tag: "Skipped", reason: "it was missed" })
          expect(yield* row).toMatchObject({
            lastTick: at(70),
            lastRun: id(6),
            skipped: 4,
            lastSkipped: { tick: at(70), reason: "it was missed" }
          })
          const store = yield* RunStore.RunStore
          expect(yield* store.list()).toHaveLength(3)
        }).pipe(Effect.provide(layer))
    )

    it.effect("record no tick while they are paused, and none of that time afterwards", () =>
      Effect.gen(function* () {
        const { schedules } = yield* RunStore.RunStore
        yield* registered(10)
        yield* schedules.pause({ ...nightly, at: at(15), by: "ann" })
        yield* schedules.pause({ ...nightly, at: at(16), by: "bob" })
        expect(yield* row).toMatchObject({ pausedAt: at(15), pausedBy: "ann" })
        expect(yield* tick(20, 1)).toEqual(refused("paused"))
        yield* schedules.unpause({ ...nightly, at: at(25) })
        yield* schedules.unpause({ ...nightly, at: at(35) })
        expect(yield* row).toMatchObject({ since: at(25) })
        expect((yield* row)?.pausedAt).toBeUndefined()
        expect(yield* tick(20, 1)).toEqual(refused("taken"))
        expect(yield* tick(30, 1)).toEqual(started(1))
        const none = { kind, name: "none" }
        const error = { _tag: "ScheduleNotFound", kind, schedule: "none" }
        expect(yield* Effect.flip(schedules.pause({ ...none, at: at(1) }))).toMatchObject(error)
        expect(yield* Effect.flip(schedules.unpause({ ...none, at: at(1) }))).toMatchObject(error)
      }).pipe(Effect.provide(layer))
    )

    it.effect("go back where a clock was ahead, with the time until which they had ticks, and only from there", () =>
      Effect.gen(function* () {
        const { schedules } = yield* RunStore.RunStore
        const goesBack = (from: number, to: number, with_: { readonly definition?: string } = {}) =>
          schedules.reset({ ...nightly, ...with_, from: at(from), to: at(to) })
        yield* registered(50)
        expect(yield* goesBack(50, 10)).toEqual(at(10))
        expect(yield* row).toMatchObject({ since: at(10), lastReset: { at: at(10), from: at(50) } })
        expect((yield* row)?.lastTick).toBeUndefined()
        yield* tick(90, 1)
        yield* ends(1)
        expect(yield* goesBack(80, 20)).toEqual(at(90))
        expect(yield* goesBack(90, 20, { definition: "{}" })).toEqual(at(90))
        expect(yield* goesBack(90, 20)).toEqual(at(20))
        expect(yield* row).toMatchObject({ lastTick: at(20), since: at(10), lastReset: { at: at(20), from: at(90) } })
        expect(yield* tick(20, 2)).toEqual(refused("taken"))
        expect(yield* tick(30, 2)).toEqual(started(2))
        expect(yield* schedules.reset({ ...nightly, name: "none", from: at(1), to: at(0) })).toEqual(at(0))
      }).pipe(Effect.provide(layer))
    )

    it.scoped("are live while a process serves them", () =>
      Effect.gen(function* () {
        const { schedules } = yield* RunStore.RunStore
        yield* registered(10)
        expect(yield* schedules.served(nightly)).toEqual(Option.none())
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* schedules.serve(nightly, () => Effect.succeed(id(1)))
            const start = yield* Effect.flatten(schedules.served(nightly))
            expect(yield* start(undefined)).toBe(id(1))
            expect(yield* row).toMatchObject({ isLive: true })
          })
        )
        expect(yield* row).toMatchObject({ isLive: false })
      }).pipe(Effect.provide(layer))
    )
  })
}
