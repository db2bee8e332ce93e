/**
 * Starts the daemon: in a process that it launches, or in this very one, which is what is launched, and what a supervisor does.
 *
 * Somebody waits for both, one after the other. So these words are read without the library of commands, which takes longer to
 * load than what is done with them.
 */
import { Effect, FiberRef, Logger, LogLevel, Option } from "effect"
import * as Home from "../../daemon/Home.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as toExitCode from "../errors/toExitCode.js"
import { Output } from "../terminal/Output.js"
import * as text from "../terminal/text.js"
import * as spawnDaemon from "./spawnDaemon.js"
import * as ListenAddress from "./ListenAddress.js"
import * as render from "./render.js"
import * as ensureRunning from "./ensureRunning.js"

const switches = ["--foreground", "--json"]
const settings = ["--listen", "--log-level"]

interface Asked extends ensureRunning.Options {
  readonly foreground: boolean
  readonly level: LogLevel.LogLevel
}

/** What the words after `daemon start` ask for, if nothing about them is uncommon. */
const read = (words: ReadonlyArray<string>): Option.Option<Asked> => {
  const given = new Map<string, string>()
  for (let at = 0; at < words.length; at++) {
    const name = words[at] ?? ""
    const value = switches.includes(name) ? "" : settings.includes(name) ? words[++at] : undefined
    if (value === undefined || given.has(name)) return Option.none()
    given.set(name, value)
  }
  const [address, name] = settings.map((name) => given.get(name))
  const listen = address === undefined ? undefined : ListenAddress.parse(address)
  const level = toExitCode.levelOf(name)
  const isMeant = (address === undefined) === (listen === undefined) && (name === undefined || level !== LogLevel.None)
  return isMeant
    ? Option.some({
        foreground: given.has("--foreground"),
        json: given.has("--json"),
        listen: Option.fromNullable(listen),
        level
      })
    : Option.none()
}

/** The command line, if it is this and well-formed: of every other one there is more to say, or something else to do. */
export const command = ([group, name, ...words]: ReadonlyArray<string>): Option.Option<
  Effect.Effect<number, never, Effect.Effect.Context<ReturnType<typeof start>>>
> =>
  Option.map(
    Option.filter(read(words), () => group === "daemon" && name === "start"),
    ({ level, ...options }) =>
      toExitCode.of(start(options), { json: options.json, level, help: "charlotte daemon start --help" })
  )

export const start = ({ foreground, ...options }: Omit<Asked, "level">) =>
  Effect.if(foreground, { onTrue: () => stay(options), onFalse: () => launch(options) })

const launch = (options: ensureRunning.Options) =>
  Effect.flatMap(ensureRunning.up(options), (up) => render.up(up, options)).pipe(Effect.provide(Home.layer))

/** Is the daemon until somebody ends it. */
const stay = ({ json, listen }: ensureRunning.Options) =>
  Effect.gen(function* () {
    // Only here is all of this loaded.
    const Daemon = yield* Effect.promise(() => import("../../daemon/Daemon.js"))
    const output = yield* Effect.context<Output>()
    const asked = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
    const { error } = yield* Output
    yield* Daemon.run({
      show: spawnDaemon.isLaunched ? undefined : (line) => void Effect.runFork(error(readable(line))),
      listen: Option.getOrUndefined(listen),
      onReady: (holder) =>
        Effect.zipRight(
          spawnDaemon.tellLauncher,
          // Whether anybody reads it or not, the daemon goes on.
          Effect.ignore(Effect.provide(render.up({ holder, isNew: true }, { json }), output))
        )
    }).pipe(Logger.withMinimumLogLevel(asked === LogLevel.None ? LogLevel.Info : asked))
    // To be told to end is how it ends.
  }).pipe(Effect.onInterrupt(() => Effect.die(new ExitCode.Quit({ code: ExitCode.completed }))))

/** What is in it may come from elsewhere. */
const readable = (line: string): string =>
  text
    .cleanLines(line)
    .map((line) => `${line}\n`)
    .join("")
