import { describe, expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Deferred, Effect, Ref } from "effect"
import * as WakeUps from "../../src/cluster/wakeUps.js"

const id = (n: number) => JobId.make(`01ARZ3NDEKTSV4RRFFQ69G5FA${n}`)

describe("wakeUps", () => {
  it.scoped(
    "sends one for all runs that were placed on a node while another was being sent, and loses none of a kind",
    () =>
      Effect.gen(function* () {
        const sent = yield* Ref.make<ReadonlyArray<WakeUps.WakeUp>>([])
        const [begun, answered, sentAll] = [
          yield* Deferred.make<void>(),
          yield* Deferred.make<void>(),
          yield* Deferred.make<void>()
        ]
        const wake = yield* WakeUps.make((wakeUp) =>
          Effect.gen(function* () {
            yield* Deferred.succeed(begun, undefined)
            yield* Deferred.await(answered)
            const all = yield* Ref.updateAndGet(sent, (all) => [...all, wakeUp])
            if (all.length === 4) yield* Deferred.succeed(sentAll, undefined)
          })
        )

        yield* wake({ address: "a:1", id: id(1), created: "Running" })
        yield* Deferred.await(begun)
        for (const n of [2, 3, 4]) yield* wake({ address: "b:1", id: id(n), created: "Running" })
        yield* wake({ address: "b:1", id: id(5), created: "Pending" })
        yield* wake({ address: "c:1", id: id(6), created: "Running" })
        yield* Deferred.succeed(answered, undefined)
        yield* Deferred.await(sentAll)

        expect((yield* Ref.get(sent)).map(({ address, created }) => `${address} ${created}`)).toEqual([
          "a:1 Running",
          "b:1 Running",
          "b:1 Pending",
          "c:1 Running"
        ])
      })
  )
})
