/**
 * Standard output for results, standard error for errors and notices.
 */
import { Config, Context, Effect, Layer, Schema } from "effect"
import type { WriteStream } from "node:tty"
import * as StyledLine from "./StyledLine.js"

/** The reader of standard output is gone, as in `charlotte plan tasks | head -1`, or it is a file on a full disk. */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {
  /** Why it cannot be written, if that is not the reader's choice. */
  reason: Schema.optional(Schema.String)
}) {
  override get message() {
    return this.reason === undefined
      ? "standard output was closed"
      : `standard output cannot be written: ${this.reason}`
  }
}

const full: ReadonlyArray<string | undefined> = ["ENOSPC", "EDQUOT", "EFBIG"]

const closedBy = (error: NodeJS.ErrnoException): OutputClosed =>
  new OutputClosed(full.includes(error.code) ? { reason: error.message.replace(/, write$/, "") } : {})

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Service {
  /** Returns after the text is written. */
  readonly write: (text: string | Uint8Array) => Effect.Effect<void, OutputClosed>
  /** Never fails: there is no other place for an error. */
  readonly error: (text: string) => Effect.Effect<void>
  /** Whether standard output is a terminal that can move its cursor. */
  readonly isTerminal: boolean
  readonly colours: boolean
  /** The current size of the terminal; 80 by 24 for a pipe. */
  readonly size: Effect.Effect<Size>
}

export class Output extends Context.Tag("charlotte/Output")<Output, Service>() {}

/** Writes lines, in colour if the terminal allows it. */
export const writeLines = (lines: ReadonlyArray<StyledLine.Line>): Effect.Effect<void, OutputClosed, Output> =>
  Effect.flatMap(Output, ({ colours, write }) =>
    lines.length === 0 ? Effect.void : write(lines.map((line) => `${StyledLine.paint(line, colours)}\n`).join(""))
  )

/** Writes a JSON document on one line. */
export const writeJson = (value: unknown): Effect.Effect<void, OutputClosed, Output> =>
  Effect.flatMap(Output, ({ write }) => write(`${JSON.stringify(value)}\n`))

/** The width that lines have to fit in; any in a pipe. */
export const columns: Effect.Effect<number, never, Output> = Effect.flatMap(Output, ({ isTerminal, size }) =>
  isTerminal ? Effect.map(size, ({ columns }) => columns) : Effect.succeed(Infinity)
)

const put = (stream: NodeJS.WriteStream, text: string | Uint8Array): Effect.Effect<void, OutputClosed> =>
  Effect.async((resume) => {
    stream.write(text, (error) => resume(error ? Effect.fail(closedBy(error)) : Effect.void))
  })

const sizeOf = ({ columns, rows }: Partial<WriteStream>): Size => ({
  // Some terminals report 0 at first.
  columns: columns || 80,
  rows: rows || 24
})

/** Leaves the streams open. */
export const make = (out: NodeJS.WriteStream, err: NodeJS.WriteStream): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const variable = (name: string) => Effect.orElseSucceed(Config.string(name), () => "")
    const noColour = yield* variable("NO_COLOR")
    const isTerminal = out.isTTY && (yield* variable("TERM")) !== "dumb"
    // The callback of a write reports its error; an unhandled error event would end the process as well.
    for (const stream of [out, err]) stream.on("error", () => {})
    return {
      write: (text) => put(out, text),
      error: (text) => Effect.ignore(put(err, text)),
      isTerminal,
      colours: isTerminal && noColour === "",
      size: Effect.sync(() => sizeOf(out))
    }
  })

/** The streams of this process. */
export const layer: Layer.Layer<Output> = Layer.effect(
  Output,
  Effect.suspend(() => make(process.stdout, process.stderr))
)
