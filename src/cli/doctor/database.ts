/**
 * Whether the database can be read, and what it tells of jobs that are to be gone on with, or have left something.
 * Whoever else uses it takes no notice.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import { Home } from "../../daemon/Home.js"
import * as HomeLock from "../../daemon/HomeLock.js"
import type { StoreError } from "../../domain/errors.js"
import * as Database from "../../store/Database.js"
import * as Migrations from "../../store/Migrations.js"
import type { UnfinishedRun } from "../../store/RunStoreService.js"
import * as RunStore from "../../store/RunStore.js"
import * as Prune from "../../tasks/Prune.js"
import * as format from "../terminal/format.js"
import * as Audited from "./audit.js"
import * as Finding from "./Finding.js"

export interface Options {
  /** Looks through all of it, for what must never be in a database. */
  readonly audit: boolean
}

export const look = (options: Options) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const { database } = yield* Home
    const isThere = yield* Effect.orElseSucceed(fs.exists(database), () => true)
    if (!isThere) return [Finding.ok("database", "there is none yet")]
    return yield* Effect.provide(tables(options), Database.layerUntouched({ filename: database, thorough: true }))
  }).pipe(Effect.catchTag("StoreError", (error) => Effect.succeed([unreadable(error)])))

const unreadable = ({ cause, reason }: StoreError): Finding.Finding => {
  const detail = cause instanceof Error ? cause.message : String(cause)
  switch (reason) {
    case "corrupt":
      return Finding.problem(
        "database",
        detail.replace(/\. Restore it .*$/, ""),
        "restore it from a backup, or move it away to begin anew"
      )
    case "busy":
      return Finding.warning("database", "it is busy, and cannot be looked at now", "try again")
    case "readonly":
      return Finding.warning(
        "database",
        "it cannot be looked at: a crash has left it in the midst of a change",
        "nothing: the next command that uses it puts it in order"
      )
    default:
      return Finding.told("problem", "database", `it cannot be read: ${detail}`, "make it readable, or move it away")
  }
}

const tables = ({ audit }: Options) =>
  Effect.gen(function* () {
    const { database } = yield* Home
    const { found, latest } = yield* Migrations.version
    if (Option.isNone(found)) return [Finding.ok("database", `${database}, with nothing in it`)]
    const version = `${database}, of version ${found.value}`
    if (found.value > latest) {
      return [Finding.problem("database", `${version}; this Charlotte knows ${latest}`, "install a newer one")]
    }
    if (found.value < latest) {
      return [
        Finding.warning(
          "database",
          `${version}, whose jobs cannot be looked at until it is brought to version ${latest}`,
          "nothing: the next command that uses it does that"
        )
      ]
    }
    const looks = Effect.provide(Effect.all([unfinished, leftovers]), RunStore.layerUntouched)
    return [
      Finding.ok("database", `${version}, undamaged`),
      ...(yield* looks).flat(),
      ...(audit ? yield* Audited.look : [])
    ]
  })

/** More of them say nothing new. */
const most = 10

const unfinished = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const isHeld = Option.isSome(yield* HomeLock.holder)
  const jobs = yield* store.unfinished({ kind: "tasks", limit: most + 1 })
  if (jobs.length === 0) return [Finding.ok("jobs", "none has still to be done")]
  const more = jobs.length > most ? [Finding.ok("jobs", "and more")] : []
  return [...jobs.slice(0, most).map(ofJob(isHeld)), ...more]
})

const ofJob =
  (isHeld: boolean) =>
  ({ run: { id, status }, stopping }: UnfinishedRun): Finding.Finding => {
    if (status !== "interrupted" && isHeld) return Finding.ok("jobs", `${id} is ${stopping ? "stopping" : status}`)
    if (stopping) return Finding.ok("jobs", `${id} was being stopped, and will be ended by the next command`)
    const how = status === "interrupted" ? "was interrupted" : "was cut off by a crash"
    return Finding.warning("jobs", `${id} ${how}`, `charlotte resume ${id}`)
  }

const leftovers = Effect.map(Prune.prune({ dryRun: true }), (pruned) => {
  const findings = pruned.flatMap(ofRepository)
  return findings.length === 0 ? [Finding.ok("leftovers", "none")] : findings
})

const keptBy = ({ length }: Prune.Pruned["kept"]): string =>
  `${format.count(length, "branch or worktree", "branches and worktrees")} ${length === 1 ? "has" : "have"}`

const ofRepository = (pruned: Prune.Pruned): ReadonlyArray<Finding.Finding> => {
  const { branches, kept, problems, repository, worktrees } = pruned
  const left = [
    ...(worktrees.length === 0 ? [] : [format.count(worktrees.length, "worktree")]),
    ...(branches.length === 0 ? [] : [format.count(branches.length, "branch", "branches")])
  ].join(" and ")
  return [
    // A branch takes no room.
    ...(left === ""
      ? []
      : [
          {
            check: "leftovers",
            status: worktrees.length === 0 ? "ok" : "warning",
            message: `${left} of jobs that are over, in ${repository}`,
            remedy: "charlotte prune --all"
          } as const
        ]),
    ...(kept.length === 0
      ? []
      : [Finding.ok("leftovers", `${keptBy(kept)} work that nothing else holds, in ${repository}`)]),
    ...problems.map((text) => Finding.told("warning", "leftovers", text))
  ]
}
