/**
 * The log files of a job: the output of its agents, gates and setups.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Array, Effect, Option, Order } from "effect"
import * as OutputReader from "../../process/OutputReader.js"

export interface LogFile extends OutputReader.Output {
  /** Empty for files that belong to no unit. */
  readonly unit: string
  readonly task: number | undefined
  /** The attempt of the task, after that of the job from its second one on, and which call of it, from its second one on. */
  readonly attempt: string
  /** `agent`, `gate`, `setup`, or the name of the file. */
  readonly what: string
  readonly size: number
  /** When it was last written to, in milliseconds. */
  readonly at: number
}

/** Which files to read. */
export interface Selection {
  readonly unit: string | undefined
  readonly task: number | undefined
  /** Empty for all. */
  readonly what: ReadonlyArray<string>
}

const ofTask = /^(\d+)-attempt-(\d+)\.(\d+)(?:\.(\d+))?\.(agent|gate)$/
const ofSetup = /^(setup)-(\d+)\.(\d+)$/

const attemptOf = (attempt: string | undefined, one: string | undefined): string =>
  attempt === undefined || attempt === "1" ? (one ?? "1") : `${attempt}.${one}`

/** What the name of a file means. */
export const read = (name: string): Pick<LogFile, "task" | "attempt" | "what"> => {
  const task = ofTask.exec(name)
  if (task !== null) {
    const [, number, attempt, one, call, what = ""] = task
    const again = call === undefined ? "" : ` (call ${call})`
    return { task: Number(number), attempt: `${attemptOf(attempt, one)}${again}`, what }
  }
  const setup = ofSetup.exec(name)
  return { task: undefined, attempt: attemptOf(setup?.[2], setup?.[3]), what: setup?.[1] ?? name }
}

const isWanted = ({ task, unit, what }: LogFile, wanted: Selection): boolean =>
  (wanted.unit === undefined || unit === wanted.unit) &&
  (wanted.task === undefined || task === wanted.task) &&
  (wanted.what.length === 0 || wanted.what.includes(what))

/** By the time of the last write. */
const byTime = Order.combine(
  Order.mapInput(Order.number, ({ at }: LogFile) => at),
  Order.mapInput(Order.string, ({ path }: LogFile) => path)
)

/** None if the directory does not exist yet. Files that disappear meanwhile are left out. */
export const list = (
  directory: string,
  wanted: Selection
): Effect.Effect<ReadonlyArray<LogFile>, never, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const names = yield* Effect.orElseSucceed(fs.readDirectory(directory, { recursive: true }), () => [])
    const tails = OutputReader.tailsAmong(names.map((name) => path.join(directory, name)))
    const files = yield* Effect.forEach(
      names.filter((name) => name.endsWith(".log")),
      (name) =>
        Effect.option(
          Effect.map(fs.stat(path.join(directory, name)), ({ mtime, size, type }) => ({
            path: path.join(directory, name),
            unit: path.dirname(name) === "." ? "" : path.dirname(name),
            ...read(path.basename(name, ".log")),
            size: type === "File" ? Number(size) : 0,
            at: Option.match(mtime, { onNone: () => 0, onSome: (mtime) => mtime.getTime() }),
            tail: tails.get(path.join(directory, name)) ?? []
          }))
        )
    )
    return Array.sort(
      Array.getSomes(files).filter((file) => isWanted(file, wanted)),
      byTime
    )
  })
