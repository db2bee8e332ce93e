/**
 * `charlotte doctor`: checks the environment and suggests fixes. It changes nothing and holds no lock.
 */
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as Git from "../../git/Git.js"
import type { GitError } from "../../git/GitError.js"
import type { RepositoryProblem } from "../../git/preflight.js"
import { type ProcessTable, ProcessTableRef } from "../../process/ProcessTable.js"
import * as Driver from "../../store/sqlite/Driver.js"
import { unsupported } from "../Platform.js"
import * as agents from "./agents.js"
import * as Finding from "./Finding.js"
import * as HomeDirectory from "./home.js"
import * as database from "./database.js"
import * as Report from "./Report.js"
import * as service from "./service.js"
import * as Wrap from "./wrap.js"
import * as ExitCode from "../errors/ExitCode.js"
import { columns, writeJson, writeLines } from "../terminal/Output.js"

export interface Options extends database.Options {
  readonly repo: Option.Option<string>
  readonly wrap: boolean
  readonly json: boolean
}

export const diagnose = ({ audit, json, repo, wrap }: Options) =>
  Effect.gen(function* () {
    const sqlite = yield* checkSqlite
    const found = yield* Effect.all([
      machine,
      Effect.succeed([sqlite]),
      sqlite.status === "problem" ? Effect.succeed([withoutSqlite]) : home({ audit, repo, wrap }),
      repository(repo)
    ])
    const report = Report.make(found.flat())
    yield* json ? writeJson(report) : writeLines(Report.lines(report, yield* columns))
    if (report.problems > 0) return yield* new ExitCode.Quit({ code: ExitCode.failed })
  }).pipe(Effect.provide(Git.layer))

/** The home is not checked either, since its lock needs SQLite's library. */
const withoutSqlite = Finding.warning(
  "skipped",
  "home, configuration, agents, database and jobs were not checked",
  "leave the database where it is, and run this again once SQLite works"
)

const home = ({ audit, repo, wrap }: Omit<Options, "json">) =>
  Effect.gen(function* () {
    const directory = yield* HomeDirectory.check
    return [
      ...directory,
      ...(yield* agents.check),
      ...(wrap ? yield* Wrap.check(repo) : []),
      ...(yield* service.check),
      ...(yield* database.check({ audit }))
    ]
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

/** Opens, locks and queries a database in a separate process. */
const checkSqlite: Effect.Effect<Finding.Finding> = Effect.match(Driver.probe, {
  onSuccess: ({ driver, sqlite }) => Finding.ok("sqlite", `SQLite ${sqlite}, better-sqlite3 ${driver}`),
  onFailure: ({ message }) =>
    Finding.problem(
      "sqlite",
      message,
      "reinstall charlotte on this machine with the Node.js that runs it (in a checkout: npm ci)"
    )
})

const reach = ({ cgroups }: ProcessTable): string =>
  cgroups?.delegated === undefined ? "/proc" : `/proc and a cgroup in ${cgroups.delegated}`

/** Checks Node.js, the platform and git. */
const machine: Effect.Effect<ReadonlyArray<Finding.Finding>, never, Git.Git> = Effect.gen(function* () {
  const git = yield* Git.Git
  const table = yield* ProcessTableRef
  const reason = unsupported({ node: process.versions.node, platform: process.platform })
  return [
    reason === undefined
      ? Finding.ok("node", `Node.js ${process.versions.node}`)
      : Finding.fromMessage("problem", "node", reason),
    Option.isSome(table)
      ? Finding.ok("platform", `${process.platform}; all processes of a job are found through ${reach(table.value)}`)
      : Finding.warning(
          "platform",
          `${process.platform}, without /proc: processes that leave the process group of an agent or gate cannot be found`,
          "use agents and gates that leave nothing running, or Linux"
        ),
    yield* Effect.match(git.version, {
      onSuccess: (version) => Finding.ok("git", `version ${version}`),
      onFailure: ({ message }) => Finding.fromMessage("problem", "git", message)
    })
  ]
})

/** Checks the repository of --repo or of the current directory. */
const repository = (given: Option.Option<string>) =>
  Effect.gen(function* () {
    const git = yield* Git.Git
    const path = yield* Path
    // The current directory may have been deleted.
    const place = yield* Effect.option(Effect.try(() => path.resolve(Option.getOrElse(given, () => "."))))
    if (Option.isNone(place)) return []
    const found = yield* git.open(place.value)
    const problems = yield* git.problems(found, undefined, yield* worktrees)
    return problems.length === 0 ? [Finding.ok("repository", found.topLevel)] : problems.map(ofProblem)
  }).pipe(Effect.catchAll((error) => Effect.succeed(ofError(error, Option.isSome(given)))))

/** Where jobs would work; an unusable home is reported by its own check. */
const worktrees = Home.Home.pipe(
  Effect.map(({ worktrees }) => ({ worktrees })),
  Effect.provide(Home.layerUntouched),
  Effect.orElseSucceed(() => ({}))
)

/** A detached HEAD is only a warning: --target can name a branch. */
const ofProblem = ({ kind, message }: RepositoryProblem): Finding.Finding =>
  Finding.fromMessage(kind === "detached" ? "warning" : "problem", "repository", message)

/** Nothing if the current directory is in no repository; git itself is checked elsewhere. */
const ofError = (error: GitError, isNamed: boolean): ReadonlyArray<Finding.Finding> =>
  error._tag === "GitMissing" || error._tag === "GitTooOld" || (error._tag === "NotARepository" && !isNamed)
    ? []
    : [Finding.fromMessage("problem", "repository", error.message)]
