/**
 * Saves the unfinished work of a unit outside its worktree, for a worktree that has to be made again. What cannot be saved never fails
 * a turn.
 */
import { Data, Effect, Option, Predicate } from "effect"
import { dirname } from "node:path"
import { Git } from "../../git/Git.js"
import type { AbsolutePath, ObjectId, OwnBranch, UnitName } from "../../git/RefNames.js"
import { Snapshot } from "../../git/Snapshot.js"
import type { TaskRecord } from "../../domain/Work.js"
import { now } from "../../internal/now.js"
import * as plainText from "../../internal/plainText.js"
import * as Snapshots from "../Snapshots.js"
import * as Note from "./Note.js"
import { disk, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"
import type { WriteError } from "./WriteError.js"

export interface UnitAt {
  readonly unit: UnitName
  readonly path: AbsolutePath
  readonly branch: OwnBranch
  /** The last commit of the unit. */
  readonly at: ObjectId
}

type Saved = Data.TaggedEnum<{
  /** There was no worktree, or it could not be saved. */
  Absent: {}
  Unchanged: {}
  Saved: { readonly snapshot: Snapshots.Snapshot }
}>
const Saved = Data.taggedEnum<Saved>()

/** Work with which a worktree has to be made. */
interface Unfinished {
  /** The job that made the snapshot. */
  readonly job: string
  readonly unit: UnitName
  readonly snapshot: Snapshots.Snapshot
}

export type Continued = Option.Option<Unfinished>

/** Where the snapshots of a unit are. */
const directoryOf = ({ directories }: RunContext, unit: string): string =>
  Snapshots.directoryOf(directories.unfinished, unit)

/** The task of which a unit has unfinished work, if it has any. */
export const taskOf = ({ progress }: RunContext, unit: UnitName): TaskRecord | undefined =>
  progress.tasksOf(unit).find(({ state }) => state === "running" || state === "pending")

/** Notes something about unfinished work with its task, if the unit has one. */
const note = (ctx: RunContext, unit: UnitName, text: string): Effect.Effect<void, WriteError> => {
  const task = taskOf(ctx, unit)
  return task === undefined ? Effect.logWarning(text) : Note.add(ctx, { unit, task: task.task }, text)
}

const save = (ctx: RunContext, { at, branch, path, unit }: UnitAt, isDiscarded: boolean) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { repository } = ctx
    const directory = directoryOf(ctx, unit)
    const last = yield* Snapshots.last(directory)
    const number = last === undefined ? 1 : yield* Snapshots.next(directory)
    const known = last?.base === at ? last : undefined
    const pack = Snapshots.packOf(directory, number)
    const taken = yield* git.takeSnapshot(repository, { path, branch, base: at, pack, known: known?.commit })
    if (Snapshot.$is("Absent")(taken)) return Saved.Absent()
    const { leftOut } = taken
    if (leftOut.length > 0) yield* note(ctx, unit, `not in the snapshot of unfinished work: ${listed(leftOut)}`)
    if (Snapshot.$is("Unchanged")(taken)) return Saved.Unchanged()
    const isSame = known?.commit === taken.commit
    const record = new Snapshots.Record({
      commit: taken.commit,
      base: at,
      repository: repository.topLevel,
      takenAt: yield* now,
      files: taken.files,
      leftOut: leftOut.slice(0, maxLeftOut),
      isDiscarded: isDiscarded || !taken.isOnBranch
    })
    if (isSame && known.record.isDiscarded === record.isDiscarded) return Saved.Saved({ snapshot: known })
    return Saved.Saved({ snapshot: yield* Snapshots.add(directory, isSame ? known.number : number, record) })
  })

/** Saves the work in the worktree of a unit, once its turn has ended. */
export const afterTurn = (ctx: RunContext, unit: UnitAt) => Effect.asVoid(attempt(ctx, unit, save(ctx, unit, false)))

/** Saves the work in the worktree of a unit before it is removed; waits while nothing can be written. */
const saveBeforeRemoval = (ctx: RunContext, unit: UnitAt, isDiscarded: boolean) => {
  const waiting = retryWhileUnwritable(disk, (problem) =>
    note(ctx, unit.unit, `${problem}: the worktree is made again once its unfinished work can be saved`)
  )
  return attempt(ctx, unit, waiting(save(ctx, unit, isDiscarded)))
}

/** Saves work that no later attempt continues, before its worktree is removed; returns the snapshot, if there is any work. */
export const discarded = (ctx: RunContext, unit: UnitAt) =>
  Effect.map(saveBeforeRemoval(ctx, unit, true), (saved) =>
    Saved.$is("Saved")(saved) ? Option.some(saved.snapshot) : Option.none()
  )

