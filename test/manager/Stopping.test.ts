/** A job that tells a stop from the end of its manager, and a job that cancels itself. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { Context, Deferred, Effect, Exit, Layer, Ref, Schema, Scope } from "effect"

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

type Options = JobKind.LayerOptions<typeof Order, Scope.Scope, never>
type Work = Options["run"]

/** A manager of orders on a store in memory. */
const managed = (run: Work, options: Partial<Options> = {}) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* Layer.buildWithScope(
      Order.layer({ run, ...options }).pipe(Layer.provideMerge(RunStore.layerMemory)),
      scope
    )
    return {
      orders: Context.get(services, Order),
      store: Context.get(services, RunStore.RunStore),
      close: Scope.close(scope, Exit.void)
    }
  })

describe("stopping", () => {
  /** Works until it is interrupted, and notes in each finalizer whether it is being stopped. */
  const noting = Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    const seen = yield* Ref.make<ReadonlyArray<boolean>>([])
    const run: Work = ({ stopping }) => {
      const note = Effect.flatMap(stopping, (value) => Ref.update(seen, (all) => [...all, value]))
      return Effect.addFinalizer(() => note).pipe(
        Effect.zipRight(note),
        Effect.zipRight(Deferred.succeed(begun, undefined)),
        Effect.zipRight(Effect.never),
        Effect.onInterrupt(() => note)
      )
    }
    return { begun: Deferred.await(begun), run, seen: Ref.get(seen) }
  })

  it.effect("is true once a stop has begun, also in finalizers", () =>
    Effect.gen(function* () {
      const { begun, run, seen } = yield* noting
      const { close, orders } = yield* managed(run)
      const id = yield* orders.start({})
      yield* begun
      yield* orders.stop(id)
      expect(yield* seen).toEqual([false, true, true])
      yield* close
    })
  )

  it.effect("stays false if the manager closes", () =>
    Effect.gen(function* () {
      const { begun, run, seen } = yield* noting
      const { close, orders } = yield* managed(run)
      yield* orders.start({})
      yield* begun
      yield* close
      expect(yield* seen).toEqual([false, false, false])
    })
  )
})

describe("cancel", () => {
  it.effect("ends the job as cancelled, once its finalizers have run, and is not retried", () =>
    Effect.gen(function* () {
      const released = yield* Ref.make(false)
      const run: Work = ({ cancel }) =>
        Effect.zipRight(
          Effect.addFinalizer(() => Ref.set(released, true)),
          Effect.onInterrupt(cancel, () => Effect.void)
        )
      const { close, orders, store } = yield* managed(run, { retry: { times: 3 } })
      const id = yield* orders.start({})
      expect(yield* orders.await(id)).toMatchObject({ status: "cancelled", attempt: 1 })
      expect(yield* Ref.get(released)).toBe(true)
      expect((yield* store.lifecycle(id)).map(({ type }) => type)).toEqual(["job.started", "job.cancelled"])
      yield* close
    })
  )
})
