import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { Question } from "../../../src/domain/Question.js"
import { Parked, resumeSignal } from "../../../src/domain/Run.js"
import { TaskRecord, UnitRecord, Work } from "../../../src/domain/Work.js"
import { at, created, id, kind } from "../runs.js"

const question = (unit: string, seq: number, rest: Partial<Question> = {}) =>
  new Question({ unit, task: 1, seq, agent: "claude", question: `what of "${unit}"?`, askedAt: at(seq), ...rest })

const work = new Work({
  units: ["b", "a"].map((unit, position) => new UnitRecord({ unit, position, dependsOn: [], state: "running" })),
  tasks: ["b", "a"].map(
    (unit) =>
      new TaskRecord({ unit, task: 1, position: 0, title: unit, state: "running", failures: 0, calls: 0, notes: [] })
  )
})

const by = (n: number) => ({ jobId: id(n), attempt: 1 })

/** A job with two units, of which each asks. */
const asking = (n: number) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* created(n)
    yield* store.work.plan({ ...by(n), work })
    yield* store.questions.record({ ...by(n), questions: [question("a", 1, { session: "s" }), question("b", 1)] })
    return store
  })

const parked = (questions: number) => new Parked({ reason: "asks", signal: resumeSignal, questions })

export const questions = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("questions", () => {
    it.effect("are recorded once, by the current attempt only, and are open until they are answered", () =>
      Effect.gen(function* () {
        const { questions } = yield* asking(1)
        yield* created(2)
        yield* questions.record({ ...by(1), questions: [question("a", 1, { question: "another?" })] })
        const all = [question("a", 1, { session: "s" }), question("b", 1)]
        expect(yield* questions.of(id(1))).toEqual(all)
        expect(yield* questions.open([id(1), id(2)])).toEqual(new Map([[id(1), [all[1], all[0]]]]))
        const superseded = questions.record({ jobId: id(1), attempt: 2, questions: [question("a", 2)] })
        expect(yield* Effect.flip(superseded)).toMatchObject({ _tag: "Superseded" })

        const answered = yield* questions.answer({
          jobId: id(1),
          unit: "a",
          text: 'in "its" words\n',
          sender: { by: "ada" },
          at: at(9)
        })
        expect(answered).toEqual(
          question("a", 1, { session: "s", answer: 'in "its" words\n', by: "ada", answeredAt: at(9) })
        )
        expect(yield* questions.of(id(1))).toEqual([answered, all[1]])
        expect(yield* questions.open([id(1)])).toEqual(new Map([[id(1), [all[1]]]]))
      }).pipe(Effect.provide(layer))
    )

    it.effect("are answered once, with an event; an answer that is for none is refused", () =>
      Effect.gen(function* () {
        const store = yield* asking(1)
        const answer = (unit?: string) => store.questions.answer({ jobId: id(1), unit, text: "yes", at: at(9) })
        expect(yield* Effect.flip(answer())).toMatchObject({ _tag: "NoOpenQuestion", waiting: ["b", "a"] })
        expect(yield* Effect.flip(answer("c"))).toMatchObject({ _tag: "NoOpenQuestion", unit: "c" })
        yield* store.questions.answer({
          jobId: id(1),
          unit: "a",
          text: "yes",
          sender: { by: "ada", via: "page" },
          at: at(9)
        })
        expect(yield* Effect.flip(answer("a"))).toMatchObject({ _tag: "AlreadyAnswered", unit: "a" })
        yield* answer()
        expect(yield* Effect.flip(answer())).toMatchObject({ _tag: "AlreadyAnswered" })
        const page = Option.getOrThrow(yield* store.events({ kind, jobId: id(1), after: 0, limit: 10 }))
        expect(page.events.slice(1)).toMatchObject([
          { type: "unit.answered", unit: "a", payload: { task: 1, answer: "yes", by: "ada", via: "page" } },
          { type: "unit.answered", unit: "b" }
        ])
        yield* store.record({ type: "job.completed", ...by(1), at: at(10), result: null })
        expect(yield* Effect.flip(answer())).toMatchObject({ _tag: "JobEnded" })
        const unknown = store.questions.answer({ jobId: id(9), text: "yes", at: at(9) })
        expect(yield* Effect.flip(unknown)).toMatchObject({ _tag: "JobNotFound" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("are refused for a task that was not planned", () =>
      Effect.gen(function* () {
        const { questions } = yield* asking(1)
        const error = yield* Effect.flip(questions.record({ ...by(1), questions: [question("c", 1)] }))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "other" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("are no longer open once their unit is over", () =>
      Effect.gen(function* () {
        const store = yield* asking(1)
        const [b] = work.units
        yield* store.work.unit({
          ...by(1),
          unit: new UnitRecord({ ...b, unit: "b", position: 0, dependsOn: [], state: "blocked" })
        })
        expect((yield* store.questions.open([id(1)])).get(id(1))).toMatchObject([{ unit: "a" }])
        yield* store.questions.answer({ jobId: id(1), text: "yes", at: at(9) })
        expect((yield* store.questions.open([id(1)])).size).toBe(0)
      }).pipe(Effect.provide(layer))
    )

    it.effect("wake a run that has parked for an answer, or that parks after one of its questions was answered", () =>
      Effect.gen(function* () {
        const store = yield* asking(1)
        yield* asking(2)
        const park = (n: number) => store.record({ type: "job.parked", ...by(n), at: at(5), parked: parked(2) })
        yield* park(1)
        expect(Option.getOrThrow(yield* store.get(id(1)))).toMatchObject({ status: "parked", waitsFor: "signal" })
        for (const n of [1, 2]) yield* store.questions.answer({ jobId: id(n), unit: "a", text: "yes", at: at(9) })
        yield* park(2)
        for (const n of [1, 2])
          expect(Option.getOrThrow(yield* store.get(id(n)))).toMatchObject({ status: "parked", waitsFor: "permit" })
      }).pipe(Effect.provide(layer))
    )
  })
}
