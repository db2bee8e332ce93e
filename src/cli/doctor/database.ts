/**
 * Checks the database, and reports unfinished jobs, limits of agents and leftovers. It does not disturb other users of the database.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Option } from "effect"
import { Home } from "../../daemon/home/Home.js"
import * as databaseClient from "../../daemon/layers/databaseClient.js"
import * as HomeDatabase from "../../daemon/home/HomeDatabase.js"
import * as HomeLock from "../../daemon/home/HomeLock.js"
import type { StoreError } from "../../domain/errors.js"
import type { UnfinishedRun } from "../../store/port/RunStoreService.js"
import * as RunStore from "../../store/RunStore.js"
import * as SchemaCheck from "../../store/sqlite/SchemaCheck.js"
import { schemaVersion } from "../../store/schemaVersion.js"
import { databaseOf } from "../../store/openSession.js"
import * as Prune from "../../tasks/Prune.js"
import { isManaged } from "../offline/isManaged.js"
import * as format from "../terminal/format.js"
import * as audit from "./audit.js"
import * as Finding from "./Finding.js"
import * as limits from "./limits.js"
import * as schedules from "./schedules.js"
import * as subscribers from "./subscribers.js"
import * as waiting from "./waiting.js"

export interface Options {
  /** Whether to check every record. */
  readonly audit: boolean
}

export const check = (options: Options) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const { database } = yield* Home
    const choice = yield* HomeDatabase.chosenToRead
    const isThere = yield* Effect.orElseSucceed(fs.exists(database), () => true)
    if (choice._tag === "Sqlite" && !isThere) return [Finding.ok("database", "none yet")]
    const name = choice._tag === "Sqlite" ? database : choice.shown
    const found = yield* tables(name, options).pipe(
      Effect.provide(databaseClient.layerUntouched(choice, { thorough: true })),
      Effect.catchTag("StoreError", (error) =>
        Effect.succeed([choice._tag === "Sqlite" ? unreadable(error) : unanswered(error)])
      )
    )
    return choice._tag === "Postgres" && isThere ? [...found, unused(database)] : found
  }).pipe(
    Effect.catchTag("HomeUnusable", ({ message }) =>
      Effect.succeed([Finding.fromMessage("problem", "database", message)])
    )
  )

const unused = (file: string) =>
  Finding.ok("database", `${file} is not in use; its jobs are shown with CHARLOTTE_DATABASE=sqlite`)

const detailOf = ({ cause }: StoreError): string => (cause instanceof Error ? cause.message : String(cause))

/** The error messages of PostgreSQL databases say what to do. */
const unanswered = (error: StoreError) =>
  Finding.fromMessage("problem", "database", detailOf(error), "see the log of the database server")

const startAfresh = "restore it from a backup, or move it away to start afresh"

const unreadable = (error: StoreError): Finding.Finding => {
  const detail = detailOf(error)
  switch (error.reason) {
    case "corrupt":
      return Finding.fromMessage("problem", "database", detail, startAfresh)
    case "busy":
      return Finding.warning("database", "busy, could not be checked", "try again")
    case "readonly":
      return Finding.warning(
        "database",
        "could not be checked: a crash has interrupted a transaction",
        "none needed: the next command that opens it recovers it"
      )
    case "version":
      return Finding.fromMessage("problem", "database", detail, startAfresh)
    default:
      return Finding.fromMessage(
        "problem",
        "database",
        `cannot be read: ${detail}`,
        "make it readable, or move it away"
      )
  }
}

const tables = (database: string, options: Options) =>
  Effect.gen(function* () {
    const isFile = databaseOf(yield* SqlClient) === "sqlite"
    const { found, latest } = yield* schemaVersion
    const known = Option.getOrElse(found, () => 0)
    const version = `${database}, version ${known}`
    if (known > latest) {
      return [
        Finding.problem("database", `${version}; this charlotte supports up to ${latest}`, "install a newer charlotte")
      ]
    }
    if (isFile && known < latest && (yield* SchemaCheck.unexpected(known)).length > 0) {
      return [Finding.problem("database", `${version}, but its tables are newer`, startAfresh)]
    }
    if (Option.isNone(found)) return [Finding.ok("database", `${database}, empty`)]
    if (known < latest) {
      return [
        Finding.warning(
          "database",
          `${version}; jobs cannot be checked before it is migrated to version ${latest}`,
          "none needed: the next command that opens it migrates it"
        )
      ]
    }
    const checks = Effect.provide(
      Effect.all([unfinished, waiting.check, subscribers.check, schedules.check, limits.check, leftovers]),
      RunStore.layerUntouched
    )
    return [
      Finding.ok("database", isFile ? `${version}, undamaged` : version),
      ...(yield* checks).flat(),
      ...(options.audit ? yield* audit.check(database) : [])
    ]
  })

/** How many unfinished jobs are listed. */
const most = 10

const unfinished = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const isFile = databaseOf(yield* SqlClient) === "sqlite"
  const isHeld = Option.isSome(yield* HomeLock.holder) || (!isFile && (yield* isManaged(store, "tasks")))
  const jobs = yield* store.unfinished({ kind: "tasks", limit: most + 1 })
  if (jobs.length === 0) return [Finding.ok("jobs", "none unfinished")]
  const more = jobs.length > most ? [Finding.ok("jobs", "and more")] : []
  return [...jobs.slice(0, most).map(ofJob(isHeld)), ...more]
})

const ofJob =
  (isHeld: boolean) =>
  ({ run: { id, status }, stopping }: UnfinishedRun): Finding.Finding => {
    if (status !== "interrupted" && isHeld) return Finding.ok("jobs", `${id} is ${stopping ? "stopping" : status}`)
    if (stopping) return Finding.ok("jobs", `${id} was being stopped; the next command ends it`)
    const how = status === "interrupted" ? "was interrupted" : "was interrupted by a crash"
    return Finding.warning("jobs", `${id} ${how}`, `charlotte resume ${id}`)
  }

const leftovers = Effect.gen(function* () {
  const { directory } = yield* Home
  const findings = (yield* Prune.prune({ directory, dryRun: true })).flatMap(ofRepository)
  return findings.length === 0 ? [Finding.ok("leftovers", "none")] : findings
})

const keptBy = ({ length }: Prune.Pruned["kept"]): string =>
  `${format.count(length, "branch, worktree or snapshot", "branches, worktrees and snapshots")} ${length === 1 ? "has" : "have"}`

const ofRepository = (pruned: Prune.Pruned): ReadonlyArray<Finding.Finding> => {
  const { branches, kept, problems, repository, snapshots, worktrees } = pruned
  const left = [
    ...(worktrees.length === 0 ? [] : [format.count(worktrees.length, "worktree")]),
    ...(branches.length === 0 ? [] : [format.count(branches.length, "branch", "branches")]),
    ...(snapshots.length === 0 ? [] : [`snapshots of ${format.count(snapshots.length, "unit")}`])
  ].join(" and ")
  return [
    // A branch takes no space, so it is no warning.
    ...(left === ""
      ? []
      : [
          {
            check: "leftovers",
            status: worktrees.length === 0 ? "ok" : "warning",
            message: `${left} of ended jobs in ${repository}`,
            remedy: "charlotte prune --all"
          } as const
        ]),
    ...(kept.length === 0
      ? []
      : [Finding.ok("leftovers", `${keptBy(kept)} work that exists nowhere else, in ${repository}`)]),
    ...problems.map((text) => Finding.fromMessage("warning", "leftovers", text))
  ]
}
