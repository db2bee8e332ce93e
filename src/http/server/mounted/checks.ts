/**
 * What a request to the page of an application must pass. The browser sends the session of the application with every request, also
 * with those that foreign pages make it send, so a request that acts must say that it comes from this page.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { type Refusal, RequestRefused } from "../../contract/errors.js"
import { acts, isForeign, isJson } from "../RequestGuard.js"

const hostOf = (origin: string): string | undefined => {
  try {
    return new URL(origin).host
  } catch {
    return undefined
  }
}

/** `isDocument`: whether a person may come from another site to the requested path. */
export const make = (origins: ReadonlyArray<string>) => {
  const isOwn = ({ headers }: HttpServerRequest): boolean => {
    const { host, origin } = headers
    if (origin === undefined) return false
    return origins.includes(origin) || (host !== undefined && hostOf(origin) === host.toLowerCase())
  }

  const refusal = (request: HttpServerRequest, isDocument: boolean): Refusal | undefined => {
    if (isForeign(request, () => isDocument)) return "site"
    if (!acts(request)) return undefined
    if (request.headers["sec-fetch-site"] === undefined && !isOwn(request)) return "origin"
    return isJson(request.headers["content-type"]) ? undefined : "content"
  }

  return (request: HttpServerRequest, isDocument: boolean): RequestRefused | undefined => {
    const reason = refusal(request, isDocument)
    return reason && new RequestRefused({ reason })
  }
}
