import { expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Context, Effect, Layer, Ref, Stream, TestClock } from "effect"
import { AddressRefused, ProviderDown, Receipt } from "../src/Receipt.ts"
import { Mailer, type Message } from "../src/worker/Mailer.ts"
import * as Receipts from "../src/worker/Receipts.ts"

/** The manager of receipts, with a mailer that fails so before it sends, and the messages that it has sent. */
const receipts = (failures: ReadonlyArray<ProviderDown | AddressRefused>) =>
  Effect.gen(function* () {
    const left = yield* Ref.make(failures)
    const sent = yield* Ref.make<ReadonlyArray<Message>>([])
    const mailer = Layer.succeed(Mailer, {
      send: (message) =>
        Effect.flatMap(
          Ref.modify(left, ([next, ...rest]) => [next, rest]),
          (failure): Effect.Effect<void, ProviderDown | AddressRefused> =>
            failure ?? Ref.update(sent, (all) => [...all, message])
        )
    })
    const context = yield* Layer.build(Layer.provide(Receipts.layer, [mailer, RunStore.layerMemory]))
    return { receipts: Context.get(context, Receipt), sent: Ref.get(sent) }
  })

const order = { order: 7, to: "ada@example.com", cents: 1999 }

it.scoped("a receipt is sent by a later attempt while the provider is down", () =>
  Effect.gen(function* () {
    const { receipts: manager, sent } = yield* receipts([new ProviderDown(), new ProviderDown()])
    const id = yield* manager.start(order)
    const parks = Stream.filter(manager.events(id), ({ type }) => type === "job.parked")
    yield* Stream.runHead(parks)
    yield* TestClock.adjust("2 seconds")
    yield* Stream.runHead(Stream.drop(parks, 1))
    expect(yield* sent).toEqual([])
    yield* TestClock.adjust("3 seconds")
    expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 3, result: { messageId: id } })
    expect(yield* sent).toEqual([{ id, to: order.to, text: "Thank you for order 7 over 19.99 euros." }])
  })
)

it.scoped("a receipt to an address that is refused fails at once, and says why", () =>
  Effect.gen(function* () {
    const { receipts: manager } = yield* receipts([new AddressRefused({ to: order.to })])
    const run = yield* manager.await(yield* manager.start(order))
    expect(run).toMatchObject({ status: "failed", attempt: 1, error: { error: { _tag: "AddressRefused" } } })
  })
)
