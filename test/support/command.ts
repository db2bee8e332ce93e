/**
 * The command as it is installed, made once for all tests that start it. What V8 has compiled of it is kept between them, so
 * that it starts in a fraction of the time.
 */
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { installed } from "./bundle.js"

export interface Command {
  /** Has nothing in it but `charlotte`. */
  readonly bin: string
  /** What that starts. */
  readonly program: string
  /** For `XDG_CACHE_HOME`. */
  readonly cache: string
}

declare module "vitest" {
  interface ProvidedContext {
    readonly command: Command
  }
}

const directory = join(tmpdir(), `charlotte-command-${randomUUID()}`)

export const setup = async (project: TestProject) => {
  mkdirSync(directory)
  const program = await Effect.runPromise(installed(directory))
  const bin = join(directory, "bin")
  mkdirSync(bin)
  writeFileSync(join(bin, "charlotte"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 })
  project.provide("command", { bin, program, cache: join(directory, "cache") })
}

export const teardown = () => rmSync(directory, { recursive: true, force: true })
