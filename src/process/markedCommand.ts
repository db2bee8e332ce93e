import type { Array } from "effect"
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs"
import { resolve } from "node:path"
import * as ResourceMark from "./ResourceMark.js"

type Command = Array.NonEmptyReadonlyArray<string>

/**
 * The shell marks itself, joins the control group if there is one, and execs the command. Failures are ignored: the process can still
 * be found by its environment, session and standard streams.
 */
const script = `{ [ -z "$3" ] || echo 0 > "$3/cgroup.procs"; ulimit -S -m "$1"; [ -z "$2" ] || ulimit -H -m "$2"; } 2>/dev/null
shift 3
unset PWD OLDPWD SHLVL
exec "$@"`

/**
 * A command line that runs the command with its mark. Returns the command unchanged if it might not start, so that the system
 * reports the error, or if a shell would change its environment.
 */
export const markedCommand = (options: {
  readonly command: Command
  readonly cookie: string
  readonly cwd: string
  readonly env: { readonly [name: string]: string }
  /** The directory of its control group. */
  readonly cgroup: string | undefined
}): Command => {
  const { cgroup = "", command, cookie, cwd, env } = options
  if (!Object.keys(env).every((name) => identifier.test(name) && !setByShell.has(name))) return command
  if (!isFound(command[0], cwd, env["PATH"] ?? "")) return command
  const { hard, soft } = ResourceMark.of(cookie)
  return ["/bin/sh", "-c", script, "sh", String(soft), ResourceMark.hasRoom() ? String(hard) : "", cgroup, ...command]
}

/** A shell drops variables with other names. */
const identifier = /^[A-Za-z_]\w*$/

const setByShell = new Set(["PWD", "OLDPWD", "SHLVL", "_"])

const isFound = (file: string, cwd: string, path: string): boolean =>
  file.includes("/")
    ? isProgram(resolve(cwd, file))
    : file !== "" && path.split(":").some((directory) => isProgram(resolve(cwd, directory, file)))

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Whether a file can be executed, and also the interpreter that its first line may name. */
const isProgram = (path: string): boolean => {
  if (!isExecutable(path)) return false
  const [, interpreter] = /^#!\s*([^\s\0]+)/.exec(head(path)) ?? []
  return interpreter === undefined || isExecutable(interpreter)
}

const head = (path: string): string => {
  try {
    const file = openSync(path, constants.O_RDONLY)
    try {
      const buffer = Buffer.alloc(256)
      return buffer.toString("latin1", 0, readSync(file, buffer, 0, buffer.length, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    // A program can be executable without being readable.
    return ""
  }
}
