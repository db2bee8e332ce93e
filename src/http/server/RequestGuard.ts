/**
 * Checks that a request must pass before its body is read. A client that can start a job can run code as the user, and any web page
 * can send requests to this machine, so requests of foreign pages are refused.
 */
import { toIncomingMessage, toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { docsPath, healthPath, openApiPath, shutdownPath } from "../contract/Daemon.js"
import { RequestRefused, type Refusal, VersionMismatch } from "../contract/errors.js"
import { proofPath, sessionPath } from "../contract/Session.js"
import { version, versionHeader } from "../contract/Version.js"
import { isForPage } from "./page/pageFiles.js"

/** The access policy of an address. */
export interface AccessPolicy {
  /** Whether a value of the Host header, in lower case, is permitted. */
  readonly isHost: (host: string) => boolean
  /** Permitted origins: the server's own pages. */
  readonly origins: ReadonlyArray<string>
  /** Required as a bearer token; without one, the permissions of the socket decide. */
  readonly token?: Redacted.Redacted | undefined
  /** Whether every request needs the token, even those that disclose nothing about jobs. */
  readonly isClosed?: boolean | undefined
  /** Whether a token belongs to a session on this origin; only if there is a page. */
  readonly isSession?: ((token: string, origin: string, response: ServerResponse) => boolean) | undefined
}

export const acts = ({ method }: HttpServerRequest): boolean => method !== "GET" && method !== "HEAD"

const hasBody = ({ headers }: HttpServerRequest): boolean =>
  Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined

export const isJson = (contentType = ""): boolean => /^application\/json *(; *charset="?utf-8"? *)?$/i.test(contentType)

/** Digests have equal lengths, which `timingSafeEqual` requires. */
const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const bearer = (authorization = ""): string => /^bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1] ?? ""

export const bearerOf = ({ headers }: HttpServerRequest): string => bearer(headers["authorization"])

/** The origin of pages that this address serves. */
export const originOf = ({ headers }: HttpServerRequest): string => `http://${headers["host"]?.toLowerCase() ?? ""}`

/** Returns the first failed check. */
export type Check = (request: HttpServerRequest) => RequestRefused | VersionMismatch | undefined

/** From the raw headers, because Node drops duplicates. */
const countHosts = ({ rawHeaders }: IncomingMessage): number => {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === "host") count += 1
  }
  return count
}

const maxHeaders = 100

/** Liveness probes and browsers have no token; none of these discloses anything about jobs. */
const publicPaths: ReadonlyArray<string | undefined> = [healthPath, docsPath, openApiPath]

/** A browser gets its token from the first, and sends it only after the response to the second. */
const withoutToken: ReadonlyArray<string> = [sessionPath, proofPath]

const pathOf = ({ url }: HttpServerRequest): string | undefined => url.split("?", 1)[0]

/** Whether a browser follows a link to a page, as opposed to loading something for a page. */
const isNavigation = ({ headers, method }: HttpServerRequest): boolean =>
  method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document"

/** Whether a page of another site sends the request; such a page may only navigate to a document. */
export const isForeign = (request: HttpServerRequest, isDocument: (request: HttpServerRequest) => boolean): boolean => {
  const site = request.headers["sec-fetch-site"]
  if (site === undefined || site === "same-origin") return false
  // `none` is the address bar or a bookmark: such a request may only read.
  if (site === "none") return acts(request)
  return !(isNavigation(request) && isDocument(request))
}

export const make = ({ isClosed = false, isHost, isSession, origins, token }: AccessPolicy): Check => {
  const expected = token && digest(Redacted.value(token))
  const hasPage = isSession !== undefined

  const isFile = (request: HttpServerRequest): boolean => hasPage && isForPage(request)

  const isPublic = (request: HttpServerRequest): boolean =>
    !isClosed &&
    (acts(request)
      ? hasPage && request.method === "POST" && withoutToken.includes(request.url)
      : publicPaths.includes(pathOf(request)) || isFile(request))

  const isDocument = (request: HttpServerRequest): boolean => pathOf(request) === docsPath || isFile(request)

  const isAuthorized = (request: HttpServerRequest): boolean => {
    if (expected === undefined) return true
    const given = bearerOf(request)
    return (
      timingSafeEqual(digest(given), expected) ||
      (isSession?.(given, originOf(request), toServerResponse(request)) ?? false)
    )
  }

  const refusal = (request: HttpServerRequest): Refusal | undefined => {
    const { headers, url } = request
    const source = toIncomingMessage(request)
    if (source.rawHeaders.length > 2 * maxHeaders) return "headers"
    if (!url.startsWith("/")) return "address"
    if (countHosts(source) !== 1 || !isHost(headers["host"]?.toLowerCase() ?? "")) return "host"
    if (headers["origin"] !== undefined && !origins.includes(headers["origin"])) return "origin"
    if (isForeign(request, isDocument)) return "site"
    if (!isPublic(request) && !isAuthorized(request)) return "token"
    return hasBody(request) && !isJson(headers["content-type"]) ? "content" : undefined
  }

  return (request) => {
    const reason = refusal(request)
    if (reason !== undefined) return new RequestRefused({ reason })
    const client = request.headers[versionHeader]
    // Shutdown works with any version, so that a newer client can replace the server.
    return client !== undefined && client !== version && request.url !== shutdownPath
      ? new VersionMismatch({ client, daemon: version })
      : undefined
  }
}
