/**
 * Runs one git command as a process: an array of arguments without a shell, a controlled environment and a time limit. Interruption
 * ends the process and waits for its exit.
 */
import { Context, type Duration, Effect } from "effect"
import { constants as modes } from "node:fs"
import { access } from "node:fs/promises"
import { Failpoint } from "../internal/Failpoint.js"
import { type Program, type ProgramResult, runProgram } from "../process/runProgram.js"
import { GitFailed, GitMissing, GitTooOld } from "./GitError.js"
import { type GitEnvironment, GitEnvironmentRef } from "./GitEnvironment.js"
import * as GitConfig from "./GitConfig.js"

export interface Invocation {
  readonly args: ReadonlyArray<string>
  readonly input?: Program["input"]
  readonly cwd: string
  readonly variables?: Readonly<Record<string, string>>
  /** The user's settings to apply. */
  readonly settings?: Readonly<Record<string, string>>
  /** Also reads the user's own configuration, which is ignored otherwise. */
  readonly userConfig?: boolean
  /**
   * Reaches other repositories, as the user would: with the user's own configuration and the system's, which may name programs, instead
   * of the constant settings. Only for a temporary git directory, in which no process has planted anything.
   */
  readonly usesNetwork?: boolean
  /** Time limit, if it is shorter than the default. */
  readonly limit?: Duration.Duration
  /** The exit codes that do not count as failures; only 0 by default. */
  readonly answers?: ReadonlyArray<number>
}

export interface Service {
  readonly environment: GitEnvironment
  readonly run: (invocation: Invocation) => Effect.Effect<ProgramResult, GitMissing | GitFailed>
  /** The version, if it is new enough; determined once. */
  readonly version: Effect.Effect<string, GitMissing | GitTooOld | GitFailed>
}

export class GitCommand extends Context.Tag("charlotte/GitCommand")<GitCommand, Service>() {}

/** The first version with `merge-tree --write-tree`, the newest feature in use. */
const needed = "2.38"

const maxDetail = 2_000

/** The last whole lines of a program's output, without control characters. Part of a line could evade the redaction of secrets. */
const plain = (text: string): string =>
  (text.length <= maxDetail ? text : text.slice(-maxDetail).replace(/^[^\n]*\n/, ""))
    .replace(/[^\P{C}\n\t]/gu, "?")
    .trim()

/** Relative entries of `PATH` would resolve in the directory in which a command runs. */
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

/** Caches only success, so that a git that is installed later is found. */
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

export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const environment = yield* GitEnvironmentRef
  const failpoint = yield* Failpoint
  const executable = once(find(environment))
  const user = { ...environment.variables, PATH: absoluteOnly(environment.variables["PATH"] ?? "").join(":") }
  const run = ({
    answers = [0],
    args,
    cwd,
    input,
    limit = environment.limit,
    settings,
    userConfig,
    usesNetwork,
    variables
  }: Invocation) => {
    const [operation = "git"] = args
    const failed = (exitCode: number | null, detail: string) =>
      new GitFailed({ operation, exitCode, detail: plain(detail) })
    const env =
      usesNetwork === true
        ? { ...user, ...GitConfig.network, ...variables }
        : {
            ...user,
            ...GitConfig.constants,
            // No file has an empty name, so git opens none.
            ...(userConfig === true ? {} : { GIT_CONFIG_GLOBAL: "" }),
            ...(settings === undefined ? {} : GitConfig.variables(settings)),
            ...variables
          }
    return Effect.flatMap(executable, (file) =>
      failpoint
        .around(() => [`git ${operation}`], runProgram({ file, args, cwd, env, input, limit }))
        .pipe(
          Effect.mapError(({ message }) => failed(null, message)),
          Effect.filterOrFail(
            ({ code }) => answers.includes(code),
            ({ code, stderr }) => failed(code, plain(stderr) || `exited with code ${code}`)
          )
        )
    )
  }
  const version = run({ args: ["version"], cwd: "/" }).pipe(
    Effect.map(({ stdout }) => /(\d+\.\d+\S*)/.exec(stdout.toString())?.[1] ?? "unknown"),
    Effect.filterOrFail(isOldEnough, (found) => new GitTooOld({ version: found, needed })),
    once
  )
  return { environment, run, version }
})

export const run = (invocation: Invocation) => Effect.flatMap(GitCommand, (command) => command.run(invocation))

/**
 * A step of an operation that runs in this process, such as reading a file. Uninterruptible: its promise would continue in the
 * background, and might write where another operation cleans up.
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
