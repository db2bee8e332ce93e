/**
 * The login of the shop: accounts from a setting, and sessions in signed cookies, which outlive the process.
 */
import * as HttpApiError from "@effect/platform/HttpApiError"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Config, DateTime, Effect, Encoding, Layer, Record, Redacted, Schema } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"
import { SignedIn } from "./Api.ts"

/** The name of the cookie. */
export const cookie = "session"

const Accounts = Schema.parseJson(
  Schema.Record({
    key: Schema.String,
    value: Schema.Struct({ password: Schema.Redacted(Schema.String), can: Schema.Literal("read", "act") })
  })
)

const Session = Schema.compose(
  Schema.StringFromBase64Url,
  Schema.parseJson(Schema.Struct({ name: Schema.String, expires: Schema.DateTimeUtcFromNumber }))
)
const encode = Schema.encode(Session)
const decode = Schema.decode(Session)

const refused = new HttpApiError.Unauthorized()

export class Sessions extends Effect.Service<Sessions>()("shop/Sessions", {
  effect: Effect.gen(function* () {
    const accounts = yield* Schema.Config("ACCOUNTS", Accounts)
    const secret = Redacted.value(yield* Config.redacted(Config.nonEmptyString("SESSION_SECRET")))
    const digest = (text: string) => createHmac("sha256", secret).update(text).digest()
    const sign = (text: string) => Encoding.encodeBase64Url(digest(text))
    /** Takes the same time wherever the two differ. */
    const isSame = (one: string, other: string) => timingSafeEqual(digest(one), digest(other))

    return {
      /** The cookie of a new session. */
      signIn: (name: string, password: Redacted.Redacted) =>
        Effect.gen(function* () {
          const account = yield* Record.get(accounts, name)
          if (!isSame(Redacted.value(account.password), Redacted.value(password))) return yield* refused
          const session = yield* encode({ name, expires: DateTime.add(yield* DateTime.now, { hours: 12 }) })
          return `${session}.${sign(session)}`
        }).pipe(Effect.mapError(() => refused)),

      /** Who has sent the request. */
      current: Effect.gen(function* () {
        const { cookies } = yield* HttpServerRequest
        const [session = "", signature = ""] = (cookies[cookie] ?? "").split(".")
        if (!isSame(signature, sign(session))) return yield* refused
        const { expires, name } = yield* decode(session)
        if (yield* DateTime.isPast(expires)) return yield* refused
        const { can } = yield* Record.get(accounts, name)
        return { by: name, can }
      }).pipe(Effect.mapError(() => refused))
    }
  })
}) {}

/** The middleware of the API. */
export const signedIn = Layer.effect(
  SignedIn,
  Effect.map(Sessions, ({ current }) => current)
)
