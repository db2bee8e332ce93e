/**
 * Safe reading of untrusted files: only regular files are opened, since opening a FIFO blocks and a symbolic link can lead
 * out of the repository.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import { Diagnostic } from "./Diagnostic.js"

const maxSize = 1024 * 1024

type Kind = "missing" | "a symbolic link" | "a regular file" | "a directory" | "a special file"

/** The kind and size of the file at a path, without opening it or following a symbolic link. */
export const inspect = (
  path: string
): Effect.Effect<{ readonly kind: Kind; readonly size: number }, PlatformError, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    // `FileSystem` has no `lstat`; `readLink` succeeds for symbolic links only.
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

/** Reads a regular file as UTF-8; diagnostics call it `name`. */
export const read = (path: string, name: string): Effect.Effect<TextFile, Diagnostic, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const { kind, size } = yield* inspect(path)
    const fail = (message: string, line?: number) => Effect.fail(new Diagnostic({ file: name, line, message }))
    if (kind !== "a regular file") return yield* fail(`is ${kind}: replace it with a regular file`)
    const tooLarge = fail(
      `is larger than ${maxSize / 1024} KiB: split it, or move what the agent does not need elsewhere`
    )
    if (size > maxSize) return yield* tooLarge
    const bytes = yield* fs.readFile(path)
    // The file may have grown since it was inspected.
    if (bytes.length > maxSize) return yield* tooLarge
    const text = decode(bytes)
    return text === undefined
      ? yield* fail("is not valid UTF-8 here: save it as UTF-8", invalidLine(bytes))
      : { bytes, text }
  }).pipe(Effect.mapError((error) => (error instanceof Diagnostic ? error : unreadable(name, error))))

/** The diagnostic for a file or directory that cannot be read. */
export const unreadable = (name: string, error: PlatformError): Diagnostic =>
  new Diagnostic({
    file: name,
    message:
      error._tag === "SystemError" && error.reason === "PermissionDenied"
        ? "cannot be read: permission denied"
        : `cannot be read: ${error.message}`
  })

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The first line that is not valid UTF-8. No multi-byte sequence contains a line feed, so lines can be decoded one by one. */
const invalidLine = (bytes: Uint8Array): number => {
  let line = 1
  let start = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, start)
    if (end === -1 || decode(bytes.subarray(start, end)) === undefined) return line
    line += 1
    start = end + 1
  }
}
