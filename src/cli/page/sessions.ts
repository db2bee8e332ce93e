/**
 * Ends the sessions of all browsers that have opened the page.
 */
import { Effect, Option } from "effect"
import { Home } from "../../daemon/home/Home.js"
import * as PageClient from "../../http/client/PageClient.js"
import * as SessionFile from "../../http/server/page/SessionFile.js"
import * as JobSource from "../target/JobSource.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"

/** Ends the sessions of a home that no process holds, and returns their number. Keeps the port, since bookmarks lead to it. */
export const endRecorded = Effect.gen(function* () {
  const { sessions: file } = yield* Home
  const content = yield* SessionFile.read(file)
  if (content.sessions.length > 0) yield* SessionFile.write(file, { ...content, sessions: [] })
  return content.sessions.length
})

const endAll = Effect.gen(function* () {
  if (Option.isNone(yield* JobSource.host)) return yield* endRecorded
  const { socket } = yield* Home
  return yield* Effect.flatMap(PageClient.make({ socket }), ({ endAll }) => endAll)
})

export const revoke = ({ json }: { readonly json: boolean }) =>
  Effect.gen(function* () {
    const ended = yield* endAll
    yield* json
      ? writeJson({ page: { ended } })
      : writeLines([[StyledLine.raw(ended === 0 ? "no browser had a session" : `${sessions(ended)} ended`)]])
  })

const sessions = (count: number): string => (count === 1 ? "1 session" : `${count} sessions`)
