import { expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Chunk, Effect, Layer, Ref, Stream, TestClock } from "effect"
import { Mailer, type Message } from "../src/Mailer.ts"
import { NotDelivered, Receipt } from "../src/Receipt.ts"
import * as ReceiptLive from "../src/ReceiptLive.ts"

/** Receipts with a mailer that fails `failures` times, and the messages that it has sent. */
const receipts = (failures: number) =>
  Effect.gen(function* () {
    const calls = yield* Ref.make(0)
    const sent = yield* Ref.make<ReadonlyArray<Message>>([])
    const mailer = Layer.succeed(Mailer, {
      send: (message) =>
        Effect.flatMap(
          Ref.updateAndGet(calls, (n) => n + 1),
          (n) =>
            n > failures
              ? Ref.update(sent, (all) => [...all, message])
              : new NotDelivered({ to: message.to, reason: "the provider is busy" })
        )
    })
    const context = yield* Layer.build(Layer.provide(ReceiptLive.layer, [mailer, RunStore.layerMemory]))
    return { receipts: yield* Effect.provide(Receipt, context), sent: Ref.get(sent) }
  })

it.scoped("a receipt is sent again after 1 and 2 seconds while the provider is busy", () =>
  Effect.gen(function* () {
    const { receipts: manager, sent } = yield* receipts(2)
    const id = yield* manager.start({ order: 7, to: "ada@example.com" })
    yield* TestClock.adjust("2999 millis")
    expect(yield* sent).toEqual([])
    yield* TestClock.adjust("1 millis")
    const run = yield* manager.await(id)
    expect(run).toMatchObject({ status: "completed", result: { messageId: id } })
    expect(yield* sent).toEqual([{ id, to: "ada@example.com", text: "thank you for order 7" }])
    const events = yield* Stream.runCollect(manager.events(id))
    expect(Chunk.toReadonlyArray(events).map(({ type }) => type)).toEqual([
      "job.started",
      "receipt.sent",
      "job.completed"
    ])
  })
)

it.scoped("a receipt that cannot be sent after five retries has failed, and says why", () =>
  Effect.gen(function* () {
    const { receipts: manager } = yield* receipts(Infinity)
    const id = yield* manager.start({ order: 7, to: "ada@example.com" })
    yield* TestClock.adjust("31 seconds")
    const run = yield* manager.await(id)
    expect(run).toMatchObject({
      status: "failed",
      error: { kind: "failure", error: { reason: "the provider is busy" } }
    })
  })
)
