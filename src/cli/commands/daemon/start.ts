/**
 * `charlotte daemon start`: a manager of jobs that outlives the terminal.
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect, FiberRef, Logger, LogLevel, Option } from "effect"
import * as Home from "../../../daemon/Home.js"
import * as Launch from "../../daemon/Launch.js"
import * as Told from "../../daemon/Told.js"
import * as Up from "../../daemon/Up.js"
import * as ExitCode from "../../ExitCode.js"
import { Output } from "../../Output.js"
import * as Terminal from "../../Terminal.js"
import { about, json } from "../parameters.js"
import { listen } from "./parameters.js"

const foreground = Options.boolean("foreground").pipe(
  Options.withDescription("Stays in the foreground, for a supervisor such as systemd.")
)

export const start = Command.make("start", { foreground, listen, json }, ({ foreground, ...options }) =>
  Effect.if(foreground, { onTrue: () => stay(options), onFalse: () => background(options) })
).pipe(
  Command.withDescription(
    about(
      "Starts the daemon and returns when it takes jobs. It goes on with those that were interrupted. When one is up already, it says so.",
      "charlotte daemon start"
    )
  )
)

const background = (options: Up.Options) =>
  Effect.flatMap(Up.up(options), (up) => Told.up(up, options)).pipe(Effect.provide(Home.layer))

const stay = ({ json, listen }: Up.Options) =>
  Effect.gen(function* () {
    // Only here is all of this loaded.
    const Daemon = yield* Effect.promise(() => import("../../../daemon/Daemon.js"))
    const output = yield* Effect.context<Output>()
    const asked = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
    const { error } = yield* Output
    yield* Daemon.run({
      show: Launch.isLaunched ? undefined : (line) => void Effect.runFork(error(readable(line))),
      listen: Option.getOrUndefined(listen),
      onReady: (holder) =>
        Effect.zipRight(
          Launch.tellLauncher,
          // Whether anybody reads it or not, the daemon goes on.
          Effect.ignore(Effect.provide(Told.up({ holder, isNew: true }, { json }), output))
        )
    }).pipe(Logger.withMinimumLogLevel(asked === LogLevel.None ? LogLevel.Info : asked))
    // To be told to end is how it ends.
  }).pipe(Effect.onInterrupt(() => Effect.die(new ExitCode.Quit({ code: ExitCode.completed }))))

/** What is in it may come from elsewhere. */
const readable = (line: string): string =>
  Terminal.cleanLines(line)
    .map((line) => `${line}\n`)
    .join("")
