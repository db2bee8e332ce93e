/**
 * Files that people put before us, read with care: what is no regular file is never opened, since opening a pipe waits
 * for ever and a link leads elsewhere.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import { Diagnostic } from "./Diagnostic.js"

const maxSize = 1024 * 1024

type Kind = "missing" | "a symbolic link" | "a regular file" | "a directory" | "a special file"

/** What stands at a path, which is not followed if it is a link, and not opened. */
export const inspect = (
  path: string
): Effect.Effect<{ readonly kind: Kind; readonly size: number }, PlatformError, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    // Only links can be read as such; there is no other way to ask without following.
    const link = yield* Effect.option(fs.readLink(path))
    if (Option.isSome(link)) return { kind: "a symbolic link" as const, size: 0 }
    const { size, type } = yield* fs.stat(path)
    const kind = type === "File" ? "a regular file" : type === "Directory" ? "a directory" : "a special file"
    return { kind, size: Number(size) } as const
  }).pipe(
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed({ kind: "missing" as const, size: 0 })
    )
  )

export interface TextFile {
  readonly bytes: Uint8Array
  readonly text: string
}

/** The text of a regular file; `name` is what it is called in a problem. */
export const read = (path: string, name: string): Effect.Effect<TextFile, Diagnostic, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const { kind, size } = yield* inspect(path)
    const fail = (message: string, line?: number) => Effect.fail(new Diagnostic({ file: name, line, message }))
    if (kind !== "a regular file") return yield* fail(`is ${kind}: put a regular file in its place`)
    const tooLarge = fail(`is larger than ${maxSize / 1024} KiB: split it, or move what is not for the agent elsewhere`)
    if (size > maxSize) return yield* tooLarge
    const bytes = yield* fs.readFile(path)
    // It may have grown meanwhile.
    if (bytes.length > maxSize) return yield* tooLarge
    const text = decode(bytes)
    return text === undefined
      ? yield* fail("is not valid UTF-8 here: save it as UTF-8", lineOfDamage(bytes))
      : { bytes, text }
  }).pipe(Effect.mapError((error) => (error instanceof Diagnostic ? error : unreadable(name, error))))

/** What is said of a file or directory that the system will not let us read. */
export const unreadable = (name: string, error: PlatformError): Diagnostic =>
  new Diagnostic({
    file: name,
    message:
      error._tag === "SystemError" && error.reason === "PermissionDenied"
        ? "cannot be read: permission is denied"
        : `cannot be read: ${error.message}`
  })

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** No character of several bytes holds a line break, so each line can be looked at by itself. */
const lineOfDamage = (bytes: Uint8Array): number => {
  let line = 1
  let start = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, start)
    if (end === -1 || decode(bytes.subarray(start, end)) === undefined) return line
    line += 1
    start = end + 1
  }
}
