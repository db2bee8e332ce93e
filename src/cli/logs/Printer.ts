/**
 * Prints pieces of logs: clean lines on a terminal, bytes to a pipe, or JSON. As in `tail`, a title shows where the file changes.
 */
import { Effect } from "effect"
import { TextDecoder } from "node:util"
import * as StyledLine from "../terminal/StyledLine.js"
import { Output, type OutputClosed, writeLines } from "../terminal/Output.js"
import * as Terminal from "../terminal/text.js"
import type { LogFile } from "./LogFile.js"

export interface Printer {
  /** The next piece of a file. */
  readonly print: (file: LogFile, bytes: Uint8Array) => Effect.Effect<void, OutputClosed>
  /** Prints lines that have not ended yet. */
  readonly end: Effect.Effect<void, OutputClosed>
}

export interface Options {
  readonly json: boolean
  /** Whether titles are shown. */
  readonly titles: boolean
}

export const make = (options: Options): Effect.Effect<Printer, never, Output> =>
  Effect.flatMap(Output, (output) => (options.json ? json : output.isTerminal ? lines(options) : bytes(options)))

const title = ({ attempt, task, unit, what }: LogFile): string => {
  const place = [unit, task].filter((part) => part !== undefined && part !== "").join(" ")
  return Terminal.clean(`==> ${place}${place === "" ? "" : ", "}${what}, attempt ${attempt} <==`)
}

/** Decodes pieces that may be cut within a character. */
const decoders = () => {
  const all = new Map<string, TextDecoder>()
  return ({ path }: LogFile, bytes: Uint8Array): string => {
    const decoder = all.get(path) ?? new TextDecoder()
    all.set(path, decoder)
    return decoder.decode(bytes, { stream: true })
  }
}

const json = Effect.map(Output, ({ write }): Printer => {
  const decode = decoders()
  return {
    print: (file, bytes) =>
      Effect.suspend(() => {
        const { attempt, path, task, unit, what } = file
        return write(`${JSON.stringify({ unit, task, attempt, what, file: path, text: decode(file, bytes) })}\n`)
      }),
    end: Effect.void
  }
})

/** Remembers the file of the last piece. */
const turns = ({ titles }: Options) => {
  let current: string | undefined
  return (file: LogFile): { readonly isNew: boolean; readonly isFirst: boolean } => {
    const isFirst = current === undefined
    const isNew = titles && current !== file.path
    current = file.path
    return { isNew, isFirst }
  }
}

const newline = "\n".charCodeAt(0)

const bytes = (options: Options) =>
  Effect.map(Output, ({ write }): Printer => {
    const turn = turns(options)
    let isLineOver = true
    return {
      print: (file, bytes) =>
        Effect.suspend(() => {
          const { isFirst, isNew } = turn(file)
          const before = isNew ? `${isLineOver ? "" : "\n"}${isFirst ? "" : "\n"}${title(file)}\n` : ""
          isLineOver = bytes.at(-1) === newline
          return Effect.zipRight(before === "" ? Effect.void : write(before), write(bytes))
        }),
      end: Effect.void
    }
  })

/** A longer line is printed in pieces. */
const longest = 16 * 1024

const lines = (options: Options) =>
  Effect.map(Effect.context<Output>(), (context): Printer => {
    const decode = decoders()
    const turn = turns(options)
    const held = new Map<string, { readonly file: LogFile; readonly text: string }>()

    const put = (file: LogFile, texts: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        if (texts.length === 0) return Effect.void
        const { isFirst, isNew } = turn(file)
        return writeLines([
          ...(isNew && !isFirst ? [StyledLine.empty] : []),
          ...(isNew ? [[StyledLine.raw(title(file), "strong")]] : []),
          ...texts.map((text) => Terminal.cleanLines(text).map((line) => StyledLine.raw(line)))
        ])
      }).pipe(Effect.provide(context))

    return {
      print: (file, bytes) =>
        Effect.suspend(() => {
          const texts = `${held.get(file.path)?.text ?? ""}${decode(file, bytes)}`.split("\n")
          const rest = texts.pop() ?? ""
          const isLong = rest.length > longest
          held.set(file.path, { file, text: isLong ? "" : rest })
          return put(file, isLong ? [...texts, rest] : texts)
        }),
      end: Effect.suspend(() =>
        Effect.forEach([...held.values()], ({ file, text }) => put(file, text === "" ? [] : [text]), { discard: true })
      )
    }
  })
