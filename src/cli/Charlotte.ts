/**
 * The whole of the command line: every command, on the streams and files of this process.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Cause, Chunk, Effect, type Exit, Layer, Option, Schema } from "effect"
import { createRequire } from "node:module"
import { start } from "./commands/daemon/start.js"
import { doctor } from "./commands/doctor.js"
import { plan } from "./commands/plan.js"
import { prune } from "./commands/prune.js"
import { resume } from "./commands/resume.js"
import { retry } from "./commands/retry.js"
import { run } from "./commands/run.js"
import * as ExitCode from "./ExitCode.js"
import * as Main from "./Main.js"
import * as Output from "./Output.js"
import * as Program from "./Program.js"

export const charlotte = Program.group(
  "charlotte",
  "Works through a directory of Markdown tasks in a git repository, with any agent; a task counts as done only when its own check passes.",
  [
    Program.leaf(run),
    Program.leaf(plan),
    Program.leaf(resume),
    Program.leaf(retry),
    Program.leaf(prune),
    Program.leaf(doctor),
    Program.group("daemon", "Jobs that outlive the terminal: a manager in the background.", [Program.leaf(start)])
  ]
)

const version = Effect.sync(
  () => Schema.decodeUnknownSync(Schema.Struct({ version: Schema.String }))(manifest()).version
)

/** By its name, which leads there from wherever this file has been put. */
const manifest = (): unknown => createRequire(import.meta.url)("charlotte/package.json")

export const main = (argv: ReadonlyArray<string>): Effect.Effect<number> =>
  Effect.flatMap(version, (version) => Main.run(charlotte, argv, { version })).pipe(
    Effect.provide(Layer.merge(NodeContext.layer, Output.layer))
  )

/** Ends the process with the code that was answered. */
export const teardown = <E, A>(exit: Exit.Exit<E, A>, onExit: (code: number) => void): void => {
  if (exit._tag === "Success") return onExit(typeof exit.value === "number" ? exit.value : ExitCode.completed)
  const quit = Chunk.findFirst(Cause.defects(exit.cause), (defect) => defect instanceof ExitCode.Quit)
  if (Option.isSome(quit)) return onExit(quit.value.code)
  onExit(Cause.isInterruptedOnly(exit.cause) ? ExitCode.interrupted : ExitCode.internal)
}
