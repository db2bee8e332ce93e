/**
 * `charlotte doctor`: checks the environment and suggests fixes. It changes nothing and holds no lock.
 */
import { Effect, type Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as Git from "../../git/Git.js"
import * as agents from "./agents.js"
import * as Finding from "./Finding.js"
import * as HomeDirectory from "./home.js"
import * as machine from "./machine.js"
import * as database from "./database.js"
import * as Report from "./Report.js"
import * as repository from "./repository.js"
import * as SqliteDriver from "./sqlite.js"
import * as ExitCode from "../errors/ExitCode.js"
import { Output, writeLines } from "../terminal/Output.js"

export interface Options extends database.Options {
  readonly repo: Option.Option<string>
  readonly json: boolean
}

export const diagnose = ({ audit, json, repo }: Options) =>
  Effect.gen(function* () {
    const { isTerminal, size, write } = yield* Output
    const sqlite = yield* SqliteDriver.check
    const found = yield* Effect.all([
      machine.check,
      Effect.succeed([sqlite]),
      sqlite.status === "problem" ? Effect.succeed([withoutSqlite]) : home({ audit }),
      repository.check(repo)
    ])
    const report = Report.make(found.flat())
    yield* json
      ? write(`${JSON.stringify(report)}\n`)
      : writeLines(Report.lines(report, isTerminal ? (yield* size).columns : Infinity))
    if (report.problems > 0) return yield* new ExitCode.Quit({ code: ExitCode.failed })
  }).pipe(Effect.provide(Git.layer))

/** The home is not checked either, since its lock needs SQLite's library. */
const withoutSqlite = Finding.warning(
  "skipped",
  "home, configuration, agents, database and jobs were not checked",
  "leave the database where it is, and run this again once SQLite works"
)

const home = (options: database.Options) =>
  Effect.gen(function* () {
    const directory = yield* HomeDirectory.check
    return [...directory, ...(yield* agents.check), ...(yield* database.check(options))]
  }).pipe(
    Effect.provide(Home.layerUntouched),
    Effect.catchTag("HomeUnusable", ({ message }) =>
      Effect.succeed([
        Finding.fromMessage("problem", "home", message),
        Finding.warning(
          "skipped",
          "configuration, agents, database and jobs were not checked",
          "make the home directory usable, and run this again"
        )
      ])
    )
  )
