/**
 * Runs a command line, and returns its exit code.
 */
import { Effect, type Scope } from "effect"
import { StartProgress } from "../../store/port/StartProgress.js"
import * as RemoteServer from "../target/RemoteServer.js"
import * as toExitCode from "../errors/toExitCode.js"
import { Output, writeLines } from "../terminal/Output.js"
import type { Environment, Group } from "./CommandTree.js"
import * as completions from "./completions.js"
import * as help from "./help.js"
import { type Invocation, parse } from "./parse.js"
import { UsageError } from "./UsageError.js"

export interface Options {
  readonly version: string
}

/** Fails only by interruption. */
export const run = (
  root: Group,
  argv: ReadonlyArray<string>,
  options: Options
): Effect.Effect<number, never, Exclude<Environment, Scope.Scope>> =>
  Effect.gen(function* () {
    if (argv[0] === completions.command) return yield* completions.complete(root, argv.slice(1))
    const invocation = parse(root, argv)
    const { json, logLevel, server, tokenFile } = invocation
    const { error } = yield* Output
    // The stream has the line when this returns: nothing else may run within a migration.
    const show = (line: string) => Effect.sync(() => void Effect.runFork(error(`charlotte: ${line}\n`)))
    return yield* toExitCode
      .of(answer(invocation, options), { json, level: toExitCode.levelOf(logLevel) })
      .pipe(
        Effect.provideService(StartProgress, show),
        Effect.provideService(RemoteServer.Flags, { server, tokenFile })
      )
  }).pipe(Effect.scoped)

const answer = (
  { action, effect, node, path, shell }: Invocation,
  { version }: Options
): Effect.Effect<void, unknown, Environment> =>
  Effect.gen(function* () {
    const { write } = yield* Output
    if (action === "help") return yield* showHelp(path, node)
    if (action === "version") return yield* write(`${version}\n`)
    const command = yield* effect
    if (action === "completions") return yield* write(completions.script(shell))
    if ("parameters" in node && node.isLocal === true) yield* refuseRemote(path)
    yield* command ?? showSummary(path, node)
  })

/** The group without a command: the summary of the repository around if it is read by a person and there is one, else the help. */
const showSummary = (path: Invocation["path"], node: Invocation["node"]) =>
  Effect.gen(function* () {
    const { isTerminal } = yield* Output
    const isShown =
      isTerminal &&
      path.length === 1 &&
      (yield* Effect.flatMap(
        Effect.promise(() => import("../summary/summary.js")),
        ({ ofRepository }) => ofRepository
      ))
    if (!isShown) yield* showHelp(path, node)
  })

const refuseRemote = (path: Invocation["path"]) =>
  Effect.whenEffect(
    new UsageError({
      problem: `${path.join(" ")} is about the daemon and the home of this machine only`,
      hint: "leave out --server, and unset CHARLOTTE_SERVER"
    }),
    RemoteServer.isUsed
  )

/** Wider lines are hard to read. */
const maxColumns = 100

const showHelp = (path: Invocation["path"], node: Invocation["node"]) =>
  Effect.gen(function* () {
    const { columns } = yield* Effect.flatMap(Output, ({ size }) => size)
    yield* writeLines(help.render(path, node, Math.min(columns, maxColumns)))
  })