/** The last snapshot that the retried job has of a unit, to continue with at a commit if its worktree cannot be adopted. */
export const ofFormer = ({ directories, snapshot }: RunContext, unit: UnitName, at: ObjectId) =>
  Effect.gen(function* () {
    const former = snapshot.taken.worktrees[unit]
    const job = former?.branch.split("/")[1]
    if (job === undefined) return Option.none()
    const last = yield* Snapshots.last(Snapshots.directoryOf(`${dirname(directories.unfinished)}/${job}`, unit))
    return last !== undefined && Snapshots.isContinuable(last, at)
      ? Option.some<Unfinished>({ job, unit, snapshot: last })
      : Option.none()
  }).pipe(Effect.orElseSucceed(() => Option.none()))

/** What a worktree is made again with. */
interface Left {
  /** The last snapshot, unless the worktree shows that there is nothing to continue with. */
  readonly unfinished?: Unfinished | undefined
  /** The snapshot of work that is not continued. */
  readonly discarded?: Snapshots.Snapshot
}

/** Saves work that is to be continued, before its worktree is removed. */
export const continued = (ctx: RunContext, unit: UnitAt) =>
  Effect.gen(function* () {
    const ofUnit = (snapshot: Snapshots.Snapshot): Left => ({
      unfinished: { job: ctx.job.id, unit: unit.unit, snapshot }
    })
    const nothing: Left = {}
    const saved = yield* saveBeforeRemoval(ctx, unit, false)
    if (Saved.$is("Unchanged")(saved)) return nothing
    if (Saved.$is("Saved")(saved)) {
      const { snapshot } = saved
      if (!snapshot.record.isDiscarded) return ofUnit(snapshot)
      const why = "unfinished work was discarded, since HEAD had been moved, or an operation of git was under way"
      yield* note(ctx, unit.unit, `${why}: ${Snapshots.command(ctx.job.id, unit.unit, snapshot)}`)
      const left: Left = { discarded: snapshot }
      return left
    }
    const last = yield* Effect.orElseSucceed(Snapshots.last(directoryOf(ctx, unit.unit)), () => undefined)
    if (last !== undefined) return Snapshots.isContinuable(last, unit.at) ? ofUnit(last) : nothing
    const former: Left = { unfinished: Option.getOrUndefined(yield* ofFormer(ctx, unit.unit, unit.at)) }
    return former
  })

/** Makes a worktree, with its unfinished work if there is any; without it if that is impossible. */
export const addWorktree = (
  ctx: RunContext,
  options: { readonly path: AbsolutePath; readonly branch: OwnBranch },
  unfinished: Continued
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const empty = Effect.map(git.addWorktree(ctx.repository, options), (worktree) => ({
      ...worktree,
      restored: undefined
    }))
    if (Option.isNone(unfinished)) return yield* empty
    const { job, snapshot, unit } = unfinished.value
    const { files } = snapshot.record
    const made = `the worktree was made again with its unfinished work: ${files} ${files === 1 ? "file" : "files"}`
    return yield* Effect.matchEffect(git.addWorktree(ctx.repository, { ...options, unfinished: snapshot }), {
      onSuccess: (worktree) => Effect.as(note(ctx, unit, made), { ...worktree, restored: snapshot }),
      onFailure: ({ message }) => {
        const lost = `unfinished work could not be put back: ${plainText.line(message)}`
        return Effect.zipRight(note(ctx, unit, `${lost}; see: ${Snapshots.command(job, unit, snapshot)}`), empty)
      }
    })
  })

/** A failure is noted, unless it is that nothing can be recorded. */
const attempt = <E extends { readonly _tag: string; readonly message: string }, R>(
  ctx: RunContext,
  { unit }: UnitAt,
  saving: Effect.Effect<Saved, E | WriteError, R>
) =>
  Effect.catchAll(saving, (error): Effect.Effect<Saved, WriteError> => {
    if (Predicate.isTagged(error, "StoreError") || Predicate.isTagged(error, "Superseded")) return Effect.fail(error)
    const text = `unfinished work could not be saved: ${plainText.line(error.message)}`
    return Effect.logWarning(text).pipe(Effect.zipRight(note(ctx, unit, text)), Effect.as(Saved.Absent()))
  })

/** How many files that were left out are recorded. */
const maxLeftOut = 100

/** How many of them a note names. */
const shown = 5

const listed = (leftOut: ReadonlyArray<{ readonly path: string; readonly reason: string }>): string =>
  plainText.few(
    leftOut.map(({ path, reason }) => `${plainText.line(path)} (${plainText.line(reason)})`),
    shown
  )
