import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { ProcessRunner } from "charlotte/tasks"
import { Duration, Effect, Layer } from "effect"
import { Failpoint, type Service } from "../../src/internal/Failpoint.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { id, newRun } from "../store/runs.js"

/** Failpoints that record their names, and what another connection to the database sees at that moment. */
const noting = (passed: Array<string>, look: Effect.Effect<string>): Service => {
  const note = (side: string, names: ReadonlyArray<string>) =>
    Effect.map(look, (seen) => void passed.push(...names.map((name) => `${side} ${name}, ${seen}`)))
  return {
    around: (names, effect) =>
      Effect.suspend(() =>
        Effect.zipRight(
          note("before", names()),
          Effect.tap(effect, () => note("after", names()))
        )
      )
  }
}

const jobsIn = (filename: string) =>
  Effect.flatMap(RunStore.RunStore, (store) => store.list()).pipe(
    Effect.map(({ length }) => `${length} jobs there`),
    Effect.provide(RunStore.layerUntouched.pipe(Layer.provide(Database.layerUntouched({ filename })))),
    Effect.orDie
  )

describe("failpoints", () => {
  it.scopedLive("surround a commit, before it is acknowledged", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      const passed: Array<string> = []
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* store.create(newRun(1))
        passed.push("acknowledged")
      }).pipe(
        Effect.provide(RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))),
        Effect.provideService(Failpoint, noting(passed, jobsIn(filename)))
      )
      expect(passed).toEqual([
        "before commit start a job, 0 jobs there",
        "after commit start a job, 1 jobs there",
        "acknowledged"
      ])
    })
  )

  it.scopedLive("surround the start of a child process, after it was recorded", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const passed: Array<string> = []
      yield* Effect.gen(function* () {
        const { childProcesses: attempts, create } = yield* RunStore.RunStore
        yield* create(newRun(1))
        const recorded = Effect.map(Effect.orDie(attempts.unclosed(id(1))), (open) =>
          open.map(({ pid }) => (pid === undefined ? "meant" : "running")).join()
        )
        const runner = yield* Effect.provideService(ProcessRunner.make(attempts), Failpoint, noting(passed, recorded))
        yield* runner.run({
          jobId: id(1),
          attempt: 1,
          purpose: "gate",
          command: ["true"],
          cwd: directory,
          output: `${directory}/log`,
          grace: () => Duration.zero
        })
      }).pipe(Effect.provide(RunStore.layerMemory))
      expect(passed).toEqual(["before spawn gate, meant", "after spawn gate, meant"])
    })
  )
})
