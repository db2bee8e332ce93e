/** Producers and a manager on one PostgreSQL database, each with connections of its own. */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, RunStore } from "charlotte"
import { Deferred, Effect, Either, Layer, Option, Schema } from "effect"
import * as TestDatabase from "./database.js"

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String, waits: Schema.optionalWith(Schema.Boolean, { default: () => false }) }),
  success: Schema.String,
  signals: { approve: Schema.Void },
  key: ({ to }) => to,
  maxQueued: 3
}) {}

const storeOn = (url: string) => Layer.fresh(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url }))))

const producerOn = (url: string) => Layer.provide(Email.producer, storeOn(url))

const worker = (url: string, began: Deferred.Deferred<void>) =>
  Email.layer({
    run: ({ config: { to, waits }, park, signal }) =>
      Effect.gen(function* () {
        yield* Deferred.succeed(began, undefined)
        if (to === "nobody") return yield* Effect.never
        if (waits && Option.isNone(yield* signal("approve"))) return yield* park({ reason: "waits", signal: "approve" })
        return to
      })
  }).pipe(Layer.provide(storeOn(url)), Layer.discard)

describe("producers on PostgreSQL", () => {
  it.scopedLive("start, signal, replace and stop jobs of a manager on other connections", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const began = yield* Deferred.make<void>()
      yield* Effect.gen(function* () {
        const emails = yield* Email.Producer
        expect(yield* emails.await(yield* emails.start({ to: "ada" }))).toMatchObject({ result: "ada" })
        const waiting = yield* emails.start({ to: "bea", waits: true })
        yield* emails.signal(waiting, "approve")
        expect(yield* emails.await(waiting)).toMatchObject({ result: "bea" })
        const first = yield* emails.start({ to: "nobody" })
        yield* Deferred.await(began)
        const second = yield* emails.start({ to: "nobody" }, { whenKeyTaken: "replace" })
        expect(yield* emails.await(first)).toMatchObject({ status: "cancelled" })
        yield* emails.stop(second)
        expect(yield* emails.await(second)).toMatchObject({ status: "cancelled" })
      }).pipe(Effect.provide(Layer.merge(producerOn(url), worker(url, began))))
    })
  )

  it.scopedLive(
    "record no more runs than may be pending while there is no manager, and leave these to the next one",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const ids = yield* Effect.gen(function* () {
          const emails = yield* Email.Producer
          const started = yield* emails.startMany(["ada", "bea", "cleo", "dora"].map((to) => ({ to })))
          expect(started.map(Either.isRight)).toEqual([true, true, true, false])
          const [first] = started
          if (first !== undefined && Either.isRight(first)) yield* emails.stop(first.right)
          return Either.all(started.slice(0, 3))
        }).pipe(Effect.provide(producerOn(url)))
        const began = yield* Deferred.make<void>()
        yield* Effect.gen(function* () {
          const emails = yield* Email.Producer
          const ends = yield* Effect.forEach(Either.getOrThrow(ids), emails.await)
          expect(ends.map(({ status }) => status)).toEqual(["cancelled", "completed", "completed"])
        }).pipe(Effect.provide(Layer.merge(producerOn(url), worker(url, began))))
      })
  )
})
