/**
 * A job that emits as fast as it can, and very many clients that follow it.
 */
import { JobManager } from "charlotte"
import { Server } from "charlotte/http"
import { Deferred, Effect, Layer } from "effect"
import { number, report, text } from "../harness/Subject.js"
import { clients, found, isServer } from "./beside.js"
import { config, managerOf } from "./manager.js"
import { readers } from "./readers.js"

const socket = `${text("root")}/socket`
const events = number("events")

const served = Effect.gen(function* () {
  const begin = yield* Deferred.make<void>()
  const manager = managerOf(1, (job) =>
    Effect.gen(function* () {
      yield* Deferred.await(begin)
      for (let n = 0; n < events; n++)
        yield* job.emit({ type: "bench.tick", payload: { n, text: "as long as a line" } })
    })
  )
  const program = Effect.gen(function* () {
    const { start } = yield* JobManager.JobManager
    yield* start(config)
    const open = () => void Effect.runFork(Deferred.succeed(begin, undefined))
    report(yield* Effect.promise(() => clients(import.meta.url, open)))
  })
  yield* Effect.provide(program, Layer.provideMerge(Server.layer({ listen: { socket }, drain: 100 }), manager))
})

if (isServer) await Effect.runPromise(served)
else {
  const count = number("clients")
  const millis = await readers(socket, "/api/v1/events?after=latest", count, events)
  found({ perSecond: ((count * events) / millis) * 1_000 })
}
