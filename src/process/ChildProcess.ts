/**
 * The start of a child process, in a session and a process group of its own.
 */
import { type Array, Deferred, Effect, FiberId, Option } from "effect"
import { spawn } from "node:child_process"
import { accessSync, constants, statSync } from "node:fs"
import { markedCommand } from "./markedCommand.js"
import { CouldNotStart, Exited, type ProcessOutcome, Signalled, type StartFailure } from "./ProcessOutcome.js"
import type { ProcessTable } from "./ProcessTable.js"
import type { Leader } from "./ProcessTree.js"
import type { StandardStreams } from "./StandardStreams.js"
import * as Umask from "./Umask.js"

export interface ChildProcess {
  readonly leader: Leader
  /** Completed when it has ended, whatever it has left behind. */
  readonly ended: Deferred.Deferred<ProcessOutcome>
}

export interface StartOptions {
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly cookie: string
  /** The directory of the control group for it. */
  readonly cgroup: string | undefined
  readonly cwd: string
  readonly env: Record<string, string>
  readonly streams: StandardStreams
  readonly table: Option.Option<ProcessTable>
}

export const start = (options: StartOptions): Effect.Effect<ChildProcess, ProcessOutcome> =>
  Effect.async((resume) => {
    const {
      cwd,
      env,
      streams: { input, output },
      table
    } = options
    // Only the kernel that has a table of processes shows the marks.
    const [file, ...args] = Option.isSome(table) ? markedCommand(options) : options.command
    const fail = (cause: unknown) => resume(Effect.fail(couldNotStart(options, cause)))
    try {
      const ended = Deferred.unsafeMake<ProcessOutcome>(FiberId.none)
      const child = Umask.withInherited(() =>
        spawn(file, args, { cwd, env, detached: true, stdio: [input, output, output] })
      )
      child.once("error", fail)
      child.once("exit", (code, signal) =>
        Deferred.unsafeDone(
          ended,
          Effect.succeed(code === null ? Signalled({ signal: signal ?? "unknown" }) : Exited({ code }))
        )
      )
      const { pid } = child
      if (pid === undefined) return
      // Asked at once, while even one that has ended already is still in the table.
      const startTime = Option.getOrUndefined(table)?.get(pid)?.startTime
      resume(Effect.succeed({ leader: { pid, startTime, isChild: true }, ended }))
    } catch (cause) {
      fail(cause)
    }
  })

const reasons: { readonly [code: string]: readonly [StartFailure, string] } = {
  E2BIG: [
    "tooLong",
    "its arguments and environment are too long for the system; give it the text on stdin or in a file"
  ],
  ERR_INVALID_ARG_VALUE: ["invalid", "an argument, a variable or a path is empty or has a NUL character in it"],
  EAGAIN: ["exhausted", "the system has too many processes"],
  EMFILE: ["exhausted", "this program has too many files open"],
  ENFILE: ["exhausted", "the system has too many files open"],
  ENOMEM: ["exhausted", "the system has no memory left"]
}

/** What Node says of it may repeat an argument, and with it a secret; so the words are ours. */
const couldNotStart = ({ command: [file], cwd }: StartOptions, cause: unknown): ProcessOutcome => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "an unknown error"
  const known = reasons[code]
  const failure = (reason: StartFailure, message: string) => CouldNotStart({ reason, message })
  if (known !== undefined) return failure(...known)
  if (!isDirectory(cwd)) return failure("directory", `its working directory ${cwd} is missing or cannot be entered`)
  switch (code) {
    case "ENOENT":
      return failure(
        "notFound",
        file.includes("/")
          ? `there is no ${file}, or not the interpreter that its first line names`
          : `the command ${file} is not on the PATH, or the interpreter that its first line names is missing`
      )
    case "EACCES":
    case "ENOEXEC":
    case "EISDIR":
      return failure("notExecutable", `${file} is not a file that can be executed; look at its permissions`)
    case "ENOTDIR":
      return failure("notFound", `there is no ${file}: a part of that path is not a directory`)
    default:
      return failure("other", `${file} could not be started: ${code}`)
  }
}

const isDirectory = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
