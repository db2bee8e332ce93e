/**
 * The note of `charlotte export-home` in a home: its jobs may run elsewhere by now, so no process runs any of them here, unless the user
 * says so. It applies only to the exported database: with another database, the home works as before.
 */
import { DateTime, Effect, Schema } from "effect"
import { lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename } from "node:path"
import { now } from "../../internal/now.js"
import * as DatabaseChoice from "../config/DatabaseChoice.js"
import { Problem } from "../Problem.js"
import { Home, HomeUnusable } from "./Home.js"
import * as HomeDatabase from "./HomeDatabase.js"

const Note = Schema.parseJson(Schema.Struct({ at: Schema.DateTimeUtc, database: Schema.String }))

const database = Effect.map(HomeDatabase.chosen, DatabaseChoice.show)

const attempt = <A>(task: (path: string) => A) =>
  Effect.flatMap(Home, ({ directory, exportNote: path }) =>
    Effect.try({
      try: () => task(path),
      catch: (cause) =>
        new HomeUnusable({
          directory,
          reason: `has a ${basename(path)} that cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`
        })
    })
  )

/** Writes the note. Only the process that holds the home calls this and `refuse`. */
export const leave = Effect.gen(function* () {
  const text = Schema.encodeSync(Note)({ at: yield* now, database: yield* database })
  yield* attempt((path) => writeFileSync(path, text, { mode: 0o600 }))
})

/** Fails in a home that was exported; with `again` it removes the note instead. */
export const refuse = (again: boolean) =>
  Effect.gen(function* () {
    if (again) return yield* attempt((path) => rmSync(path, { force: true }))
    const note = yield* attempt((path) =>
      lstatSync(path, { throwIfNoEntry: false }) === undefined
        ? undefined
        : Schema.decodeSync(Note)(readFileSync(path, "utf8"))
    )
    if (note === undefined || note.database !== (yield* database)) return
    const { directory } = yield* Home
    const at = DateTime.formatIso(note.at)
    return yield* new Problem({
      name: "HomeExported",
      problem: `the records of the home ${directory} were exported at ${at}, and its jobs may run elsewhere`,
      hint: "--again to continue here: charlotte daemon start --again",
      details: { directory, at }
    })
  })
