import { expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Step, TestManager } from "charlotte/testing"
import { Context, Effect, Layer, Stream, TestClock } from "effect"
import { Order, Orders } from "../src/Orders.ts"
import { Report } from "../src/Report.ts"
import * as Reports from "../src/worker/Reports.ts"
import { database } from "./database.ts"

// The first day of the test's clock.
const day = "1970-01-01"

const receipt = JobId.JobId.make("01BX5ZZKBKACTAV9WEVGEMMVRZ")

/** The manager of reports, on a day with two orders. */
const reports = Effect.gen(function* () {
  const context = yield* Layer.build(Reports.layer.pipe(Layer.provideMerge(Orders.Default), Layer.provide(database)))
  for (const number of [1, 2]) {
    yield* Context.get(context, Orders).insert(
      new Order({ number, customer: "ada@example.com", cents: 1999, day, receipt })
    )
  }
  return Context.get(context, Report)
})

it.scoped("a report waits for days without a permit, and completes when it is approved", () =>
  Effect.gen(function* () {
    const manager = yield* reports
    const id = yield* manager.start({ day })
    yield* Stream.runHead(Stream.filter(manager.events(id), ({ type }) => type === "job.parked"))
    yield* TestClock.adjust("3 days")
    expect(yield* manager.activeCount).toBe(0)
    yield* manager.signal(id, "approve", { by: "grace" })
    expect(yield* manager.await(id)).toMatchObject({
      status: "completed",
      result: { orders: 2, cents: 3998, approvedBy: "grace" }
    })
  })
)

it.scoped("a report without an approval completes after seven days", () =>
  Effect.gen(function* () {
    const manager = yield* reports
    const id = yield* manager.start({ day })
    yield* Stream.runHead(Stream.filter(manager.events(id), ({ type }) => type === "job.parked"))
    yield* TestClock.adjust("7 days")
    expect(yield* manager.await(id)).toMatchObject({ status: "completed", result: { approvedBy: null } })
  })
)

it.effect("code that starts reports is tested with a script in their place", () =>
  Effect.gen(function* () {
    const producer = yield* Report.Producer
    const run = yield* Effect.flatMap(producer.start({ day }), producer.await)
    expect(run).toMatchObject({ status: "completed", result: { approvedBy: "ada" } })
  }).pipe(
    Effect.provide(
      TestManager.layerOf(Report, { script: () => [Step.succeed({ orders: 0, cents: 0, approvedBy: "ada" })] })
    )
  )
)
