/**
 * The child as its parent sees it: bundled once, so that it starts in a fraction of the time, then started again after each
 * kill.
 */
import { Data, Deferred, Effect, Option, type Scope } from "effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { symlink } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { decode, type Report } from "./Report.js"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Bundles a program into that directory, and gives its path. */
export const bundle = (directory: string, program = here("program.ts")): Effect.Effect<string> =>
  Effect.promise(async () => {
    const outfile = join(directory, "program.mjs")
    await build({
      entryPoints: [program],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      tsconfig: here("../../tsconfig.json"),
      external: ["better-sqlite3"],
      banner: { js: `import { createRequire as from } from "node:module"; const require = from(import.meta.url)` },
      logLevel: "error"
    })
    await symlink(here("../../node_modules"), join(directory, "node_modules"))
    return outfile
  })

export interface Child {
  /** Returns when the child has told this, or has ended without. */
  readonly told: (tag: Milestone) => Effect.Effect<boolean>
  readonly signal: (signal: "SIGTERM" | "SIGKILL") => Effect.Effect<void>
  /** Returns when it is gone and all that it told is noted. */
  readonly ended: Effect.Effect<End>
}

type Milestone = Extract<Report["_tag"], "Opening" | "Ready" | "Recovered">

export class End extends Data.Class<{
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it logged. */
  readonly log: string
}> {}

const milestones = ["Opening", "Ready", "Recovered"] satisfies ReadonlyArray<Milestone>

/** Runs the bundled program until the scope closes, and notes what it tells. */
export const run = (
  program: string,
  args: ReadonlyArray<string>,
  note: (report: Report) => void
): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<End>()
    const reached = new Map(
      yield* Effect.forEach(milestones, (tag) => Effect.map(Deferred.make<void>(), (d) => [tag, d] as const))
    )

    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )

    let log = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text
    })
    let line = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (line + text).split("\n")
      // What the kill cut off was never told.
      line = lines.pop() ?? ""
      for (const report of lines.map((line) => decode(line))) {
        note(report)
        for (const [tag, deferred] of reached) {
          if (tag === report._tag) Deferred.unsafeDone(deferred, Effect.void)
        }
      }
    })
    child.on("close", (code, signal) => Deferred.unsafeDone(ended, Effect.succeed(new End({ code, signal, log }))))

    return {
      ended: Deferred.await(ended),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      told: (tag) =>
        Option.match(Option.fromNullable(reached.get(tag)), {
          onNone: () => Effect.succeed(false),
          onSome: (deferred) =>
            Effect.raceFirst(Effect.as(Deferred.await(deferred), true), Effect.as(Deferred.await(ended), false))
        })
    }
  })
