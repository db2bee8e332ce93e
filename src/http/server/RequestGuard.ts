/**
 * Checks that a request must pass before its body is read. A client that can start a job can run code as the user, and any web page
 * can send requests to this machine, so those of other pages than its own are refused.
 */
import { toIncomingMessage } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { docsPath, healthPath, openApiPath, shutdownPath } from "../contract/Daemon.js"
import { RequestRefused, type Refusal, VersionMismatch } from "../contract/errors.js"
import { version, versionHeader } from "../contract/Version.js"

/** What the checks require of requests to an address. */
export interface AccessPolicy {
  /** Permitted values of the Host header. */
  readonly hosts: ReadonlyArray<string>
  /** Permitted origins: those of the server's own pages. */
  readonly origins: ReadonlyArray<string>
  /** Required as a bearer token; without one, the permissions of the socket decide. */
  readonly token?: Redacted.Redacted | undefined
}

const safeMethods = ["GET", "HEAD"]

const hasBody = ({ headers }: HttpServerRequest): boolean =>
  Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined

const isJson = (contentType = ""): boolean => /^application\/json *(; *charset="?utf-8"? *)?$/i.test(contentType)

/** Digests have equal lengths, which `timingSafeEqual` requires. */
const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const bearer = (authorization = ""): string => /^bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1] ?? ""

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

/** Liveness probes and browsers have no token; none of these says anything about jobs. */
const publicPaths: ReadonlyArray<string | undefined> = [healthPath, docsPath, openApiPath]

const isPublic = ({ method, url }: HttpServerRequest): boolean =>
  safeMethods.includes(method) && publicPaths.includes(url.split("?", 1)[0])

export const make = ({ hosts, origins, token }: AccessPolicy): Check => {
  const expected = token && digest(Redacted.value(token))

  const isForeign = (site: string | undefined, method: string): boolean =>
    // `none` is the address bar or a bookmark: such a request may only read.
    site !== undefined && site !== "same-origin" && !(site === "none" && safeMethods.includes(method))

  const refusal = (request: HttpServerRequest): Refusal | undefined => {
    const { headers, method, url } = request
    const source = toIncomingMessage(request)
    if (source.rawHeaders.length > 2 * maxHeaders) return "headers"
    if (!url.startsWith("/")) return "address"
    if (countHosts(source) !== 1 || !hosts.includes(headers["host"]?.toLowerCase() ?? "")) return "host"
    if (headers["origin"] !== undefined && !origins.includes(headers["origin"])) return "origin"
    if (isForeign(headers["sec-fetch-site"], method)) return "site"
    if (
      expected !== undefined &&
      !isPublic(request) &&
      !timingSafeEqual(digest(bearer(headers["authorization"])), expected)
    )
      return "token"
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
