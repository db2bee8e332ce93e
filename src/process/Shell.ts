/**
 * One shell that starts programs, one after the other: it is sent a line for each, and both of its streams say when the program
 * is over.
 */
import { Data, type Duration, Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { Socket } from "node:net"
import { RealClock } from "../internal/RealClock.js"
import * as Umask from "./Umask.js"

export interface Call {
  readonly args: ReadonlyArray<string>
  readonly input?: string | undefined
}

export interface Program extends Call {
  /** An absolute path, or a name that is looked for in `PATH`. */
  readonly file: string
  /** Calls of the same program that come first, one after the other, until one fails. What they print is not kept. */
  readonly first?: ReadonlyArray<Call> | undefined
  readonly cwd: string
  /** In addition to those that all programs of these shells get. */
  readonly variables: Readonly<Record<string, string>>
  /** How long it may take with all its calls, by the clock on the wall. */
  readonly limit: Duration.Duration
  /** Keeps what it says on its error stream when it ends with 0, too. */
  readonly warnings?: boolean | undefined
}

export interface Ended {
  /** Which call was the last one, from 0 on; those before it have ended with 0. */
  readonly call: number
  /** As a shell tells it: above 128 for one that was ended by a signal, and 126 or 127 for one that could not be started. */
  readonly code: number
  readonly stdout: Buffer
  /** The end of it, of all its calls, when the code is not 0 or warnings are kept. */
  readonly stderr: string
}

/** How it ended cannot be told. */
export class NotTold extends Data.TaggedError("NotTold")<{ readonly message: string }> {}

const maxOutput = 256 * 1024 * 1024

const maxErrors = 20_000

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** As `printf %b` takes it. */
const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\0", "\\0000")

/**
 * What a shell is told. After the program both of its streams tell that it is over, and its output tells how it ended: that one
 * last, or it would be read before the other one has anything to read.
 */
const script = ({ cwd, file, first = [], variables, ...last }: Program, mark: string): string => {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}`)
  const fed = ({ args, input }: Call) => {
    const command = [...assignments, ...[file, ...args].map(quote)].join(" ")
    return input === undefined ? `${command} </dev/null` : `printf %b ${quote(escaped(input))} | ${command}`
  }
  const calls = [...first.map((call, i) => `${fed(call)} >/dev/null && call=${i + 1}`), fed(last)].join(" && ")
  return (
    `call=0; if cd -P ${quote(cwd)}; then ${calls}; code=$?; else code=none; fi; cd /; ` +
    `printf '\\n${mark}\\n' >&2; printf '\\n${mark} %s %s\\n' "$code" "$call"\n`
  )
}

/** What no program can say, since it is made anew for each. */
const markOf = (name: string, call: number) => {
  const text = `${name}.${call}`
  return { call, text, line: `\n${text}\n`, before: `\n${name}.${call - 1}\n`, beforeCode: `\n${text} ` }
}

export interface Shell {
  readonly send: (program: Program, over: (exit: Ended | NotTold) => void) => void
  /** Signals the shell and all that it has started. */
  readonly signal: (name: NodeJS.Signals) => void
  /** Whether nothing of it is left, nor of what it has started and still holds its output. */
  readonly isGone: () => boolean
  /** Says whether this process has to stay for it. */
  readonly hold: (isHeld: boolean) => void
  /** It goes when it has done what it was sent. */
  readonly dismiss: () => void
  /** Listens to it no more. */
  readonly abandon: () => void
}

export const open = (env: Readonly<Record<string, string>>, onGone: () => void): Shell => {
  // Without streams where there are no descriptors for them any more; its error tells.
  const child: ChildProcess = Umask.withInherited(() =>
    spawn("/bin/sh", [], { cwd: "/", env, detached: true, stdio: "pipe" })
  )
  const { stderr, stdin, stdout } = child
  const name = randomUUID()
  let isGone = false
  let mark = markOf(name, 0)
  let over: ((exit: Ended | NotTold) => void) | undefined
  let keepsWarnings = false
  let output: Array<Buffer> = []
  let size = 0
  let tail = ""
  let errors = ""

  const tell = (exit: Ended | NotTold) => {
    const listener = over
    over = undefined
    output = []
    listener?.(exit)
  }
  const look = () => {
    const at = tail.lastIndexOf(mark.beforeCode)
    if (over === undefined || at === -1 || !tail.endsWith("\n")) return
    if (size > maxOutput) return tell(new NotTold({ message: `it said more than ${maxOutput} bytes` }))
    const line = tail.slice(at)
    const [code = "", call] = line.slice(mark.beforeCode.length, -1).split(" ")
    const answer = () => Buffer.concat(output).subarray(0, -line.length)
    // What it has said beside its answer is waited for only where it matters, as when it has failed.
    const ended = { code: Number(code), call: Number(call) }
    if (code === "0" && !keepsWarnings) return tell({ ...ended, stdout: answer(), stderr: "" })
    const [said, rest] = (errors.split(mark.before).at(-1) ?? "").split(mark.line)
    if (said === undefined || rest === undefined) return
    tell(code === "none" ? new NotTold({ message: said }) : { ...ended, stdout: answer(), stderr: said })
  }
  stdout?.on("data", (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxOutput) output.push(chunk)
    tail = (tail + chunk.toString("latin1", Math.max(0, chunk.length - 64))).slice(-64)
    look()
  })
  stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-maxErrors)
    look()
  })
  const close = (message: string) => {
    isGone = true
    onGone()
    tell(new NotTold({ message }))
  }
  // It may be gone before it has read what it was sent; its end tells.
  stdin?.on("error", () => {})
  child.on("error", ({ message }) => close(message))
  // Its output is closed by the last one that holds it: no sooner than the program is over.
  child.on("close", (code, signal) => close(`the shell that runs it ended with ${signal ?? `code ${code}`}`))
  // Told to end while a program runs, it ends after the program, which was told as well.
  stdin?.write("trap 'exit 143' TERM\n")

  return {
    send: (program, listener) => {
      over = listener
      mark = markOf(name, mark.call + 1)
      keepsWarnings = program.warnings === true
      size = 0
      tail = ""
      stdin?.write(script(program, mark.text))
    },
    signal: (name) => {
      // As long as its end was not seen, the pid is still its own.
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      try {
        process.kill(-child.pid, name)
      } catch {
        // It has gone by itself.
      }
    },
    isGone: () => isGone,
    hold: (isHeld) => {
      const streams = [stdin, stdout, stderr].flatMap((stream) => (stream instanceof Socket ? [stream] : []))
      for (const held of [child, ...streams]) held[isHeld ? "ref" : "unref"]()
    },
    dismiss: () => stdin?.end(),
    abandon: () => [stdin, stdout, stderr].forEach((stream) => stream?.destroy())
  }
}

/**
 * Returns when all of them are gone, or after some so many milliseconds. Counted: a time limit would wait for what cannot be
 * interrupted.
 */
export const goneWithin = (shells: ReadonlyArray<Shell>, millis: number) =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    for (let i = 0; i < millis && !shells.every((shell) => shell.isGone()); i++) yield* sleep(1)
  })

/** Ends it with all that it has started: politely, so that git takes its locks away, and soon after by force. */
export const end = (shell: Shell) =>
  Effect.gen(function* () {
    // More than once: what is just about to be started does not hear it.
    for (let i = 0; i < 10; i++) {
      shell.signal("SIGTERM")
      yield* goneWithin([shell], 50)
    }
    shell.signal("SIGKILL")
    yield* goneWithin([shell], 5_000)
    // Whoever else holds its output has nothing to say to us.
    shell.abandon()
  })
