/**
 * Requests to the server. Each waits until the server has proved that it knows the session, so that the token never goes to another
 * program that has taken the port.
 */
import { at, isMounted } from "../address.js"
import * as sessions from "../session/session.js"
import { type Decoder, isRecord } from "./decode.js"

/** The server refused a request. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused"
  readonly status: number
  /** The `_tag` of the error, such as `JobNotFound`. */
  readonly tag: string
  /** The other fields of the response. */
  readonly details: { readonly [name: string]: unknown }
  constructor(status: number, body: unknown) {
    const details = isRecord(body) ? body : {}
    super(
      typeof details["message"] === "string"
        ? details["message"]
        : `The server responded with the status ${status}; its log may say why`
    )
    this.status = status
    this.tag = typeof details["_tag"] === "string" ? details["_tag"] : ""
    this.details = details
  }
}

const away = isMounted
  ? "The server does not respond. Try again once it does."
  : "Charlotte does not respond. Start it with: charlotte daemon start"

/** The server cannot be reached; the page retries reads until it can. */
export class ServerAway extends Error {
  override readonly name = "ServerAway"
}

export interface Request {
  readonly method?: "GET" | "POST" | "DELETE"
  readonly body?: unknown
  readonly headers?: { readonly [name: string]: string }
  readonly signal?: AbortSignal
}

const bodyOf = async (response: Response): Promise<unknown> => {
  try {
    return await response.json()
  } catch {
    return undefined
  }
}

/** Sends a request without the token. */
export const sendPublic = async (path: string, { body, headers, ...request }: Request = {}): Promise<Response> => {
  const response = await fetch(at(path), {
    ...request,
    // An application takes nothing that acts without it: a foreign page cannot send it.
    headers: { ...(request.method === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    cache: "no-store",
    credentials: isMounted ? "same-origin" : "omit",
    redirect: "error",
    referrerPolicy: "no-referrer"
  }).catch((error: unknown) => {
    if (request.signal?.aborted === true) throw error
    throw new ServerAway(away, { cause: error })
  })
  if (!response.ok) throw new RequestRefused(response.status, await bodyOf(response))
  return response
}

/** Sends a request with the token, without waiting for the server's proof: for the connection that obtains the proof. */
export const sendTrusting = async (path: string, request: Request = {}): Promise<Response> => {
  const session = sessions.session.value
  if (session === undefined) throw new RequestRefused(401, { _tag: "Unauthorized", message: "no session" })
  try {
    const headers = { ...request.headers, authorization: `Bearer ${session.token}` }
    return await sendPublic(path, isMounted ? request : { ...request, headers })
  } catch (error) {
    if (!isMounted && error instanceof RequestRefused && error.status === 401) sessions.end(session)
    throw error
  }
}

let trust = Promise.withResolvers<void>()
let isTrusted = false

/** Sets whether the server has proved that it knows the session, since the connection to it was last lost. */
export const setTrusted = (trusted: boolean): void => {
  if (trusted === isTrusted) return
  isTrusted = trusted
  if (trusted) trust.resolve()
  else trust = Promise.withResolvers<void>()
}

const untilTrusted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
    void trust.promise.then(resolve)
  })

const retryMillis = 300

/** Whether the same request can succeed once the server is available. */
const isPassing = (error: unknown): boolean =>
  error instanceof ServerAway || (error instanceof RequestRefused && error.status === 503)

/** Sends a request; reads are retried until the server is available. */
export const send = async (path: string, request: Request = {}): Promise<Response> => {
  for (;;) {
    if (!isTrusted) await untilTrusted(request.signal)
    try {
      return await sendTrusting(path, request)
    } catch (error) {
      if (request.method !== undefined || !isPassing(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, retryMillis))
      request.signal?.throwIfAborted()
    }
  }
}

export const sendJson = async <A>(path: string, decoder: Decoder<A>, request: Request = {}): Promise<A> =>
  decoder(await (await send(path, request)).json(), "")
