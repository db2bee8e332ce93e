/**
 * What a request has to pass before anybody looks at what it asks for. Whoever can start a job can run code as the user, and
 * a web page can send requests to this machine: so the page's requests are told from those of the user's own programs.
 */
import { toIncomingMessage } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { healthPath, shutdownPath } from "../contract/Daemon.js"
import { RequestRefused, type Refusal, VersionMismatch } from "../contract/errors.js"
import { version, versionHeader } from "../contract/Version.js"

/** What is known of the address that a request came to. */
export interface Door {
  /** The values that its Host header may have. */
  readonly hosts: ReadonlyArray<string>
  /** The origins of pages that it serves itself. */
  readonly origins: ReadonlyArray<string>
  /** Without one, whoever can reach the address may use it. */
  readonly token?: Redacted.Redacted | undefined
}

/** Methods that change nothing. */
const reading = ["GET", "HEAD"]

const hasBody = ({ headers }: HttpServerRequest): boolean =>
  Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined

const isJson = (contentType = ""): boolean => /^application\/json *(; *charset="?utf-8"? *)?$/i.test(contentType)

/** Digests have one length, and comparing them takes one time, wherever they differ. */
const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const bearer = (authorization = ""): string => /^bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1] ?? ""

/** What is wrong with a request, if anything. */
export type Check = (request: HttpServerRequest) => RequestRefused | VersionMismatch | undefined

/** As it was sent: of several, Node passes on the first. */
const countHosts = ({ rawHeaders }: IncomingMessage): number => {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === "host") count += 1
  }
  return count
}

const maxHeaders = 100

/** What says nothing of jobs: probes have no token. */
const isPublic = (url: string): boolean => url === healthPath || url.startsWith(`${healthPath}?`)

/** Makes the check of all requests that come through a door. */
export const make = ({ hosts, origins, token }: Door): Check => {
  const expected = token && digest(Redacted.value(token))

  const isForeign = (site: string | undefined, method: string): boolean =>
    // Typed into the address bar, or followed from a bookmark: such a request can look, and do nothing.
    site !== undefined && site !== "same-origin" && !(site === "none" && reading.includes(method))

  /** In this order: the first thing that is wrong is the one that is told. */
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
      !isPublic(url) &&
      !timingSafeEqual(digest(bearer(headers["authorization"])), expected)
    )
      return "token"
    return hasBody(request) && !isJson(headers["content-type"]) ? "content" : undefined
  }

  return (request) => {
    const reason = refusal(request)
    if (reason !== undefined) return new RequestRefused({ reason })
    const client = request.headers[versionHeader]
    // A client of any version may end a server that is to be replaced.
    return client !== undefined && client !== version && request.url !== shutdownPath
      ? new VersionMismatch({ client, daemon: version })
      : undefined
  }
}
