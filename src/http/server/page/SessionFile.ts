/**
 * The file that keeps the sessions of the page and its port, so that open pages and bookmarks outlive the server. Only its owner can
 * read it, since it contains tokens, which the proof of a session needs.
 */
import { Effect, Schema } from "effect"
import { chmodSync, lstatSync, readFileSync, renameSync, writeFileSync } from "node:fs"

/** A loopback port. */
export const Port = Schema.Struct({ host: Schema.String, port: Schema.Int })
export type Port = typeof Port.Type

export const Entry = Schema.Struct({
  id: Schema.String,
  token: Schema.String,
  /** The token is accepted only on this origin: a program that took over a former port cannot replay what it receives there. */
  origin: Schema.String,
  /** Milliseconds since 1970. */
  usedAt: Schema.Number
})
export type Entry = typeof Entry.Type

const Content = Schema.parseJson(Schema.Struct({ port: Schema.optional(Port), sessions: Schema.Array(Entry) }), {
  space: 2
})
export type Content = typeof Content.Type

const empty: Content = { sessions: [] }

const decode = Schema.decodeUnknown(Content)
const encode = Schema.encodeSync(Content)

/** An unusable file counts as empty: the pages have to be opened again. */
export const read = (path: string): Effect.Effect<Content> =>
  Effect.gen(function* () {
    const text = yield* Effect.try(() => {
      const file = lstatSync(path, { throwIfNoEntry: false })
      if (file === undefined) return undefined
      // Opening a FIFO blocks, and the target of a link is not ours.
      if (!file.isFile()) throw new Error("it is not a regular file")
      if ((file.mode & 0o077) !== 0) chmodSync(path, 0o600)
      return readFileSync(path, "utf8")
    })
    return text === undefined ? empty : yield* decode(text)
  }).pipe(
    Effect.catchAll((error) =>
      Effect.as(Effect.logWarning(`${path} cannot be used, so pages have to be opened again`, error), empty)
    )
  )

/** Atomic: a killed writer leaves the former content. */
export const write = (path: string, content: Content): Effect.Effect<void> =>
  Effect.try(() => {
    writeFileSync(`${path}.new`, encode(content), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }).pipe(
    Effect.catchAll(({ error }) =>
      Effect.logWarning(`${path} cannot be written, so open pages will not outlive this process`, error)
    )
  )
