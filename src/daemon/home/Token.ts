/**
 * The token that clients of a port must send. It is created once, and stays until its file is removed.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, Redacted } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { chmodSync, lstatSync, readFileSync, statSync } from "node:fs"
import { Problem } from "../Problem.js"
import { Home, isThere } from "./Home.js"

const refuse = (path: string) => (problem: string) =>
  new Problem({
    name: "TokenUnusable",
    problem: `the token in ${path} cannot be used: ${problem}`,
    hint: "remove the file, and a new one is made",
    exitCode: 1,
    details: { path, problem }
  })

/** Hard to guess, and valid in a header without encoding. */
export const usable = /^[\x21-\x7e]{32,512}$/

/** A longer file contains something else. */
const maxSize = 1024

/**
 * The token of a home, if it has one. Only a regular file is opened, since opening a FIFO blocks. The user may have written it, so it
 * is closed to others; the target of a symbolic link is not ours to change.
 */
export const find: Effect.Effect<Option.Option<Redacted.Redacted>, Problem, Home> = Effect.gen(function* () {
  const { token: path } = yield* Home
  const unusable = refuse(path)
  const ask = <A>(question: () => A) =>
    Effect.try({ try: question, catch: (cause) => unusable(cause instanceof Error ? cause.message : String(cause)) })
  const entry = yield* ask(() => lstatSync(path, { throwIfNoEntry: false }))
  if (entry === undefined) return Option.none()
  const isLink = entry.isSymbolicLink()
  const file = isLink ? yield* ask(() => statSync(path, { throwIfNoEntry: false })) : entry
  if (file === undefined) return yield* unusable("it is a symbolic link that leads nowhere")
  if (!file.isFile()) return yield* unusable("it is not a regular file")
  if (!isLink && (file.mode & 0o077) !== 0) yield* ask(() => chmodSync(path, 0o600))
  const token = file.size > maxSize ? "" : (yield* ask(() => readFileSync(path, "utf8"))).trim()
  if (!usable.test(token)) return yield* unusable("it must be at least 32 visible characters of ASCII")
  return Option.some(Redacted.make(token))
})

/** The token of a home, created if it is missing. */
export const make: Effect.Effect<Redacted.Redacted, Problem, Home | FileSystem> = Effect.gen(function* () {
  const there = yield* find
  if (Option.isSome(there)) return there.value
  const fs = yield* FileSystem
  const { token: path } = yield* Home
  const unusable = refuse(path)
  // Atomic: the file is whole or missing, and of two concurrent attempts one wins.
  const draft = `${path}.${randomUUID()}`
  yield* Effect.acquireUseRelease(
    fs.writeFileString(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" }),
    () => Effect.catchIf(fs.link(draft, path), isThere, () => Effect.void),
    () => Effect.ignore(fs.remove(draft))
  ).pipe(Effect.mapError(({ message }) => unusable(message)))
  return yield* Effect.flatMap(find, (token) =>
    Option.isSome(token) ? Effect.succeed(token.value) : unusable("it is gone")
  )
})
