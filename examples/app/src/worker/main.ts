/**
 * The worker process: it runs the jobs that web processes start. One at a time owns them.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Layer } from "effect"
import { Orders } from "../Orders.ts"
import * as Store from "../Store.ts"
import * as Mailer from "./Mailer.ts"
import * as Receipts from "./Receipts.ts"
import * as Reports from "./Reports.ts"

const Worker = Layer.merge(Receipts.layer, Reports.layer).pipe(
  Layer.provide([Mailer.layer, Orders.Default]),
  Layer.provide([Store.layer, NodeFileSystem.layer])
)

NodeRuntime.runMain(Layer.launch(Worker))
