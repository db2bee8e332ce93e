/**
 * One git command as a child process: an array of arguments and no shell, a process group of its own that a terminal's
 * Ctrl-C does not reach, an environment of its own, output kept up to a limit. Interruption ends it and waits for its end.
 */
import { Clock, Context, Duration, Effect, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { constants as modes } from "node:fs"
import { access } from "node:fs/promises"
import { Failpoint } from "../../store/Failpoint.js"
import * as Umask from "../process/Umask.js"
import { GitFailed, GitMissing, GitTooOld } from "./GitError.js"
import { type GitEnvironment, GitEnvironmentRef } from "./GitEnvironment.js"
import * as Settings from "./Settings.js"

export interface Invocation {
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly variables?: Readonly<Record<string, string>>
  /** Settings of the user's to keep. */
  readonly settings?: Readonly<Record<string, string>>
  /** Reads the user's own configuration too; elsewhere it is left out. */
  readonly userConfig?: boolean
  readonly input?: string | Uint8Array
  /** How long it may take, where that is less than for others. */
  readonly limit?: Duration.Duration
  /** The exit codes that are answers; 0 unless said otherwise. */
  readonly answers?: ReadonlyArray<number>
}

export interface Output {
  readonly code: number
  readonly stdout: Buffer
}

export interface Service {
  readonly environment: GitEnvironment
  readonly run: (invocation: Invocation) => Effect.Effect<Output, GitMissing | GitFailed>
  /** The version, when it is new enough; asked once. */
  readonly version: Effect.Effect<string, GitMissing | GitTooOld | GitFailed>
}

export class GitCommand extends Context.Tag("charlotte/GitCommand")<GitCommand, Service>() {}

/** What has `merge-tree --write-tree`, the youngest of the commands in use. */
const needed = "2.38"

const maxOutput = 256 * 1024 * 1024

/** Git lives in real time, whatever clock a test has set: deadlines and waiting go by the clock on the wall. */
export const inRealTime = Effect.withClock(Clock.make())

/** The end of what a program said, without what could act on a terminal. */
const plain = (text: string): string =>
  text
    .slice(-2000)
    .replace(/[^\P{C}\n\t]/gu, "?")
    .trim()

/** Ends the process and all of its group: politely, so that git takes its locks away, and soon after by force. */
const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null
    const signal = (name: NodeJS.Signals) =>
      Effect.sync(() => {
        // As long as its end was not seen, the pid is still its own.
        if (child.pid === undefined || hasEnded()) return
        try {
          process.kill(-child.pid, name)
        } catch {
          // It has gone by itself.
        }
      })
    // Counted, not timed out: a timeout would itself wait for what cannot be interrupted.
    const wait = (times: number) =>
      Effect.repeat(Effect.sync(hasEnded), {
        until: (ended) => ended,
        schedule: Schedule.intersect(Schedule.spaced("5 millis"), Schedule.recurs(times))
      })
    return Effect.all([signal("SIGTERM"), wait(100), signal("SIGKILL"), wait(1000)], { discard: true }).pipe(
      // Whoever else holds the pipes open has nothing to say to us.
      Effect.zipRight(Effect.sync(() => [child.stdout, child.stderr].forEach((stream) => stream?.destroy()))),
      inRealTime
    )
  })

const execute = (executable: string, { answers = [0], args, cwd, input }: Invocation, env: Record<string, string>) =>
  Effect.async<Output, GitFailed>((resume) => {
    const operation = args[0] ?? "git"
    const fail = (exitCode: number | null, detail: string) =>
      resume(Effect.fail(new GitFailed({ operation, exitCode, detail })))
    const child = Umask.asGiven(() => spawn(executable, args, { cwd, env, detached: true, stdio: "pipe" }))
    const stdout: Array<Buffer> = []
    let size = 0
    let stderr = ""
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxOutput) stdout.push(chunk)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-20_000)
    })
    // It may end before it has read everything; its exit code tells.
    child.stdin.on("error", () => {})
    child.stdin.end(input)
    child.on("error", (cause) => fail(null, plain(cause.message)))
    child.on("close", (code, signal) => {
      if (size > maxOutput) fail(code, `it said more than ${maxOutput} bytes`)
      else if (code !== null && answers.includes(code)) resume(Effect.succeed({ code, stdout: Buffer.concat(stdout) }))
      else fail(code, signal === null ? plain(stderr) : `it was ended by ${signal}`)
    })
    return end(child)
  })

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

export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const environment = yield* GitEnvironmentRef
  const failpoint = yield* Failpoint
  const executable = once(find(environment))
  const base: Record<string, string> = {
    ...environment.variables,
    PATH: absoluteOnly(environment.variables["PATH"] ?? "").join(":"),
    ...Settings.constants
  }
  const run = (invocation: Invocation) => {
    const limit = invocation.limit ?? environment.limit
    return Effect.flatMap(executable, (file) =>
      failpoint
        .around(
          () => [`git ${invocation.args[0]}`],
          execute(file, invocation, {
            ...base,
            ...(invocation.userConfig === true ? {} : { GIT_CONFIG_GLOBAL: "/dev/null" }),
            ...Settings.variables(invocation.settings ?? {}),
            ...invocation.variables
          })
        )
        .pipe(
          Effect.timeoutFail({
            duration: limit,
            onTimeout: () =>
              new GitFailed({
                operation: invocation.args[0] ?? "git",
                exitCode: null,
                detail: `it took longer than ${Duration.format(limit)} and was ended`
              })
          }),
          inRealTime
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
