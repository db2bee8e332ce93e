/**
 * Opens the page of the process that holds the home, or prints its address.
 */
import { DateTime, Effect } from "effect"
import { Home } from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import * as PageClient from "../../http/client/PageClient.js"
import * as openings from "../../http/server/page/openings.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { Output, writeJson, writeLines } from "../terminal/Output.js"
import { notOpened, openInBrowser } from "./openInBrowser.js"

/** The address of the page, with the one-time code for it. */
const request = (id: JobId | undefined) =>
  Effect.gen(function* () {
    const { socket } = yield* Home
    const client = yield* PageClient.make({ socket })
    const code = yield* client.code
    const address = `${code.origin}${id === undefined ? "/" : `/jobs/${id}`}`
    return { ...code, address, signIn: `${address}#code=${code.code}` }
  }).pipe(Effect.scoped)

/** Opens the browser; returns the address of the page without the code. */
export const inBrowser = (id: JobId | undefined) =>
  Effect.gen(function* () {
    const { directory } = yield* Home
    const { address, id: code, signIn } = yield* request(id)
    const file = yield* Effect.mapError(openings.write(directory, { address: signIn, id: code }), notOpened)
    yield* Effect.onError(openInBrowser(file), () => openings.remove(directory, code))
    return address
  })

export interface Options {
  /** The job to show; by default the list of all jobs. */
  readonly id: JobId | undefined
  readonly print: boolean
  readonly json: boolean
}

export const open = ({ id, json, print }: Options) =>
  Effect.gen(function* () {
    if (print) {
      const { expiresAt, signIn } = yield* request(id)
      return yield* json
        ? writeJson({ page: { address: signIn, opened: false, expiresAt: DateTime.formatIso(expiresAt) } })
        : Effect.flatMap(Output, ({ write }) => write(`${signIn}\n`))
    }
    const address = yield* inBrowser(id)
    yield* json
      ? writeJson({ page: { address, opened: true } })
      : writeLines([[StyledLine.raw("✓ ", "good"), StyledLine.raw("opened "), StyledLine.piece(address, "name")]])
  })
