/**
 * Real files in a fresh directory, and the services that read them.
 */
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect, Layer, Option } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { readdir, readFile, readlink, realpath, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const reasons: Readonly<Record<string, SystemError["reason"]>> = { ENOENT: "NotFound", EACCES: "PermissionDenied" }

const attempt = <A>(method: string, path: string, run: () => Promise<A>): Effect.Effect<A, SystemError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      new SystemError({
        module: "FileSystem",
        method,
        pathOrDescriptor: path,
        reason: (cause instanceof Error && "code" in cause && reasons[String(cause.code)]) || "Unknown",
        cause
      })
  })

/** As much of the file system as reading a plan may need: whatever else it did would be a defect. */
export const files: Layer.Layer<FileSystem.FileSystem | Path.Path> = Layer.merge(
  Path.layer,
  FileSystem.layerNoop({
    readDirectory: (path) => attempt("readDirectory", path, () => readdir(path)),
    readFile: (path) => attempt("readFile", path, () => readFile(path)),
    readLink: (path) => attempt("readLink", path, () => readlink(path)),
    realPath: (path) => attempt("realPath", path, () => realpath(path)),
    stat: (path) =>
      Effect.map(
        attempt("stat", path, () => stat(path)),
        (info) => ({
          type: info.isFile() ? "File" : info.isDirectory() ? "Directory" : info.isFIFO() ? "FIFO" : "Unknown",
          size: FileSystem.Size(info.size),
          mtime: Option.none(),
          atime: Option.none(),
          birthtime: Option.none(),
          dev: info.dev,
          ino: Option.none(),
          mode: info.mode,
          nlink: Option.none(),
          uid: Option.none(),
          gid: Option.none(),
          rdev: Option.none(),
          blksize: Option.none(),
          blocks: Option.none()
        })
      )
  })
)

/** A repository's directory with these files, gone at the end. */
export const repository = (contents: Readonly<Record<string, string | Uint8Array>>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "charlotte-plan-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    ),
    (path) => {
      for (const [name, content] of Object.entries(contents)) {
        mkdirSync(dirname(join(path, name)), { recursive: true })
        writeFileSync(join(path, name), content)
      }
      return path
    }
  )

/** A task file in its shortest form. */
export const task = (number: number, dependsOn: ReadonlyArray<number> = [], more = "") =>
  `---\ntask: ${number}\nbackpressure: test -f ${number}.txt\ndepends_on: [${dependsOn.join(", ")}]\n${more}---\n\n# Task ${number}\n\n` +
  `\`\`\`sh\ntouch ${number}.txt\n\`\`\`\n`

/** A unit's plan in its shortest form. */
export const unit = (name: string, dependsOn: ReadonlyArray<string> = []) =>
  `---\nunit: ${name}\ndepends_on: [${dependsOn.join(", ")}]\n---\n\n# The plan of ${name}\n`
