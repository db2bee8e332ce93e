/**
 * Endpoints of the page's sessions: a browser exchanges a one-time code for a token, and before it sends the token again, it makes
 * the server prove that it knows the session.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { described } from "./described.js"
import * as errorSchemas from "./errorSchemas.js"

/**
 * A one-time code for the page, and where the page is.
 *
 * @since 0.2.0
 * @category models
 */
export class SessionCode extends Schema.Class<SessionCode>("charlotte/SessionCode")({
  /** Identifies the code; it is no secret. */
  id: Schema.String,
  code: Schema.String,
  /** The origin of the page, for example `http://127.0.0.1:7433`. */
  origin: Schema.String,
  expiresAt: Schema.DateTimeUtc
}) {}

/**
 * A session of a browser.
 *
 * @since 0.2.0
 * @category models
 */
export class Session extends Schema.Class<Session>("charlotte/Session")({
  id: Schema.String,
  /** The bearer token of the session. */
  token: Schema.String,
  /** When the session ends unless it is used. */
  expiresAt: Schema.DateTimeUtc
}) {}

/**
 * Shows that the server knows the token of a session.
 *
 * @since 0.2.0
 * @category models
 */
export class SessionProof extends Schema.Class<SessionProof>("charlotte/SessionProof")({
  /** HMAC-SHA-256 of the nonce, with the token as the key, in hexadecimal. */
  proof: Schema.String
}) {}

/**
 * How many sessions have ended.
 *
 * @since 0.2.0
 * @category models
 */
export class EndedSessions extends Schema.Class<EndedSessions>("charlotte/EndedSessions")({ ended: Schema.Int }) {}

export const Exchange = Schema.Struct({ code: Schema.String }).annotations({ identifier: "Exchange" })

export const Challenge = Schema.Struct({
  id: Schema.String,
  nonce: Schema.String.pipe(Schema.minLength(16), Schema.maxLength(256))
}).annotations({ identifier: "Challenge" })

export const sessionPath = "/api/v1/session"
export const proofPath = "/api/v1/session/proof"

export const group = HttpApiGroup.make("charlotteSession")
  .add(
    HttpApiEndpoint.post("open", "/api/v1/session/code")
      .addSuccess(SessionCode, { status: 201 })
      .addError(errorSchemas.PageUnavailable)
      .annotateContext(
        described(
          "Get a one-time code for the page",
          "Requires the socket, or the token of the home. Opens a port on a loopback address if none is open. The page reads the code from the fragment of its address: ORIGIN/#code=CODE."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("exchange", sessionPath)
      .setPayload(Exchange)
      .addSuccess(Session, { status: 201 })
      .addError(errorSchemas.InvalidCode)
      .addError(errorSchemas.TooManyTries)
      .annotateContext(
        described(
          "Begin a session with a one-time code",
          "Needs no token, but the Origin of the page. A code can be used once, within 60 seconds; five wrong codes per minute are permitted."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("prove", proofPath)
      .setPayload(Challenge)
      .addSuccess(SessionProof)
      .addError(errorSchemas.SessionNotFound)
      .annotateContext(
        described(
          "Prove that the server knows a session",
          "Needs no token. After a lost connection any program may have taken the port: the page sends its token only to a server that can do this."
        )
      )
  )
  .add(
    HttpApiEndpoint.del("end", sessionPath)
      .addSuccess(HttpApiSchema.NoContent)
      .addError(errorSchemas.SessionNotFound)
      .annotateContext(described("End a session", "Ends the session of the token, and closes its streams."))
  )
  .add(
    HttpApiEndpoint.del("endAll", "/api/v1/sessions")
      .addSuccess(EndedSessions)
      .annotateContext(described("End all sessions", "Unused codes become invalid too."))
  )
  .annotateContext(OpenApi.annotations({ title: "session", description: "Sessions of the page" }))
