import { expect, it } from "@effect/vitest"
import { Context, Effect, Layer, Stream, TestClock } from "effect"
import { TestManager, Step } from "charlotte/testing"
import { Mailer } from "../src/Mailer.ts"
import { Orders } from "../src/Orders.ts"
import { Receipt } from "../src/Receipt.ts"
import { Report } from "../src/Report.ts"
import * as Shop from "../src/Shop.ts"

const silent = Layer.succeed(Mailer, { send: () => Effect.void })

/** The shop, with an order of 2,000 cents on the first day of the test's clock. */
const shop = Effect.gen(function* () {
  const context = yield* Layer.build(Layer.provide(Shop.layerWithoutMailer(":memory:"), silent))
  const { receipt } = yield* Context.get(context, Orders).place({ customer: "ada@example.com", cents: 2000 })
  yield* Context.get(context, Receipt).await(receipt)
  return Context.get(context, Report)
})

const day = "1970-01-01"

it.scoped("a report waits for days without a permit, and goes on when it is approved", () =>
  Effect.gen(function* () {
    const reports = yield* shop
    const id = yield* reports.start({ day })
    yield* Stream.runHead(Stream.filter(reports.events(id), ({ type }) => type === "job.parked"))
    yield* TestClock.adjust("3 days")
    expect(yield* reports.activeCount).toBe(0)
    yield* reports.signal(id, "approve", { by: "grace" })
    expect(yield* reports.await(id)).toMatchObject({
      status: "completed",
      result: { orders: 1, cents: 2000, approvedBy: "grace" }
    })
  })
)

it.scoped("a report without an approval ends after seven days", () =>
  Effect.gen(function* () {
    const reports = yield* shop
    const id = yield* reports.start({ day })
    yield* Stream.runHead(Stream.filter(reports.events(id), ({ type }) => type === "job.parked"))
    yield* TestClock.adjust("7 days")
    expect(yield* reports.await(id)).toMatchObject({ status: "completed", result: { approvedBy: null } })
  })
)

it.effect("code that uses reports is tested with a script in their place", () =>
  Effect.gen(function* () {
    const reports = yield* Report
    const run = yield* Effect.flatMap(reports.start({ day }), reports.await)
    expect(run).toMatchObject({ status: "completed", result: { approvedBy: "ada" } })
  }).pipe(
    Effect.provide(
      TestManager.layerOf(Report, { script: () => [Step.succeed({ orders: 0, cents: 0, approvedBy: "ada" })] })
    )
  )
)
