/**
 * Where the command line writes: what was asked for to the standard output, what went wrong to the standard error.
 */
import { Config, Context, Effect, Layer, Schema } from "effect"
import type { WriteStream } from "node:tty"
import * as StyledLine from "./StyledLine.js"

/** Nobody reads the standard output any more, as in `charlotte plan tasks | head -1`. */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {}) {
  override get message() {
    return "the standard output was closed"
  }
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Service {
  /** Returns when the text is written. */
  readonly write: (text: string | Uint8Array) => Effect.Effect<void, OutputClosed>
  /** Whether the standard error is there or not, this succeeds: there is nobody else to tell. */
  readonly error: (text: string) => Effect.Effect<void>
  /** Of the standard output; one that can move its cursor. */
  readonly isTerminal: boolean
  readonly colours: boolean
  /** As it is now; for a pipe, that of an old terminal. */
  readonly size: Effect.Effect<Size>
}

export class Output extends Context.Tag("charlotte/Output")<Output, Service>() {}

/** Writes lines for a person, in colours if there may be any. */
export const writeLines = (lines: ReadonlyArray<StyledLine.Line>): Effect.Effect<void, OutputClosed, Output> =>
  Effect.flatMap(Output, ({ colours, write }) =>
    lines.length === 0 ? Effect.void : write(lines.map((line) => `${StyledLine.paint(line, colours)}\n`).join(""))
  )

const put = (stream: NodeJS.WriteStream, text: string | Uint8Array): Effect.Effect<void, OutputClosed> =>
  Effect.async((resume) => {
    stream.write(text, (error) => resume(error ? Effect.fail(new OutputClosed()) : Effect.void))
  })

const sizeOf = ({ columns, rows }: Partial<WriteStream>): Size => ({
  // Some terminals say 0 until they know better.
  columns: columns || 80,
  rows: rows || 24
})

/** Of two streams, which stay open. */
export const make = (out: NodeJS.WriteStream, err: NodeJS.WriteStream): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const variable = (name: string) => Effect.orElseSucceed(Config.string(name), () => "")
    const noColour = yield* variable("NO_COLOR")
    const isTerminal = out.isTTY && (yield* variable("TERM")) !== "dumb"
    // A failed write is told to its writer; without somebody who listens it would end the process as well.
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
