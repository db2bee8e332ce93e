/**
 * The HTTP API of the shop: its own group beside the groups of the jobs.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { errors, JobId } from "charlotte"
import { JobsApi } from "charlotte/http"
import { Effect, Schema } from "effect"
import { NewOrder, Order, Orders } from "./Orders.ts"
import { Receipt } from "./Receipt.ts"
import { Report } from "./Report.ts"

const orders = HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.post("place", "/orders")
      .setPayload(NewOrder)
      .addSuccess(Schema.Struct({ order: Schema.Int, receipt: JobId.JobId }))
      .addError(errors.QueueFull, { status: 503 })
      .addError(errors.ShuttingDown, { status: 503 })
  )
  .add(HttpApiEndpoint.get("list", "/orders").addSuccess(Schema.Array(Order)))

export const Api = HttpApi.make("shop")
  .add(orders)
  .addHttpApi(JobsApi.make([Receipt, Report]))

export const ordersLayer = HttpApiBuilder.group(Api, "orders", (handlers) =>
  Effect.map(Orders, ({ list, place }) =>
    handlers
      .handle("place", ({ payload }) =>
        Effect.catchTags(place(payload), { SqlError: Effect.die, ParseError: Effect.die })
      )
      .handle("list", () => Effect.orDie(list))
  )
)
