/**
 * What a child gets as its standard input, output and error: a file that holds the text for it, and one pipe for both.
 *
 * Node's own pipes are sockets, on which a script's `> /dev/stderr` fails, and two of them lose the order of what came
 * first. So this is a named pipe and a file, which are named after the cookie and removed at once. Their names stay with
 * every process that holds them, which tells of it even when it has cleared its environment.
 */
import { Duration, Effect, type Scope } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { closeSync, constants, openSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CouldNotStart, type ProcessOutcome } from "./ProcessOutcome.js"
import type { Shells } from "./Shells.js"

interface Pipe {
  /** The child's end of the pipe, a file descriptor. */
  readonly output: number
  /** Our end of the pipe; reading from it does not block. */
  readonly reader: number
}

export interface StandardStreams extends Pipe {
  readonly input: number | "ignore"
}

export interface StandardStreamsFactory {
  /** A mark that no other process has, given once. Whoever does not come to open its streams clears it. */
  readonly cookie: Effect.Effect<string>
  /** When it fails, nothing stays open. */
  readonly open: (cookie: string, stdin: string | undefined) => Effect.Effect<StandardStreams, ProcessOutcome>
  /** Removes what is there for a cookie, be it of a process that a crash has cut off while it was started. */
  readonly clear: (cookie: string) => Effect.Effect<void>
}

/** Node cannot make a pipe with a name, and a process that does costs a millisecond: so it makes several. */
const several = 4

export const make = (shells: Shells): Effect.Effect<StandardStreamsFactory, never, Scope.Scope> =>
  Effect.gen(function* () {
    /** Those that nobody has opened yet, by their cookies. */
    const pipes = new Map<string, Pipe>()
    /** The cookies of those that nobody was given. */
    const spare: Array<string> = []

    const clear = (cookie: string) => {
      const pipe = pipes.get(cookie)
      pipes.delete(cookie)
      if (pipe !== undefined) closeAll(pipe)
      remove(outputOf(cookie), inputOf(cookie), ...madeFor(cookie))
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => [...pipes.keys()].forEach(clear)))

    const make = (cookie: string, others: ReadonlyArray<string>): Effect.Effect<void, ProcessOutcome> => {
      const names = new Map([
        [cookie, outputOf(cookie)],
        ...others.map((other) => [other, spareOf(other, cookie)] as const)
      ])
      const args = ["-m", "600", ...names.values()]
      return shells.run({ file: "mkfifo", args, cwd: "/", variables: {}, limit: Duration.seconds(30) }).pipe(
        Effect.mapError(couldNotBeSetUp),
        Effect.filterOrFail(
          ({ code }) => code === 0,
          ({ stderr }) => couldNotBeSetUp(stderr.trim())
        ),
        Effect.zipRight(
          Effect.try({
            try: () => names.forEach((name, cookie) => pipes.set(cookie, openPipe(name))),
            catch: couldNotBeSetUp
          })
        ),
        Effect.tapErrorCause(() => Effect.sync(() => [...names.keys()].forEach(clear))),
        Effect.ensuring(Effect.sync(() => remove(...names.values())))
      )
    }

    const take = (cookie: string): Effect.Effect<Pipe, ProcessOutcome> =>
      Effect.suspend(() => {
        const pipe = pipes.get(cookie)
        pipes.delete(cookie)
        if (pipe !== undefined) return Effect.succeed(pipe)
        const others = Array.from({ length: several - 1 }, () => randomUUID())
        return make(cookie, others).pipe(
          Effect.tap(() => Effect.sync(() => spare.push(...others))),
          Effect.zipRight(take(cookie))
        )
      })

    return {
      cookie: Effect.sync(() => spare.pop() ?? randomUUID()),
      open: (cookie, stdin) =>
        Effect.flatMap(take(cookie), (pipe) =>
          Effect.try({
            try: (): StandardStreams => ({ ...pipe, input: stdin === undefined ? "ignore" : openInput(cookie, stdin) }),
            catch: couldNotBeSetUp
          }).pipe(Effect.tapErrorCause(() => Effect.sync(() => closeAll(pipe))))
        ),
      clear: (cookie) => Effect.sync(() => clear(cookie))
    }
  })

const outputOf = (cookie: string) => join(tmpdir(), `charlotte-${cookie}`)

const inputOf = (cookie: string) => `${outputOf(cookie)}.input`

/** The name of a pipe that is made along with that of another process; it tells that, and not by its cookie, whose mark it is. */
const spareOf = (cookie: string, along: string) => `${outputOf(cookie)}.${digest(along)}`

const digest = (cookie: string) => createHash("sha256").update(cookie).digest("hex").slice(0, 16)

/** What a crash has left of the pipes that were made along with that of this one, the only one that was recorded. */
const madeFor = (cookie: string): ReadonlyArray<string> => {
  try {
    const names = readdirSync(tmpdir()).filter(
      (name) => name.startsWith("charlotte-") && name.endsWith(`.${digest(cookie)}`)
    )
    return names.map((name) => join(tmpdir(), name))
  } catch {
    return []
  }
}

const openPipe = (name: string): Pipe => {
  // The reader comes first, or the writer would wait for it.
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
      // Whoever empties the directory for such files takes it away.
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

/** Closes the child's ends, once it has them, or all when there is no child. */
export const close = ({ input, output, reader }: StandardStreams, all: boolean): Effect.Effect<void> =>
  Effect.sync(() => {
    closeSync(output)
    if (input !== "ignore") closeSync(input)
    if (all) closeSync(reader)
  })
