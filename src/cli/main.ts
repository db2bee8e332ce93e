/**
 * The whole of the command line: every command, on the streams and files of this process.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Chunk, Effect, type Exit, Layer, Option } from "effect"
import * as Start from "./daemon/start.js"
import * as ExitCode from "./errors/ExitCode.js"
import * as Output from "./terminal/Output.js"
import * as Quick from "./Quick.js"

// One after the other: all at once takes three fibers, and every command waits for it.
const services = NodeFileSystem.layer.pipe(Layer.provideMerge(NodePath.layer), Layer.provideMerge(Output.layer))

/** What is asked for most is understood without the library of commands. */
const command = (argv: ReadonlyArray<string>) => {
  if (Quick.isList(argv)) {
    return Effect.flatMap(
      Effect.promise(() => import("./listJobs.js")),
      ({ command }) => command(argv.includes("--json"))
    )
  }
  return Option.getOrElse(Start.command(argv), () =>
    Effect.flatMap(
      Effect.promise(() => import("./Interpreter.js")),
      ({ command }) => command(argv)
    )
  )
}

export const main = (argv: ReadonlyArray<string>): Effect.Effect<number> => Effect.provide(command(argv), services)

/** Ends the process with the code that was answered. */
export const teardown = <E, A>(exit: Exit.Exit<E, A>, onExit: (code: number) => void): void => {
  if (exit._tag === "Success") return onExit(typeof exit.value === "number" ? exit.value : ExitCode.completed)
  const quit = Chunk.findFirst(Cause.defects(exit.cause), (defect) => defect instanceof ExitCode.Quit)
  if (Option.isSome(quit)) return onExit(quit.value.code)
  onExit(Cause.isInterruptedOnly(exit.cause) ? ExitCode.interrupted : ExitCode.internal)
}

/** Runs what the words of this process ask for, and ends it. */
export const start = (): void =>
  NodeRuntime.runMain(main(process.argv.slice(2)), { disableErrorReporting: true, disablePrettyLogger: true, teardown })
