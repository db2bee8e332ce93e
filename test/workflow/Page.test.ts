/** Executions on the page of an application, which has not registered their workflow. */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Page, Server } from "charlotte/http"
import { Workflows } from "charlotte/workflow"
import { Effect, Layer, Option } from "effect"
import { compensating, reaches, runOf, stepsOf, Waiting, withEngine } from "./scene.js"

const kind = Workflows.kind(Waiting)

const page = HttpLayerRouter.serve(
  Page.layer({ path: "/jobs", kinds: [kind], authorize: Effect.succeed({ by: "ada", can: "act" as const }) }),
  { disableLogger: true, disableListenLog: true }
).pipe(
  Layer.provideMerge(NodeHttpServer.layer(Server.createServer, { host: "127.0.0.1", port: 0 })),
  Layer.provide(kind.producer)
)

const send = (path: string, init: RequestInit = {}) =>
  HttpServer.addressFormattedWith((url) =>
    Effect.promise(async () => {
      const headers = { origin: url, "content-type": "application/json" }
      const response = await fetch(`${url}/jobs/api/v1${path}`, { ...init, headers })
      return { status: response.status, json: await response.json() }
    })
  )

it.live(
  "the page of an application lists the executions of a workflow, has the values of their steps, and stops them, which compensates",
  () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      yield* Effect.gen(function* () {
        const execution = yield* Waiting.execute({ id: "a" }, { discard: true })
        const { id } = yield* reaches(Waiting, execution, "parked")
        expect(yield* send("/jobs")).toMatchObject({ status: 200, json: { jobs: [{ id, kind: "workflow.Waiting" }] } })
        const step = "activity/reserve/1"
        expect(yield* send(`/jobs/${id}/steps/-?${new URLSearchParams({ name: step })}`)).toMatchObject({
          status: 200,
          json: { name: step, ok: true }
        })
        expect(yield* send(`/jobs/${id}/stop`, { method: "POST", body: "{}" })).toMatchObject({
          status: 200,
          json: { status: "cancelled", mode: "graceful" }
        })
        expect(Option.getOrThrow(yield* runOf(Waiting, execution)).status).toBe("cancelled")
        expect(yield* stepsOf(id)).toEqual(["activity/reserve/1", "activity/release/1", "exit!"])
        expect(notes).toEqual(["reserve", "release"])
      }).pipe(Effect.provide(page), withEngine(compensating(notes)))
    }).pipe(Effect.provide(RunStore.layerMemory))
)
