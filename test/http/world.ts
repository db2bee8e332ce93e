/**
 * A server on a real socket and on a real port, over a manager whose jobs do what a test says.
 */
import type { JobManager, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { ScriptedOrchestrator, TestManager } from "charlotte/testing"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as requests from "./requests.js"

export const token = Redacted.make("a-token-of-more-than-thirty-two-characters")
export const authorization = `Bearer ${Redacted.value(token)}`

type Manager = JobManager.JobManager | RunStore.RunStore

export interface World<in R> {
  /** Removed at the end. */
  readonly directory: string
  readonly socket: string
  readonly port: number
  readonly bySocket: Http.JobClient.Service
  readonly byPort: Http.JobClient.Service
  /** A request by the socket. */
  readonly send: (sent: requests.Sent) => Effect.Effect<requests.Answer>
  readonly services: Context.Context<R | Http.Server.Server>
}

/** A manager that nobody uses. */
export const idle = TestManager.layer()

/** A server over a manager of one's own. */
export const over = <R>(
  manager: Layer.Layer<R | Manager, unknown>,
  options: Partial<Http.Server.Options> = {}
): Effect.Effect<World<R | Manager>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const socket = `${directory}/socket`
    const served = Http.Server.layer({ listen: [{ socket }, { port: 0 }], token, drain: 200, ...options })
    const services = yield* Layer.build(Layer.provideMerge(served, manager))
    const { addresses } = Context.get(services, Http.Server.Server)
    const port = addresses.flatMap((address) => ("port" in address ? [address.port] : []))[0] ?? 0
    return {
      directory,
      socket,
      port,
      bySocket: yield* Http.JobClient.make({ socket }),
      byPort: yield* Http.JobClient.make({ port, token }),
      send: (sent: requests.Sent) => requests.send({ socketPath: socket }, sent),
      services
    }
  }).pipe(Effect.orDie)

/** One whose jobs do what they are told. */
export type Scripted = Effect.Effect.Success<ReturnType<typeof make>>

export const make = (
  options: Partial<Http.Server.Options> & JobManager.LayerOptions & ScriptedOrchestrator.Options = {}
) => over(TestManager.layer({ stopGrace: 200, ...options }), options)

/** Commands the jobs of a world. */
export const script = (world: World<ScriptedOrchestrator.ScriptedOrchestrator>) =>
  Context.get(world.services, ScriptedOrchestrator.ScriptedOrchestrator)
