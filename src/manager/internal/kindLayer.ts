/**
 * The layer of a kind of job: its manager, and a producer on the same store, so that what starts jobs is the same in one process or two.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { RunStore } from "../../store/RunStore.js"
import type { Any, Producer, ProducerTag, Requirements } from "../KindDefinition.js"
import * as kindProducer from "./kindProducer.js"

export const make = <Self, K extends Any, Service, E, R>(
  tag: Context.Tag<Self, Service>,
  producerTag: ProducerTag<Self, K>,
  definition: K,
  manager: Effect.Effect<Service, E, R>
): Layer.Layer<Self | Producer<Self>, E | StoreError, Exclude<R | Requirements<K>, Scope.Scope> | RunStore> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const service = yield* manager
      const producer = yield* kindProducer.make(definition)
      return Context.make(tag, service).pipe(Context.add(producerTag, producer))
    })
  )
