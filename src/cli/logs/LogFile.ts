/**
 * The log files of a job: the output of its agents, gates and setups.
 */
import { Array, Order } from "effect"
import { basename, dirname } from "node:path"
import type * as OutputReader from "../../process/OutputReader.js"

export interface LogFile extends OutputReader.Output {
  /** Empty for files that belong to no unit. */
  readonly unit: string
  readonly task: number | undefined
  /** The attempt at the task, from 1. */
  readonly number: number | undefined
  /** The attempt of the task: `1`, or `2.1` in the second attempt of the job; `1 (call 2)` for the second call of an attempt. */
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
  /** Of the attempts at tasks, only this one. */
  readonly attempt: number | undefined
  /** Empty for all. */
  readonly what: ReadonlyArray<string>
}

const ofTask = /^(\d+)-attempt-(\d+)\.(\d+)(?:\.(\d+))?\.(agent|gate)(-again)?$/
const ofSetup = /^(setup)-(\d+)\.(\d+)$/

const attemptOf = (attempt: string | undefined, one: string | undefined): string =>
  attempt === undefined || attempt === "1" ? (one ?? "1") : `${attempt}.${one}`

/** Parses the name of a log file. */
export const read = (name: string): Pick<LogFile, "task" | "attempt" | "number" | "what"> => {
  const task = ofTask.exec(name)
  if (task !== null) {
    const [, number, attempt, one, call, what = "", second = ""] = task
    const again = `${call === undefined ? "" : ` (call ${call})`}${second === "" ? "" : " (again)"}`
    return { task: Number(number), number: Number(one), attempt: `${attemptOf(attempt, one)}${again}`, what }
  }
  const setup = ofSetup.exec(name)
  return { task: undefined, number: undefined, attempt: attemptOf(setup?.[2], setup?.[3]), what: setup?.[1] ?? name }
}

const isWanted = ({ number, task, unit, what }: LogFile, wanted: Selection): boolean =>
  (wanted.unit === undefined || unit === wanted.unit) &&
  (wanted.task === undefined || task === wanted.task) &&
  (wanted.attempt === undefined || number === wanted.attempt) &&
  (wanted.what.length === 0 || wanted.what.includes(what))

/** By the time of the last write. */
const byTime = Order.combine(
  Order.mapInput(Order.number, ({ at }: LogFile) => at),
  Order.mapInput(Order.string, ({ path }: LogFile) => path)
)

/** The selected files of a job; names are relative to its directory. */
export const select = (
  files: ReadonlyArray<Pick<LogFile, "at" | "path" | "size" | "tail"> & { readonly name: string }>,
  wanted: Selection
): ReadonlyArray<LogFile> =>
  Array.sort(
    files
      .map(({ name, ...file }) => ({
        ...file,
        unit: dirname(name) === "." ? "" : dirname(name),
        ...read(basename(name, ".log"))
      }))
      .filter((file) => isWanted(file, wanted)),
    byTime
  )
