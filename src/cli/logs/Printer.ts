/**
 * Prints pieces of logs: lines on a terminal, in which records of agents are readable and all else is clean; bytes to a pipe; or
 * JSON. As in `tail`, a title shows where the file changes.
 */
import { Effect, Option } from "effect"
import { TextDecoder } from "node:util"
import * as agentRecords from "../../progress/agentRecords.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { Output, type OutputClosed, writeLines } from "../terminal/Output.js"
import * as Terminal from "../terminal/text.js"
import type { LogFile } from "./LogFile.js"

export interface Printer {
  /** The next piece of a file. */
  readonly print: (file: LogFile, bytes: Uint8Array) => Effect.Effect<void, OutputClosed>
  /** All output that existed at first has been printed. */
  readonly catchUp: Effect.Effect<void, OutputClosed>
  /** Prints lines that have not ended yet. */
  readonly end: Effect.Effect<void, OutputClosed>
}

export interface Options {
  readonly json: boolean
  /** Whether a pipe gets lines, too. */
  readonly text: boolean
  /** Whether records of agents stay as they are. */
  readonly raw: boolean
  /** How many of the lines that exist are printed; without it, all. */
  readonly tail: Option.Option<number>
  /** Only lines that contain this text, in any case. */
  readonly grep: Option.Option<string>
  /** Whether titles are shown. */
  readonly titles: boolean
}

export const make = (options: Options): Effect.Effect<Printer, never, Output> =>
  Effect.flatMap(Output, ({ isTerminal }) => {
    if (options.json) return json
    const isText = options.text || Option.isSome(options.tail) || Option.isSome(options.grep)
    return isTerminal || isText ? lines(options) : bytes(options)
  })

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
    catchUp: Effect.void,
    end: Effect.void
  }
})

/** Remembers the file of the last piece. */
const turns = ({ titles }: Pick<Options, "titles">) => {
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
      catchUp: Effect.void,
      end: Effect.void
    }
  })

/** A longer line is printed in pieces, unless it may become a record of an agent. */
const longest = 16 * 1024

/** A line of a file. */
interface FromFile {
  readonly file: LogFile
  readonly line: StyledLine.Line
}

const textOf = (line: StyledLine.Line): string => line.map(({ text }) => text).join("")

const cleaned = (text: string): ReadonlyArray<StyledLine.Line> =>
  Terminal.cleanLines(text).map((line) => [StyledLine.raw(line)])

const lines = ({ grep, raw, tail, titles }: Options) =>
  Effect.map(Effect.context<Output>(), (context): Printer => {
    const decode = decoders()
    const turn = turns({ titles })
    const held = new Map<string, { readonly file: LogFile; readonly text: string }>()
    const words = Option.map(grep, (words) => words.toLowerCase())
    /** The last lines of the output that exists, until all of it is read. */
    let last: Array<FromFile> | undefined = Option.isSome(tail) ? [] : undefined

    const readable = (text: string) => (raw ? undefined : agentRecords.readable(text)) ?? cleaned(text)
    const isWanted = (line: StyledLine.Line) => Option.isNone(words) || textOf(line).toLowerCase().includes(words.value)

    const write = (all: ReadonlyArray<FromFile>) =>
      writeLines(
        all.flatMap(({ file, line }) => {
          const { isFirst, isNew } = turn(file)
          return [
            ...(isNew && !isFirst ? [StyledLine.empty] : []),
            ...(isNew ? [[StyledLine.raw(title(file), "strong")]] : []),
            line
          ]
        })
      ).pipe(Effect.provide(context))

    const put = (file: LogFile, texts: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        const found = texts.flatMap(readable).filter(isWanted)
        if (last === undefined) return write(found.map((line) => ({ file, line })))
        last = [...last, ...found.map((line) => ({ file, line }))].slice(-Option.getOrElse(tail, () => 0))
        return Effect.void
      })

    const catchUp = Effect.suspend(() => {
      const all = last ?? []
      last = undefined
      return write(all)
    })

    return {
      print: (file, bytes) =>
        Effect.suspend(() => {
          const texts = `${held.get(file.path)?.text ?? ""}${decode(file, bytes)}`.split("\n")
          const rest = texts.pop() ?? ""
          const isLong = rest.length > longest && (raw || !agentRecords.mayBeRecord(rest))
          held.set(file.path, { file, text: isLong ? "" : rest })
          return put(file, isLong ? [...texts, rest] : texts)
        }),
      catchUp,
      end: Effect.suspend(() =>
        Effect.forEach([...held.values()], ({ file, text }) => put(file, text === "" ? [] : [text]), { discard: true })
      ).pipe(Effect.zipRight(catchUp))
    }
  })
