/** `TestManager.layerOf`: the manager of a kind, whose jobs do what a test says, on `TestClock`. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, Runs } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Effect, Layer, Schema, TestClock } from "effect"

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String }),
  success: Schema.Struct({ messageId: Schema.String }),
  events: { "email.sent": Schema.Struct({ at: Schema.NumberFromString }) }
}) {}

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ title: Schema.String }) }) {}

describe("TestManager.layerOf", () => {
  it.effect("runs the script of each job on the test's clock, and decodes its record", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const id = yield* emails.start({ to: "ada@example.com" })
      yield* TestClock.adjust("30 days")
      const run = yield* emails.await(id)
      expect(run.status === "completed" && run.result.messageId).toBe("for ada@example.com")
    }).pipe(
      Effect.provide(
        TestManager.layerOf(Email, {
          script: ({ config: { to } }) => [
            Step.wait("30 days"),
            Step.emit({ type: "email.sent", payload: { at: 1 } }),
            (job) => job.emit({ type: "email.sent", payload: { at: job.config.to.length } }),
            Step.succeed({ messageId: `for ${to}` })
          ]
        })
      )
    )
  )

  it.effect("shares commands and history among kinds that are tested together", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const reports = yield* Report
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const email = yield* emails.start({ to: "ada@example.com" })
      const report = yield* reports.start({ title: "May" })
      yield* began(email)
      yield* began(report)
      yield* send(report, Step.succeed("done"))
      yield* send(email, Step.emit({ type: "email.sent", payload: { at: 2 } }), Step.succeed({ messageId: "m2" }))
      expect(yield* emails.await(email)).toMatchObject({ result: { messageId: "m2" } })
      expect(yield* reports.await(report)).toMatchObject({ result: "done" })
      const runs = yield* Effect.flatMap(Runs.Runs, (runs) => runs.list())
      expect(new Set(runs.map(({ kind }) => kind))).toEqual(new Set(["email", "report"]))
    }).pipe(Effect.provide(Layer.merge(TestManager.layerOf(Email), TestManager.layerOf(Report, { maxJobs: 1 }))))
  )

  it.effect("fails a job whose script ends with what its kind cannot encode", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      const run = yield* emails.await(yield* emails.start({ to: "ada@example.com" }))
      expect(run).toMatchObject({ status: "failed", error: { kind: "defect", error: { field: "result.messageId" } } })
    }).pipe(Effect.provide(TestManager.layerOf(Email, { script: () => [Step.succeed({})] })))
  )
})
