/**
 * The unfinished work of a job that is not running: how many files, and the command that shows them. It is only looked up on the
 * machine of the home, within a time limit, and never fails what it is shown with.
 */
import { Effect, Option, Schema } from "effect"
import { Home } from "../../daemon/home/Home.js"
import type { Run } from "../../domain/Run.js"
import type { Git } from "../../git/Git.js"
import { ObjectId, unitBranch, UnitName } from "../../git/RefNames.js"
import type { ShownWork } from "../../progress/shownState.js"
import * as RemoteServer from "../target/RemoteServer.js"
import { configOf } from "../configOf.js"

export interface Unfinished {
  readonly unit: string
  readonly task: number
  /** The number of changed files; undefined if counting them takes too long. */
  readonly files: number | undefined
  /** Shows the last snapshot, if there is one. */
  readonly command: string | undefined
}

/** Longer lists do not help. */
const limit = 50

/** Git may have to read all files of a large worktree. */
const gitTimeout = "2 seconds"

interface Place {
  readonly unit: UnitName
  readonly task: number
  /** The last commit of the unit. */
  readonly at: ObjectId
}

/** The units that were started, with their first task that is not done. */
const places = ({ tasks, units }: ShownWork): ReadonlyArray<Place> =>
  units
    .filter(({ state, worktree }) => worktree !== undefined && state !== "merged" && state !== "skipped")
    .flatMap(({ base, unit: name }) => {
      const own = tasks.filter(({ unit }) => unit === name)
      const task = own.find(({ state }) => state !== "completed" && state !== "skipped")?.task
      const commit = own.findLast(({ state }) => state === "completed")?.commit ?? base
      const [unit, at] = [Schema.decodeOption(UnitName)(name), Schema.decodeUnknownOption(ObjectId)(commit)]
      return task === undefined || Option.isNone(unit) || Option.isNone(at)
        ? []
        : [{ unit: unit.value, task, at: at.value }]
    })
    .slice(0, limit)

/** The last snapshot of the unit that its next turn would continue with. */
const snapshotOf = (unfinished: string, job: string, { at, unit }: Place) =>
  Effect.gen(function* () {
    const Snapshots = yield* Effect.promise(() => import("../../tasks/Snapshots.js"))
    const last = yield* Snapshots.last(Snapshots.directoryOf(unfinished, unit))
    if (last === undefined || !Snapshots.isContinuable(last, at)) return undefined
    return { files: last.record.files, command: Snapshots.command(job, unit, last) }
  }).pipe(Effect.orElseSucceed(() => undefined))

/** The number of changed files in each kept worktree, as far as they are counted; undefined if git cannot tell. */
const count = (
  git: Git["Type"],
  { id, config }: Pick<Run, "id" | "config">,
  places: ReadonlyArray<Place>,
  counts: Map<string, number | undefined>
) =>
  Effect.gen(function* () {
    const { repoPath } = configOf({ config })
    if (repoPath === undefined) return
    const repository = yield* git.open(repoPath)
    const worktrees = new Map((yield* git.worktrees(repository)).map((worktree) => [worktree.branch, worktree]))
    const kept = places.flatMap((place) => {
      const worktree = worktrees.get(unitBranch(id, place.unit))
      return worktree === undefined ? [] : [{ ...place, worktree }]
    })
    for (const { unit } of kept) counts.set(unit, undefined)
    for (const { at, unit, worktree } of kept) {
      const changes = yield* Effect.option(git.compare(repository, worktree, at))
      counts.set(unit, Option.getOrUndefined(changes)?.changed.length)
    }
  })

export const of = (run: Pick<Run, "id" | "status" | "config">, work: ShownWork) =>
  Effect.gen(function* () {
    const none: ReadonlyArray<Unfinished> = []
    const found = places(work)
    const isAtWork = run.status === "running" || run.status === "pending" || run.status === "completed"
    if (isAtWork || found.length === 0 || (yield* RemoteServer.isUsed)) return none
    const [Git, JobDirectories] = yield* Effect.promise(() =>
      Promise.all([import("../../git/Git.js"), import("../../tasks/JobDirectories.js")])
    )
    const { unfinished } = JobDirectories.of((yield* Home).directory, run.id)
    const counts = new Map<string, number | undefined>()
    yield* Effect.flatMap(Git.make, (git) => count(git, run, found, counts)).pipe(
      Effect.timeout(gitTimeout),
      Effect.ignore
    )
    const shown = yield* Effect.forEach(found, (place) =>
      Effect.map(snapshotOf(unfinished, run.id, place), (snapshot): ReadonlyArray<Unfinished> => {
        const { task, unit } = place
        const files = counts.get(unit) ?? snapshot?.files
        if (files === 0 || (snapshot === undefined && !counts.has(unit))) return none
        return [{ unit, task, files, command: snapshot?.command }]
      })
    )
    return shown.flat()
  }).pipe(Effect.catchAllCause(() => Effect.succeed<ReadonlyArray<Unfinished>>([])))
