/**
 * The daemon in this very process: what `charlotte daemon start` launches, and what a supervisor does.
 *
 * Nobody waits for a command as those wait for it, so its words are read without the library of commands, which takes longer to
 * load than all that the daemon does with them.
 */
import { Effect, FiberRef, Logger, LogLevel, Option } from "effect"
import * as ExitCode from "../ExitCode.js"
import * as Outcome from "../Outcome.js"
import { Output } from "../Output.js"
import * as Terminal from "../Terminal.js"
import * as Launch from "./Launch.js"
import * as Port from "./Port.js"
import * as Told from "./Told.js"
import type { Options } from "./Up.js"

const switches = ["--foreground", "--json"]
const settings = ["--listen", "--log-level"]

/** What the words after `daemon start` ask for, if that is to stay in the foreground, and nothing about them is uncommon. */
const read = (words: ReadonlyArray<string>): Option.Option<Options & { readonly level: LogLevel.LogLevel }> => {
  const given = new Map<string, string>()
  for (let at = 0; at < words.length; at++) {
    const name = words[at] ?? ""
    const value = switches.includes(name) ? "" : settings.includes(name) ? words[++at] : undefined
    if (value === undefined || given.has(name)) return Option.none()
    given.set(name, value)
  }
  const [address, name] = settings.map((name) => given.get(name))
  const listen = address === undefined ? undefined : Port.parse(address)
  const level = Outcome.levelOf(name)
  const isMeant = (address === undefined) === (listen === undefined) && (name === undefined || level !== LogLevel.None)
  return given.has("--foreground") && isMeant
    ? Option.some({ listen: Option.fromNullable(listen), json: given.has("--json"), level })
    : Option.none()
}

/** The command line, if it is this and well-formed: of every other one there is more to say, or something else to do. */
export const command = ([group, name, ...words]: ReadonlyArray<string>): Option.Option<
  Effect.Effect<number, never, Effect.Effect.Context<ReturnType<typeof stay>>>
> =>
  Option.map(
    Option.filter(read(words), () => group === "daemon" && name === "start"),
    ({ level, ...options }) =>
      Outcome.of(stay(options), { json: options.json, level, help: "charlotte daemon start --help" })
  )

/** Is the daemon until somebody ends it. */
export const stay = ({ json, listen }: Options) =>
  Effect.gen(function* () {
    // Only here is all of this loaded.
    const Daemon = yield* Effect.promise(() => import("../../daemon/Daemon.js"))
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
