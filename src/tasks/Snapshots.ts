/**
 * The snapshots of the unfinished work of jobs. Each is a pack, `N.pack`, in a directory of its unit, with a record, `N.json`, beside it,
 * which is written last.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, Schema } from "effect"
import { basename } from "node:path"
import * as fs from "../git/fs.js"
import { ObjectId } from "../git/RefNames.js"
import type { SnapshotPack } from "../git/SnapshotPack.js"

export class Record extends Schema.Class<Record>("charlotte/UnfinishedWork")({
  commit: ObjectId,
  /** The last commit of the unit. */
  base: ObjectId,
  /** The top level of the repository. */
  repository: Schema.String,
  takenAt: Schema.DateTimeUtc,
  /** The number of changed files. */
  files: Schema.NonNegativeInt,
  leftOut: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String })),
  /** Its attempt was discarded on purpose, so no later attempt continues with it. */
  isDiscarded: Schema.Boolean
}) {}

export interface Snapshot extends SnapshotPack {
  readonly number: number
  readonly record: Record
}

const Json = Schema.parseJson(Record)

/** How many snapshots of a unit are kept. */
const kept = 3

const numberOf = (name: string): number => Number(/^\d+/.exec(name)?.[0] ?? 0)

/** The directory of a unit, below that of its job. It never leads elsewhere, whatever the name is. */
export const directoryOf = (unfinished: string, unit: string): string => `${unfinished}/${basename(unit) || "_"}`

export const packOf = (directory: string, number: number): string => `${directory}/${number}.pack`

/** The snapshots in the directory of a unit, oldest first. */
export const list = (directory: string) =>
  Effect.gen(function* () {
    const names = (yield* fs.list(directory)).filter((name) => /^\d+\.json$/.test(name))
    const found = yield* Effect.forEach(names, (name) =>
      Effect.map(fs.read(`${directory}/${name}`), (content) => {
        const number = numberOf(name)
        const record = Option.flatMap(content, (bytes) => Schema.decodeOption(Json)(`${bytes}`))
        return Option.map(record, (record): Snapshot => {
          const { base, commit } = record
          return { number, pack: packOf(directory, number), base, commit, record }
        })
      })
    )
    return found.flatMap(Option.toArray).toSorted((a, b) => a.number - b.number)
  })

/** The last snapshot in the directory of a unit; most units have no directory for any. */
export const last = (directory: string) =>
  Effect.gen(function* () {
    const { exists } = yield* FileSystem
    return (yield* Effect.orElseSucceed(exists(directory), () => false)) ? (yield* list(directory)).at(-1) : undefined
  })

/** Whether an attempt that begins at a commit can continue with a snapshot. */
export const isContinuable = ({ base, record }: Snapshot, at: ObjectId): boolean => base === at && !record.isDiscarded

/** The command that shows a snapshot. */
export const command = (job: string, unit: string, { number }: Pick<Snapshot, "number">): string =>
  `charlotte diff ${job} ${unit} --unfinished ${number}`

/** A number that no snapshot has had. */
export const next = (directory: string) =>
  Effect.map(fs.list(directory), (names) => Math.max(0, ...names.map(numberOf)) + 1)

/** Records a snapshot whose pack exists, and removes older ones that are no longer kept. */
export const add = (directory: string, number: number, record: Record) =>
  Effect.gen(function* () {
    const file = `${directory}/${number}.json`
    const json = yield* Effect.orDie(Schema.encode(Json)(record))
    yield* fs.replaceFlushed(file, json)
    const old = (yield* fs.list(directory)).filter((name) => numberOf(name) <= number - kept)
    yield* Effect.forEach(old, (name) => fs.remove(`${directory}/${name}`), { discard: true })
    const { base, commit } = record
    const snapshot: Snapshot = { number, pack: packOf(directory, number), base, commit, record }
    return snapshot
  })
