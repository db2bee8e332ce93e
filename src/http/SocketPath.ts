/**
 * Resolves the path of a unix socket. Kernels limit it to about a hundred bytes, and a home directory may be deeper than that.
 */
import { Context, Effect } from "effect"
import { createHash } from "node:crypto"
import { mkdirSync, statSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { ListenError } from "./server/ListenError.js"

/** In bytes. The limit is 107 on Linux and 103 on macOS. */
const maxLength = 100

const fits = (path: string): boolean => Buffer.byteLength(path) <= maxLength

/**
 * The directory for sockets whose path in the home directory is too long. It is not read from the environment, because server and
 * client may have different environments.
 */
export class RuntimeDirectory extends Context.Reference<RuntimeDirectory>()("charlotte/http/RuntimeDirectory", {
  defaultValue: () => {
    const { uid } = userInfo()
    const runtime = `/run/user/${uid}`
    return statSync(runtime, { throwIfNoEntry: false })?.uid === uid ? `${runtime}/charlotte` : `/tmp/charlotte-${uid}`
  }
}) {}

/** The directory must be private: another user who can create a socket in it could impersonate the server. */
const ensurePrivate = (directory: string): Effect.Effect<void, ListenError> =>
  Effect.try({
    try: () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const { mode, uid } = statSync(directory)
      if (uid !== userInfo().uid || (mode & 0o077) !== 0)
        throw new Error("other users have access to it; its mode must be 0700")
    },
    catch: (cause) =>
      new ListenError({ address: directory, problem: cause instanceof Error ? cause.message : String(cause) })
  })

/**
 * The path itself, or a shorter one derived from it: in the same directory if that fits, else in the user's runtime directory.
 * Server and client derive the same path.
 */
export const make = (path: string): Effect.Effect<string, ListenError> =>
  Effect.gen(function* () {
    const full = resolve(path)
    if (fits(full)) return full
    // A hash, because two long paths may share a prefix.
    const name = `${createHash("sha256").update(full).digest("hex").slice(0, 32)}.sock`
    const beside = join(dirname(full), name)
    if (fits(beside)) return beside
    const directory = yield* RuntimeDirectory
    yield* ensurePrivate(directory)
    return join(directory, name)
  })
