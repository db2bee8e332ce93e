/**
 * A place to write to that keeps what was written.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect, Layer } from "effect"
import * as runCommand from "../../src/cli/parser/runCommand.js"
import { Output, OutputClosed } from "../../src/cli/terminal/Output.js"
import type { Group } from "../../src/cli/parser/CommandTree.js"

export interface Capture {
  readonly out: () => string
  readonly err: () => string
  readonly layer: Layer.Layer<Output>
}

export const make = (
  options: {
    readonly isTerminal?: boolean
    readonly colours?: boolean
    readonly columns?: number
    readonly rows?: number
    /** Whether nobody reads what is written. */
    readonly isClosed?: boolean
  } = {}
): Capture => {
  const out: Array<string> = []
  const err: Array<string> = []
  const { colours = false, columns = 80, isClosed = false, isTerminal = false, rows = 24 } = options
  const layer = Layer.succeed(Output, {
    write: (text) =>
      isClosed ? Effect.fail(new OutputClosed()) : Effect.sync(() => void out.push(Buffer.from(text).toString())),
    error: (text) => Effect.sync(() => void err.push(text)),
    isTerminal,
    colours,
    size: Effect.succeed({ columns, rows })
  })
  return { out: () => out.join(""), err: () => err.join(""), layer }
}

/** Runs a command line in this process. */
export const run = (program: Group, argv: ReadonlyArray<string>, options?: Parameters<typeof make>[0]) => {
  const capture = make(options)
  return runCommand.run(program, argv, { version: "1.2.3" }).pipe(
    Effect.provide(Layer.merge(NodeContext.layer, capture.layer)),
    Effect.map((code) => ({ code, out: capture.out(), err: capture.err() }))
  )
}
