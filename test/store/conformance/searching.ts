import { describe, expect, it } from "@effect/vitest"
import { RunStore, Work } from "charlotte"
import { Effect, FastCheck, type Layer, Option } from "effect"
import { at, created, error, id, kind } from "../runs.js"
import { task, unit } from "../work.js"

const found = (q: string, query: RunStore.RunQuery = {}) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(store.list({ ...query, q }), (runs) => runs.map(({ id }) => id))
  )

/** The words of a text, character by character, without what distinguishes upper from lower case and accents. */
const reference = (text: string): ReadonlyArray<string> => {
  const words = [""]
  for (const character of text.normalize("NFKD").toLowerCase()) {
    if (/\p{L}|\p{N}/u.test(character)) words.push((words.pop() ?? "") + (character === "ς" ? "σ" : character))
    else if (!/\p{M}/u.test(character)) words.push("")
  }
  return words.filter((word) => word !== "")
}

const contains = (text: string, q: string): boolean =>
  reference(q).every((word) => reference(text).some((other) => other.startsWith(word)))

export const searching = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("list with q", () => {
    it.effect("finds runs by all words, or what words begin with, newest first", () =>
      Effect.gen(function* () {
        yield* created(1, { config: { to: "ann@example.org", template: "welcome back" } })
        yield* created(2, { config: { to: "bob@example.org", template: "welcome" } })
        yield* created(3, { config: { nested: [{ deep: ["Ann's welcome"] }], number: 4711 } })
        expect(yield* found("welcome")).toEqual([id(3), id(2), id(1)])
        expect(yield* found("ann wel")).toEqual([id(3), id(1)])
        expect(yield* found("example back")).toEqual([id(1)])
        expect(yield* found("47")).toEqual([id(3)])
        expect(yield* found("elcome")).toEqual([])
        expect(yield* found("ann bob")).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("searches labels, config, error and titles of tasks together, from when they are recorded", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { config: { to: "ann" }, labels: { team: "web", région: "nord" } })
        yield* created(2, { config: { to: "ann" } })
        expect(yield* found("ann team web region")).toEqual([id(1)])
        expect(yield* found("ann parser")).toEqual([])
        const work = new Work.Work({ units: [unit("a", 0)], tasks: [task("a", 1, 0, { title: "Write the parser" })] })
        yield* store.work.plan({ jobId: id(1), attempt: 1, work })
        expect(yield* found("ann parser web")).toEqual([id(1)])
        yield* store.record({
          type: "job.failed",
          jobId: id(1),
          attempt: 1,
          at: at(9),
          error: { ...error, error: { _tag: "GateFailed", code: 7 }, cause: "Error: exit code 7" }
        })
        expect(yield* found("ann parser web gatefailed exit")).toEqual([id(1)])
        expect(yield* found("ann")).toEqual([id(2), id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("no longer finds a run by words of a title that has changed", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        const titled = (title: string) => task("a", 1, 0, { title })
        const work = new Work.Work({ units: [unit("a", 0)], tasks: [titled("Write the parser")] })
        yield* store.work.plan({ jobId: id(1), attempt: 1, work })
        expect(yield* found("write parser")).toEqual([id(1)])
        yield* store.work.task({ jobId: id(1), attempt: 1, task: titled("Write the printer") })
        expect(yield* found("write printer")).toEqual([id(1)])
        expect(yield* found("parser")).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("ignores keys of the config, the result and events", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { config: { template: "welcome", urgent: true } })
        yield* store.append({ jobId: id(1), attempt: 1, events: [{ at: at(2), type: "x", payload: '"emitted"' }] })
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9), result: "answer" })
        for (const q of ["template", "true", "emitted", "answer"]) expect(yield* found(q)).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("searches what is public of a run with secrets", () =>
      Effect.gen(function* () {
        const searched = JSON.stringify({ labels: { team: "web" }, config: { token: "[redacted]" } })
        yield* created(1, { config: { token: "hunter2secret" }, labels: { team: "web" }, searched })
        expect(yield* found("hunter2")).toEqual([])
        expect(yield* found("redacted team")).toEqual([id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("combines with kind, status, labels, before and limit", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        for (let n = 1; n <= 12; n++) {
          yield* created(n, {
            kind: n % 2 === 0 ? kind : "other",
            config: { text: n % 3 === 0 ? "common rare" : "common" },
            labels: { team: n % 4 === 0 ? "web" : "core" }
          })
          if (n > 6) yield* store.record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(99) })
        }
        expect(yield* found("common", { kind: "other" })).toEqual([11, 9, 7, 5, 3, 1].map(id))
        expect(yield* found("rare", { status: "running" })).toEqual([6, 3].map(id))
        expect(yield* found("common", { labels: { team: "web" }, status: "completed" })).toEqual([12, 8].map(id))
        expect(yield* found("comm", { before: id(5), limit: 2 })).toEqual([4, 3].map(id))
        const page = yield* store.page({ q: "rare", limit: 2 })
        expect(page.runs.map(({ id }) => id)).toEqual([12, 9].map(id))
        expect(page.next).toEqual(Option.some(id(9)))
        expect((yield* store.page({ q: "rare", before: id(4), limit: 1 })).next).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )

    it.effect("knows neither case nor diacritics, and every script", () =>
      Effect.gen(function* () {
        yield* created(1, { config: "Überprüfung Ελλάδος ﬁnal Ⅳ" })
        yield* created(2, { config: "задача 任务失败 naïve İstanbul" })
        for (const q of ["uberpruf", "ÜBER", "ΕΛΛΑΔΟΣ", "Ελλάδο", "final", "iv"])
          expect(yield* found(q)).toEqual([id(1)])
        for (const q of ["ЗАДАЧ", "任务", "naive", "istan"]) expect(yield* found(q)).toEqual([id(2)])
        // A script without spaces is not segmented.
        expect(yield* found("失败")).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("takes a text without words as no restriction", () =>
      Effect.gen(function* () {
        yield* created(1)
        for (const q of ["", " ", "***", '"', "-()"]) expect(yield* found(q)).toEqual([id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("refuses a text of more than 200 characters", () =>
      Effect.gen(function* () {
        yield* created(1, { config: "x".repeat(300) })
        expect(yield* found("x".repeat(200))).toEqual([id(1)])
        const failure = yield* Effect.flip(found("x".repeat(201)))
        expect(failure).toMatchObject({ _tag: "StoreError", reason: "invalid" })
        expect(failure.message).toContain("q must be at most 200 characters, not 201")
      }).pipe(Effect.provide(layer))
    )

    it.effect("finds for any text what has its words, whatever they mean elsewhere", () =>
      Effect.gen(function* () {
        const texts = [
          'AND OR NOT NEAR(a b, 2) "quoted" col:value words:x',
          "a* b^ {c} - + d;'--",
          "ÀÉÎ ÿ ß ς σ Σ",
          "\u0000nul\u0000 \ud83e\udd77 \ud800 0001 0000x",
          "a-b_c.d/e@f",
          "nearly ando notable"
        ]
        for (const [n, text] of texts.entries()) yield* created(n, { config: text })
        const piece = FastCheck.oneof(
          FastCheck.constantFrom(
            ...[
              '"',
              "*",
              "NEAR",
              "-",
              "col:",
              "words:",
              "AND",
              "OR",
              "NOT",
              "(",
              ")",
              "^",
              "{",
              "}",
              "'",
              ";",
              "+",
              " "
            ],
            ...["a", "b", "n", "Σ", "ss", "0000", "charlotte_search", "\u0000", "\ud800", "é", "e\u0301"]
          ),
          FastCheck.fullUnicodeString({ maxLength: 3 })
        )
        const queries = FastCheck.sample(FastCheck.array(piece, { maxLength: 8 }), { numRuns: 300, seed: 7 })
        for (const q of queries.map((pieces) => pieces.join("").slice(0, 200))) {
          const expected = texts.flatMap((text, n) => (contains(text, q) ? [id(n)] : [])).toReversed()
          expect({ q, found: yield* found(q) }).toEqual({ q, found: expected })
        }
      }).pipe(Effect.provide(layer))
    )
  })
}
