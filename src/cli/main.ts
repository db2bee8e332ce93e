/**
 * The command `charlotte`, on the streams and files of this process.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Chunk, Effect, type Exit, Layer, Option } from "effect"
import { version } from "../http/contract/Version.js"
import * as ExitCode from "./errors/ExitCode.js"
import { charlotte } from "./parser/commands.js"
import * as runCommand from "./parser/runCommand.js"
import * as Output from "./terminal/Output.js"

const services = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, Output.layer)

export const main = (argv: ReadonlyArray<string>): Effect.Effect<number> =>
  Effect.provide(runCommand.run(charlotte, argv, { version }), services)

/** Ends the process with the exit code of the command. */
export const teardown = <E, A>(exit: Exit.Exit<E, A>, onExit: (code: number) => void): void => {
  if (exit._tag === "Success") return onExit(typeof exit.value === "number" ? exit.value : ExitCode.completed)
  const quit = Chunk.findFirst(Cause.defects(exit.cause), (defect) => defect instanceof ExitCode.Quit)
  if (Option.isSome(quit)) return onExit(quit.value.code)
  onExit(Cause.isInterruptedOnly(exit.cause) ? ExitCode.interrupted : ExitCode.internal)
}

/** Runs the command line of this process, and ends it. */
export const start = (): void =>
  NodeRuntime.runMain(main(process.argv.slice(2)), { disableErrorReporting: true, disablePrettyLogger: true, teardown })
