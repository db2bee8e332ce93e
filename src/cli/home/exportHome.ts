/**
 * `charlotte export-home`: in a home that no other process holds.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Layer, Stream } from "effect"
import { createGzip } from "node:zlib"
import * as ExportNote from "../../daemon/home/ExportNote.js"
import * as Layers from "../../daemon/layers/Layers.js"
import { StoreError } from "../../domain/errors.js"
import { version } from "../../http/contract/Version.js"
import * as Archive from "../../store/Archive.js"
import { UsageError } from "../parser/UsageError.js"
import { CurrentDirectory } from "../start/repositoryAround.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"

const isThere = (error: PlatformError): boolean => error._tag === "SystemError" && error.reason === "AlreadyExists"

const failed = (cause: unknown) => new StoreError({ operation: "export the records", reason: "other", cause })

export const exportHome = (options: { readonly file: string; readonly json: boolean }) =>
  Effect.gen(function* () {
    const { open, remove, sink } = yield* FileSystem
    const file = (yield* Path).resolve(yield* yield* CurrentDirectory, options.file)
    const home = yield* Layer.build(Layers.store({ what: "run", version }))
    // Private, since it contains the configuration of jobs.
    yield* Effect.mapError(
      Effect.scoped(open(file, { flag: "wx", mode: 0o600 })),
      (error) =>
        new UsageError({
          problem: `cannot write to ${file}: ${isThere(error) ? "a file of that name exists" : error.message}`,
          hint: "name another file, or move that one away"
        })
    )
    yield* Archive.lines(version).pipe(
      Stream.encodeText,
      NodeStream.pipeThroughDuplex(() => createGzip(), failed),
      Stream.run(sink(file)),
      Effect.provide(home),
      Effect.onError(() => Effect.ignore(remove(file)))
    )
    yield* Effect.provide(ExportNote.leave, home)
    yield* options.json
      ? writeJson({ file })
      : writeLines([
          [StyledLine.raw("✓ ", "good"), StyledLine.raw("wrote all records to "), StyledLine.piece(file)],
          [StyledLine.raw("  fill an empty database with: charlotte import-home FILE --database URL", "faint")]
        ])
  })
