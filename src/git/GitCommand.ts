/**
 * One git command as a process: an array of arguments of which a shell interprets nothing, an environment of its own, a
 * limit of time. Interruption ends it and waits for its end.
 */
import { Context, Duration, Effect, type Scope } from "effect"
import { constants as modes } from "node:fs"
import { access } from "node:fs/promises"
import { Failpoint } from "../internal/Failpoint.js"
import type { Call, Ended } from "../process/Shell.js"
import * as Shells from "../process/Shells.js"
import { GitFailed, GitMissing, GitTooOld } from "./GitError.js"
import { type GitEnvironment, GitEnvironmentRef } from "./GitEnvironment.js"
import * as GitConfig from "./GitConfig.js"

export interface Invocation extends Call {
  /** Calls that come first in the same way, one after the other, until one fails: fewer ways to a shell and back. */
  readonly first?: ReadonlyArray<Call>
  readonly cwd: string
  readonly variables?: Readonly<Record<string, string>>
  /** Settings of the user's to keep. */
  readonly settings?: Readonly<Record<string, string>>
  /** Reads the user's own configuration too; elsewhere it is left out. */
  readonly userConfig?: boolean
  /** How long each of its calls may take on average, where that is less than for others. */
  readonly limit?: Duration.Duration
  /** The exit codes that are answers; 0 unless said otherwise. */
  readonly answers?: ReadonlyArray<number>
  /** Keeps what git says on its error stream when it ends with 0, too. */
  readonly warnings?: boolean
}

export type GitResult = Pick<Ended, "code" | "stdout" | "stderr">

export interface Service {
  readonly environment: GitEnvironment
  readonly run: (invocation: Invocation) => Effect.Effect<GitResult, GitMissing | GitFailed>
  /** The version, when it is new enough; asked once. */
  readonly version: Effect.Effect<string, GitMissing | GitTooOld | GitFailed>
}

export class GitCommand extends Context.Tag("charlotte/GitCommand")<GitCommand, Service>() {}

/** What has `merge-tree --write-tree`, the youngest of the commands in use. */
const needed = "2.38"

/** The end of what a program said, without what could act on a terminal. */
const plain = (text: string): string =>
  text
    .slice(-2000)
    .replace(/[^\P{C}\n\t]/gu, "?")
    .trim()

/** Relative parts of `PATH` would lead into whatever directory a command runs in. */
const absoluteOnly = (path: string): ReadonlyArray<string> => path.split(":").filter((part) => part.startsWith("/"))

const find = ({ executable, variables }: GitEnvironment): Effect.Effect<string, GitMissing> => {
  const candidates = executable.startsWith("/")
    ? [executable]
    : absoluteOnly(variables["PATH"] ?? "").map((directory) => `${directory}/${executable}`)
  return Effect.firstSuccessOf([
    ...candidates.map((file) =>
      Effect.as(
        Effect.tryPromise(() => access(file, modes.X_OK)),
        file
      )
    ),
    Effect.fail(new GitMissing({ executable }))
  ]).pipe(Effect.mapError(() => new GitMissing({ executable })))
}

/** Remembers a success, and only that: a git installed later is found. */
const once = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let found: { readonly value: A } | undefined
  return Effect.suspend(() =>
    found === undefined
      ? Effect.tap(effect, (value) => Effect.sync(() => (found = { value })))
      : Effect.succeed(found.value)
  )
}

const isOldEnough = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const [needMajor = 0, needMinor = 0] = needed.split(".").map(Number)
  return major > needMajor || (major === needMajor && minor >= needMinor)
}

export const make: Effect.Effect<Service, never, Scope.Scope> = Effect.gen(function* () {
  const environment = yield* GitEnvironmentRef
  const failpoint = yield* Failpoint
  const executable = once(find(environment))
  const shells = yield* Shells.make({
    ...environment.variables,
    PATH: absoluteOnly(environment.variables["PATH"] ?? "").join(":"),
    ...GitConfig.constants
  })
  const run = (invocation: Invocation) => {
    const { answers = [0], args, first = [], limit = environment.limit, settings, userConfig, variables } = invocation
    const operations = [...first.map((call) => call.args), args].map(([name = "git"]) => name)
    const failed = (operation: string, exitCode: number | null, detail: string) =>
      new GitFailed({ operation, exitCode, detail })
    return Effect.flatMap(executable, (file) => {
      const global = userConfig === true ? {} : { GIT_CONFIG_GLOBAL: "/dev/null" }
      const own = settings === undefined ? {} : GitConfig.variables(settings)
      const program = {
        ...invocation,
        file,
        limit: Duration.times(limit, operations.length),
        variables: { ...global, ...own, ...variables }
      }
      const points = () => operations.map((operation) => `git ${operation}`)
      return failpoint.around(points, shells.run(program)).pipe(
        Effect.mapError(({ message }) => failed(operations.join(", "), null, plain(message))),
        Effect.filterOrFail(
          // What is an answer of the last one is none of those before it.
          ({ call, code }) => code === 0 || (call === first.length && answers.includes(code)),
          ({ call, code, stderr }) =>
            failed(operations[call] ?? "git", code, plain(stderr) || `it ended with code ${code}`)
        )
      )
    })
  }
  const version = run({ args: ["version"], cwd: "/" }).pipe(
    Effect.map(({ stdout }) => /(\d+\.\d+\S*)/.exec(stdout.toString())?.[1] ?? "unknown"),
    Effect.filterOrFail(isOldEnough, (found) => new GitTooOld({ version: found, needed })),
    once
  )
  return { environment, run, version }
})

/** Runs git with what the invocation says. */
export const run = (invocation: Invocation) => Effect.flatMap(GitCommand, (command) => command.run(invocation))

/**
 * A step beside git, such as the reading of a file, as one of git's own. It is not interrupted: its promise would go on
 * by itself, and write where somebody clears up.
 */
export const step = <A>(operation: string, f: () => Promise<A>): Effect.Effect<A, GitFailed> =>
  Effect.uninterruptible(
    Effect.flatMap(Failpoint, ({ around }) =>
      around(
        () => [`git, ${operation}`],
        Effect.tryPromise({
          try: f,
          catch: (cause) => {
            const detail = plain(cause instanceof Error ? cause.message : String(cause))
            return new GitFailed({ operation, exitCode: null, detail })
          }
        })
      )
    )
  )
