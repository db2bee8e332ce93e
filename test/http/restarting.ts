import { JobManager } from "charlotte"
import * as Http from "charlotte/http"
import { ScriptedOrchestrator, TestManager } from "charlotte/testing"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as requests from "./requests.js"

/** A manager that stays, and a server over it that comes and goes on one socket. */
export const make = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const socket = `${directory}/socket`
  const services = yield* Layer.build(TestManager.layer())
  const serve = Http.Server.layer({ listen: { socket }, drain: 50 }).pipe(Layer.provide(Layer.succeedContext(services)))
  const start = Effect.tap(Scope.make(), (scope) => Layer.buildWithScope(serve, scope))
  let scope = yield* start
  const end = Effect.suspend(() => Scope.close(scope, Exit.void))
  yield* Effect.addFinalizer(() => end)

  /** Returns when so many streams are open. */
  const streams = (count: number) =>
    Effect.repeat(requests.send({ socketPath: socket }, { path: "/metrics" }), {
      until: ({ text }) => text.includes(`charlotte_streams ${count}\n`)
    })

  return {
    socket,
    streams,
    end,
    restart: Effect.zipRight(
      end,
      Effect.map(start, (next) => {
        scope = next
      })
    ),
    manager: Context.get(services, JobManager.JobManager),
    script: Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator)
  }
})
