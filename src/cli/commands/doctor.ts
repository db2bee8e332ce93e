/**
 * `charlotte doctor`: whether all that jobs need is there. It changes nothing, and keeps nobody from anything.
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Effect } from "effect"
import * as Home from "../../daemon/Home.js"
import * as Git from "../../git/Git.js"
import * as agents from "../doctor/agents.js"
import * as Finding from "../doctor/Finding.js"
import * as HomeDirectory from "../doctor/home.js"
import * as machine from "../doctor/machine.js"
import * as database from "../doctor/database.js"
import * as Report from "../doctor/Report.js"
import * as repository from "../doctor/repository.js"
import * as SqliteDriver from "../doctor/sqlite.js"
import * as ExitCode from "../errors/ExitCode.js"
import { Output, writeLines } from "../terminal/Output.js"
import { about, json, repo } from "./parameters.js"

const audit = Options.boolean("audit").pipe(
  Options.withDescription("Looks through all that is recorded, too, for anything that must never be.")
)

export const doctor = Command.make("doctor", { audit, repo, json }, ({ audit, json, repo }) =>
  Effect.gen(function* () {
    const { isTerminal, size, write } = yield* Output
    const sqlite = yield* SqliteDriver.look
    const found = yield* Effect.all([
      machine.look,
      Effect.succeed([sqlite]),
      sqlite.status === "problem" ? Effect.succeed([withoutSqlite]) : home({ audit }),
      repository.look(repo)
    ])
    const report = Report.make(found.flat())
    yield* json
      ? write(`${JSON.stringify(report)}\n`)
      : writeLines(Report.lines(report, isTerminal ? (yield* size).columns : Infinity))
    if (report.problems > 0) return yield* new ExitCode.Quit({ code: ExitCode.failed })
  }).pipe(Effect.provide(Git.layer))
).pipe(
  Command.withDescription(
    about("Checks that all which jobs need is there, and says what to do about what is not.", "charlotte doctor")
  )
)

/** Who uses the home is known by a lock, which is SQLite's as well. */
const withoutSqlite = Finding.warning(
  "the rest",
  "home, configuration, agents, database and jobs were not looked at",
  "leave the database where it is, and ask again once SQLite works"
)

const home = (options: database.Options) =>
  Effect.gen(function* () {
    const directory = yield* HomeDirectory.look
    return [...directory, ...(yield* agents.look), ...(yield* database.look(options))]
  }).pipe(
    Effect.provide(Home.layerUntouched),
    Effect.catchTag("HomeUnusable", ({ message }) =>
      Effect.succeed([
        Finding.told("problem", "home", message),
        Finding.warning(
          "the rest",
          "configuration, agents, database and jobs were not looked at",
          "make the home directory usable, and ask again"
        )
      ])
    )
  )
