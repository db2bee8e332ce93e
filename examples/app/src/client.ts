/**
 * The command of the shop, a client of its server.
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { JobId } from "charlotte"
import { JobClient } from "charlotte/http"
import { Console, Effect, Layer, Schema } from "effect"
import { Api } from "./Api.ts"
import { Receipt } from "./Receipt.ts"
import { Report } from "./Report.ts"
import { socket } from "./socket.ts"

const Receipts = JobClient.of(Receipt)
const Reports = JobClient.of(Report)

// Node's agents take a socket, too.
const agent = { socketPath: socket, keepAlive: false }
const Http = Layer.provide(NodeHttpClient.layerWithoutAgent, NodeHttpClient.makeAgentLayer(agent))

const shop = HttpApiClient.make(Api, {
  transformClient: HttpClient.mapRequest(HttpClientRequest.prependUrl("http://localhost"))
})

const order = (customer: string, euros: number) =>
  Effect.gen(function* () {
    const client = yield* shop
    const { order, receipt } = yield* client.orders.place({ payload: { customer, cents: Math.round(euros * 100) } })
    yield* Console.log(`order ${order}`)
    const run = yield* Effect.flatMap(Receipts, (receipts) => receipts.await(receipt))
    if (run.status === "completed") return yield* Console.log(`its receipt was sent: ${run.result.messageId}`)
    if (run.status === "failed" && run.error.kind === "failure") {
      return yield* Console.log(`its receipt was not sent: ${run.error.error.reason}`)
    }
    yield* Console.log(`its receipt is ${run.status}`)
  })

const report = (day: string) =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const id = yield* reports.start({ day }, { whenKeyTaken: "attach" })
    yield* Console.log(`job ${id} waits for approval: npm run shop approve ${id} YOUR-NAME`)
    const run = yield* reports.await(id)
    yield* Console.log(run.status, run.status === "completed" ? run.result : "")
  })

const approve = (job: string, by: string) =>
  Effect.gen(function* () {
    const id = yield* Schema.decodeUnknown(JobId.JobId)(job)
    yield* Effect.flatMap(Reports, (reports) => reports.signal(id, "approve", { by }))
    yield* Console.log("approved")
  })

const program = Effect.gen(function* () {
  const [command, first = "", second = ""] = process.argv.slice(2)
  switch (command) {
    case "order":
      return yield* order(first, Number(second))
    case "report":
      return yield* report(first)
    case "approve":
      return yield* approve(first, second)
    default:
      yield* Console.log("npm run shop order CUSTOMER EUROS | report DAY | approve JOB NAME")
  }
})

NodeRuntime.runMain(
  program.pipe(
    Effect.provide([Receipts.layer({ socket }), Reports.layer({ socket }), Http]),
    Effect.tapError(({ message }) => Console.error(message))
  ),
  { disableErrorReporting: true }
)
