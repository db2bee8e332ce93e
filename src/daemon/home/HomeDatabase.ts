/**
 * The database of a home, as named by the command line, or else by the environment, `config.yaml`, or the note of the last process
 * that managed the home's jobs. Because of the note, no command mistakes the SQLite file for the jobs of a home that has moved. The note also
 * has the settings of a node from the command line of that process.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Context, Effect, Either, Option, Schema } from "effect"
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename } from "node:path"
import * as Configuration from "../config/Configuration.js"
import * as DatabaseChoice from "../config/DatabaseChoice.js"
import { NodeSettings } from "../config/NodeSettings.js"
import { Home, HomeUnusable } from "./Home.js"

/** The database that the command line of this process names. */
export class Flag extends Context.Reference<Flag>()("charlotte/HomeDatabase/Flag", {
  defaultValue: (): Option.Option<DatabaseChoice.DatabaseChoice> => Option.none()
}) {}

const Note = Schema.parseJson(Schema.Struct({ database: Schema.String, node: Schema.optional(NodeSettings) }))

interface Noted {
  readonly database: DatabaseChoice.DatabaseChoice
  readonly node: NodeSettings
}

const decode = (text: string) =>
  Either.flatMap(Schema.decodeEither(Note)(text), ({ database, node = {} }) =>
    Either.map(DatabaseChoice.parse(database), (database): Noted => ({ database, node }))
  )

/** The database that the last process used; none if that was the SQLite file. */
const noted: Effect.Effect<Option.Option<Noted>, HomeUnusable, Home> = Effect.gen(function* () {
  const { databaseNote: path, directory } = yield* Home
  const unusable = (problem: string) =>
    new HomeUnusable({
      directory,
      reason:
        `has a ${basename(path)} that ${problem}, so the database of its jobs is not known; ` +
        "remove that file, and name the database with: charlotte daemon start --database URL"
    })
  const text = yield* Effect.try({
    try: () => (lstatSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path, "utf8")),
    catch: () => unusable("cannot be read")
  })
  if (text === undefined) return Option.none()
  return yield* Either.match(decode(text), {
    onLeft: () => unusable("is damaged"),
    onRight: Effect.succeedSome
  })
})

const choose = (configured: DatabaseChoice.DatabaseChoice | undefined) =>
  Effect.gen(function* () {
    const chosen = Option.orElse(yield* Flag, () => Option.fromNullable(configured))
    if (Option.isSome(chosen)) return chosen.value
    return Option.match(yield* noted, { onNone: () => DatabaseChoice.sqlite, onSome: ({ database }) => database })
  })

/** The database that a process works on. */
export const chosen = Effect.flatMap(Configuration.Configuration, ({ database }) => choose(database))

/** The same for a command that only reads: it ignores an invalid configuration, which other commands report. */
export const chosenToRead: Effect.Effect<DatabaseChoice.DatabaseChoice, HomeUnusable, Home | FileSystem> =
  Configuration.make.pipe(
    Effect.match({ onFailure: () => undefined, onSuccess: ({ database }) => database }),
    Effect.flatMap(choose)
  )

/** The noted settings of a node, on the noted database; none if the command line of this process names a database. */
export const notedNode = Effect.gen(function* () {
  if (Option.isSome(yield* Flag)) return {}
  const database = yield* chosen
  return Option.match(yield* Effect.orElseSucceed(noted, Option.none<Noted>), {
    onNone: (): NodeSettings => ({}),
    onSome: (noted) => (DatabaseChoice.show(noted.database) === DatabaseChoice.show(database) ? noted.node : {})
  })
})

/** Writes the note, without the password. Only the process that holds the home does so. */
export const leaveNote = Effect.fnUntraced(function* (node: NodeSettings) {
  const { databaseNote: path, directory } = yield* Home
  const choice = yield* chosen
  yield* Effect.try({
    try: () => {
      if (choice._tag === "Sqlite") return rmSync(path, { force: true })
      const note: typeof Note.Type = {
        database: choice.shown,
        ...(Object.values(node).some((value) => value !== undefined) && { node })
      }
      writeFileSync(`${path}.new`, Schema.encodeSync(Note)(note), { mode: 0o600 })
      renameSync(`${path}.new`, path)
    },
    catch: (cause) =>
      new HomeUnusable({
        directory,
        reason: `cannot be used: ${cause instanceof Error ? cause.message : String(cause)}; make room, or move away what is there`
      })
  })
})
