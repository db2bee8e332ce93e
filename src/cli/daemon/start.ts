/**
 * Starts the daemon in a separate process, or runs it in this process, in the foreground.
 */
import { Effect, FiberRef, Logger, LogLevel, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as ExitCode from "../errors/ExitCode.js"
import { Output } from "../terminal/Output.js"
import * as text from "../terminal/text.js"
import * as spawnDaemon from "./spawnDaemon.js"
import * as render from "./render.js"
import * as ensureRunning from "./ensureRunning.js"
import * as settings from "./settings.js"

export interface Options extends Omit<ensureRunning.Options, "node" | "port">, settings.Given {
  readonly foreground: boolean
}

export const start = ({ foreground, ...given }: Options) => {
  const options = { ...given, node: settings.ofNode(given), port: settings.ofPort(given) }
  return Effect.if(foreground, { onTrue: () => stay(options), onFalse: () => launch(options) })
}

const launch = (options: ensureRunning.Options) =>
  Effect.flatMap(ensureRunning.up(options), (up) => render.up(up, options)).pipe(Effect.provide(Home.layer))

/** Runs the daemon in this process until it is shut down. */
const stay = ({ again, database, json, listen, node, port }: ensureRunning.Options) =>
  Effect.gen(function* () {
    // Only the daemon itself loads all of this.
    const Daemon = yield* Effect.promise(() => import("../../daemon/Daemon.js"))
    const output = yield* Effect.context<Output>()
    const level = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
    const { error } = yield* Output
    yield* Daemon.run({
      show: spawnDaemon.isLaunched ? undefined : (line) => void Effect.runFork(error(readable(line))),
      again,
      database,
      node,
      listen: Option.getOrUndefined(listen),
      port,
      onProgress: spawnDaemon.reportToLauncher,
      onReady: (holder) =>
        Effect.zipRight(
          spawnDaemon.tellLauncher,
          // The daemon does not depend on a reader of its output.
          Effect.ignore(Effect.provide(render.up({ holder, isNew: true }, { json }), output))
        )
    }).pipe(Logger.withMinimumLogLevel(level === LogLevel.None ? LogLevel.Info : level))
    // A shutdown is its normal end.
  }).pipe(Effect.onInterrupt(() => Effect.die(new ExitCode.Quit({ code: ExitCode.completed }))))

/** Log lines may contain text from agents. */
const readable = (line: string): string =>
  text
    .cleanLines(line)
    .map((line) => `${line}\n`)
    .join("")
