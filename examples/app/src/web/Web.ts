/**
 * All that the web process serves, without a server and a database.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Layer } from "effect"
import { Orders } from "../Orders.ts"
import { Receipt } from "../Receipt.ts"
import { Report } from "../Report.ts"
import { Api } from "./Api.ts"
import * as JobsPage from "./JobsPage.ts"
import * as LoginHandlers from "./LoginHandlers.ts"
import * as OrderHandlers from "./OrderHandlers.ts"
import * as ReportHandlers from "./ReportHandlers.ts"
import { Sessions, signedIn } from "./Sessions.ts"

export const layer = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(Api)),
  Layer.provide([LoginHandlers.layer, OrderHandlers.layer, ReportHandlers.layer, JobsPage.layer]),
  Layer.provide(signedIn),
  Layer.provide([Sessions.Default, Orders.Default, Receipt.producer, Report.producer])
)
