/**
 * Where a socket really is. A kernel takes about a hundred bytes for its path, and a home directory may be deeper than that.
 */
import { Context, Effect } from "effect"
import { createHash } from "node:crypto"
import { mkdirSync, statSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { ListenError } from "./server/ListenError.js"

/** Linux takes 107 bytes, macOS 103. */
const longest = 100

const fits = (path: string): boolean => Buffer.byteLength(path) <= longest

/**
 * The directory for sockets that do not fit beside their home. It does not depend on the environment, which may be another one
 * for a server and its clients.
 */
export class RuntimeDirectory extends Context.Reference<RuntimeDirectory>()("charlotte/http/RuntimeDirectory", {
  defaultValue: () => {
    const { uid } = userInfo()
    const runtime = `/run/user/${uid}`
    return statSync(runtime, { throwIfNoEntry: false })?.uid === uid ? `${runtime}/charlotte` : `/tmp/charlotte-${uid}`
  }
}) {}

/** Of the user alone: whoever could put a socket there could be taken for the server. */
const ensurePrivate = (directory: string): Effect.Effect<void, ListenError> =>
  Effect.try({
    try: () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const { mode, uid } = statSync(directory)
      if (uid !== userInfo().uid || (mode & 0o077) !== 0) throw new Error("others than its owner may use it")
    },
    catch: (cause) =>
      new ListenError({ address: directory, problem: cause instanceof Error ? cause.message : String(cause) })
  })

/**
 * The path itself, or a shorter one that is made of it: in the same directory if that helps, else in the user's runtime
 * directory. Server and client come to the same.
 */
export const make = (path: string): Effect.Effect<string, ListenError> =>
  Effect.gen(function* () {
    const full = resolve(path)
    if (fits(full)) return full
    // Not cut off: two long paths may begin alike.
    const name = `${createHash("sha256").update(full).digest("hex").slice(0, 32)}.sock`
    const beside = join(dirname(full), name)
    if (fits(beside)) return beside
    const directory = yield* RuntimeDirectory
    yield* ensurePrivate(directory)
    return join(directory, name)
  })
