/**
 * What a child gets as its standard input, output and error: a file that holds the text for it, and one pipe for both.
 *
 * Node's own pipes are sockets, on which a script's `> /dev/stderr` fails, and two of them lose the order of what came
 * first. So this is a named pipe and a file, in a directory that is named after the cookie and removed at once. Their names
 * stay with every process that holds them, which tells of it even when it has cleared its environment.
 */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, openSync } from "node:fs"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CouldNotStart, type Outcome } from "./Outcome.js"

/** File descriptors. */
export interface StandardStreams {
  readonly input: number | "ignore"
  /** The child's end of the pipe. */
  readonly output: number
  /** Our end of the pipe; reading from it does not block. */
  readonly reader: number
}

const directoryOf = (cookie: string) => join(tmpdir(), `charlotte-${cookie}`)

/** When it fails, nothing stays open. */
export const open = (options: {
  readonly cookie: string
  readonly stdin: string | undefined
}): Effect.Effect<StandardStreams, Outcome> =>
  Effect.tryPromise({
    try: async () => {
      const directory = directoryOf(options.cookie)
      await mkdir(directory, { mode: 0o700 })
      const descriptors: Array<number> = []
      const openFile = (path: string, flags: number) => {
        const fd = openSync(path, flags)
        descriptors.push(fd)
        return fd
      }
      try {
        const pipe = join(directory, "output")
        await makePipe(pipe)
        // The reader comes first, or the writer would wait for it.
        const reader = openFile(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
        const output = openFile(pipe, constants.O_WRONLY)
        if (options.stdin === undefined) return { input: "ignore", output, reader }
        const text = join(directory, "input")
        await writeFile(text, options.stdin, { mode: 0o600 })
        return { input: openFile(text, constants.O_RDONLY), output, reader }
      } catch (cause) {
        for (const fd of descriptors) closeSync(fd)
        throw cause
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },
    catch: (cause) =>
      CouldNotStart({
        reason: "output",
        message: `its input and output could not be set up in ${tmpdir()}: ${cause instanceof Error ? cause.message : String(cause)}`
      })
  })

/** Closes the child's ends, once it has them, or all when there is no child. */
export const close = ({ input, output, reader }: StandardStreams, all: boolean): Effect.Effect<void> =>
  Effect.sync(() => {
    closeSync(output)
    if (input !== "ignore") closeSync(input)
    if (all) closeSync(reader)
  })

/** Removes what a crash while they were set up has left. */
export const clear = (cookie: string): Effect.Effect<void> =>
  Effect.ignore(Effect.tryPromise(() => rm(directoryOf(cookie), { recursive: true, force: true })))

/** Node cannot make one itself. */
const makePipe = async (path: string) => {
  // In a group of its own: a Ctrl-C is not meant for it.
  const mkfifo = spawn("mkfifo", ["-m", "600", path], { detached: true, stdio: "ignore" })
  const [code] = await once(mkfifo, "exit")
  if (code !== 0) throw new Error("mkfifo failed")
}
