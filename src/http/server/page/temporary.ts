/**
 * A page whose sessions end with its server.
 */
import { Effect, Redacted, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Options } from "./Page.js"
import { pageDirectory } from "./pageDirectory.js"

export const make = (files = pageDirectory()): Effect.Effect<Options, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "charlotte-page-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    ),
    (directory) => ({
      files,
      directory,
      sessions: join(directory, "sessions.json"),
      token: Effect.sync(() => Redacted.make(randomBytes(32).toString("base64url"))),
      learn: () => {},
      reopen: false,
      onChange: () => Effect.void
    })
  )
