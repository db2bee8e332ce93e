/**
 * The HTTP API of the shop.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiError from "@effect/platform/HttpApiError"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { errors, JobId, RunStatus } from "charlotte"
import { Context, Schema } from "effect"
import { OrderNumber } from "../Orders.ts"
import { Day } from "../Report.ts"

/** Who has sent a request. */
export class Person extends Context.Tag("shop/Person")<
  Person,
  { readonly by: string; readonly can: "read" | "act" }
>() {}

export class SignedIn extends HttpApiMiddleware.Tag<SignedIn>()("shop/SignedIn", {
  failure: HttpApiError.Unauthorized,
  provides: Person
}) {}

const Credentials = Schema.Struct({ name: Schema.String, password: Schema.Redacted(Schema.String) }).pipe(
  HttpApiSchema.withEncoding({ kind: "UrlParams" })
)

const login = HttpApiGroup.make("login")
  .add(
    HttpApiEndpoint.get("form", "/login").addSuccess(HttpApiSchema.Text({ contentType: "text/html; charset=utf-8" }))
  )
  .add(
    HttpApiEndpoint.post("signIn", "/login")
      .setPayload(Credentials)
      .addSuccess(HttpApiSchema.Empty(303))
      .addError(HttpApiError.Unauthorized)
  )

const NewOrder = Schema.Struct({
  customer: Schema.NonEmptyString,
  cents: Schema.Int.pipe(Schema.positive())
})

const Job = Schema.Struct({ job: JobId.JobId })

const orderPath = Schema.Struct({ number: Schema.NumberFromString.pipe(Schema.compose(OrderNumber)) })

const orders = HttpApiGroup.make("orders")
  .add(
    // A client that got no response sends it again, which places no second order.
    HttpApiEndpoint.put("place", "/orders/:number")
      .setPath(orderPath)
      .setPayload(NewOrder)
      .addSuccess(Job)
      .addError(errors.IdempotencyKeyReused, { status: 409 })
      .addError(errors.QueueFull, { status: 503 })
  )
  .add(
    HttpApiEndpoint.get("receipt", "/orders/:number/receipt")
      .setPath(orderPath)
      .addSuccess(Schema.Struct({ status: RunStatus.RunStatus }))
      .addError(HttpApiError.NotFound)
  )
  .middleware(SignedIn)

const reportPath = Schema.Struct({ day: Day })

const reports = HttpApiGroup.make("reports")
  .add(
    HttpApiEndpoint.put("start", "/reports/:day")
      .setPath(reportPath)
      .addSuccess(Job)
      .addError(errors.QueueFull, { status: 503 })
  )
  .add(
    HttpApiEndpoint.post("approve", "/reports/:day/approval")
      .setPath(reportPath)
      .addError(HttpApiError.NotFound)
      .addError(HttpApiError.Forbidden)
      .addError(errors.JobEnded, { status: 409 })
  )
  .middleware(SignedIn)

export const Api = HttpApi.make("shop").add(login).add(orders).add(reports)
