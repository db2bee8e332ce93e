/**
 * The standard streams of a child: a file for its input, and one pipe for output and error.
 *
 * Node's own pipes are sockets, on which a script's `> /dev/stderr` fails, and two of them lose the order of their data. So a named
 * pipe and a file are used, which are named after the cookie and removed at once. Every process that holds them keeps their names,
 * so that it is found even if it has cleared its environment.
 */
import { Duration, Effect } from "effect"
import { closeSync, constants, openSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CouldNotStart, type ProcessOutcome } from "./ProcessOutcome.js"
import { runProgram } from "./runProgram.js"

interface Pipe {
  /** The child's end of the pipe, a file descriptor. */
  readonly output: number
  /** Our end of the pipe; reading from it does not block. */
  readonly reader: number
}

export interface StandardStreams extends Pipe {
  readonly input: number | "ignore"
}

/** On failure, nothing stays open. `path` is searched for `mkfifo`, since Node cannot create a named pipe. */
export const open = ({
  cookie,
  path,
  stdin
}: {
  readonly cookie: string
  readonly stdin: string | undefined
  readonly path: string | undefined
}): Effect.Effect<StandardStreams, ProcessOutcome> =>
  Effect.flatMap(makePipe(outputOf(cookie), path), (pipe) =>
    Effect.try({
      try: (): StandardStreams => ({ ...pipe, input: stdin === undefined ? "ignore" : openInput(cookie, stdin) }),
      catch: couldNotBeSetUp
    }).pipe(Effect.tapErrorCause(() => Effect.sync(() => closeAll(pipe))))
  )

/** Removes what a crash has left of a process start. */
export const clear = (cookie: string): Effect.Effect<void> =>
  Effect.sync(() => remove(outputOf(cookie), inputOf(cookie)))

const makePipe = (name: string, PATH = "/usr/bin:/bin"): Effect.Effect<Pipe, ProcessOutcome> =>
  runProgram({
    file: "mkfifo",
    args: ["-m", "600", name],
    cwd: "/",
    env: { PATH },
    limit: Duration.seconds(30)
  }).pipe(
    Effect.filterOrFail(
      ({ code }) => code === 0,
      ({ stderr }) => stderr.trim()
    ),
    Effect.zipRight(Effect.try(() => openPipe(name))),
    Effect.mapError(couldNotBeSetUp),
    Effect.ensuring(Effect.sync(() => remove(name)))
  )

const outputOf = (cookie: string) => join(tmpdir(), `charlotte-${cookie}`)

const inputOf = (cookie: string) => `${outputOf(cookie)}.input`

const openPipe = (name: string): Pipe => {
  // Open the reader first, or the writer would wait for it.
  const reader = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return { reader, output: openSync(name, constants.O_WRONLY) }
  } catch (cause) {
    closeSync(reader)
    throw cause
  }
}

const openInput = (cookie: string, text: string): number => {
  const file = inputOf(cookie)
  try {
    writeFileSync(file, text, { mode: 0o600, flag: "wx" })
    return openSync(file, constants.O_RDONLY)
  } finally {
    remove(file)
  }
}

const remove = (...files: ReadonlyArray<string>): void => {
  for (const file of files) {
    try {
      rmSync(file, { force: true })
    } catch {
      // Left to the cleanup of that directory.
    }
  }
}

const closeAll = ({ output, reader }: Pipe): void => {
  closeSync(output)
  closeSync(reader)
}

const couldNotBeSetUp = (cause: unknown): ProcessOutcome => {
  const why = cause instanceof Error ? cause.message : String(cause)
  return CouldNotStart({ reason: "output", message: `its input and output could not be set up in ${tmpdir()}: ${why}` })
}

/** Closes the child's ends once the child has them, or all ends if there is no child. */
export const close = ({ input, output, reader }: StandardStreams, all: boolean): Effect.Effect<void> =>
  Effect.sync(() => {
    closeSync(output)
    if (input !== "ignore") closeSync(input)
    if (all) closeSync(reader)
  })
