/**
 * A job that begins with what one before it has done, which failed or was cancelled.
 */
import { Effect, Option, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { TaskRecord, UnitRecord, Work } from "../../domain/Work.js"
import { RunStore } from "../../store/RunStore.js"
import { Git } from "../Git.js"
import { MergeResult } from "../git/Merge.js"
import { ObjectId, resultBranch } from "../git/Names.js"
import type { Repository } from "../git/Repository.js"
import { mergeCommand } from "../git/Shell.js"
import { Plan, Task, Unit } from "../plan/Plan.js"
import * as Submission from "./Submission.js"

export interface Former {
  readonly id: JobId
  readonly submission: Submission.Submission
  readonly work: Work
}

/** The job to begin with; fails with the reason why it cannot be that one. */
export const find = (
  id: JobId | undefined,
  repository: Repository
): Effect.Effect<Option.Option<Former>, string, RunStore> =>
  Effect.gen(function* () {
    if (id === undefined) return Option.none()
    const store = yield* RunStore
    const run = yield* store.get(id)
    if (Option.isNone(run)) return yield* Effect.fail(`job ${id} not found`)
    const { status } = run.value
    if (status !== "failed" && status !== "cancelled") {
      const instead =
        status === "completed" ? "there is nothing left to do" : `continue it with: charlotte resume ${id}`
      return yield* Effect.fail(`job ${id} is ${status}: ${instead}`)
    }
    const kept = yield* store.submission(id)
    if (Option.isNone(kept)) return yield* Effect.fail(`job ${id} is not a job of tasks`)
    const submission = yield* Submission.decode(kept.value)
    if (submission.identity !== repository.identity)
      return yield* Effect.fail(`job ${id} worked in another repository: ${submission.topLevel}`)
    return Option.some({ id, submission, work: yield* store.work.of(id) })
  }).pipe(Effect.mapError((error) => (typeof error === "string" ? error : error.message)))

interface Beginning {
  readonly repository: Repository
  readonly targetAt: ObjectId
  readonly plan: Plan
  /** Whether a commit may be written. */
  readonly touch: boolean
}

/** Where the job begins, and what of its plan is done already. */
export const takeOver = (former: Option.Option<Former>, { plan, repository, targetAt, touch }: Beginning) =>
  Effect.gen(function* () {
    const nothing = { base: targetAt, plan, taken: new Submission.Taken({ begun: {}, tasks: [] }) }
    if (Option.isNone(former)) return nothing
    const { id, submission, work } = former.value
    const there = yield* commitsThere(repository, work)
    const merged = work.units.filter(({ commit, state }) => state === "merged" && has(there, commit))
    const result = Option.getOrElse(at(merged.at(-1)?.commit), () => submission.base)
    const git = yield* Git
    // Where nothing leads to it any more, git throws it away after a while.
    if (!(yield* git.contains(repository, result))) return nothing

    const unchanged = unchangedTasks(submission.plan, plan)
    const isDone = (record: TaskRecord) => record.state === "completed" && has(there, record.commit)
    const done = new Set(
      work.units.flatMap((unit) => {
        const records = work.tasks.filter((record) => record.unit === unit.unit)
        // One that failed with all its tasks done could not be merged: it is worked on anew, upon the result.
        const isKept = merged.includes(unit) || isBegun(unit, records)
        return isKept ? records.filter(isDone).map((record) => name(record.unit, record.task)) : []
      })
    )
    for (const { task, unit } of submission.taken.tasks) done.add(name(unit, task))

    const begun = work.units.flatMap((unit) => {
      const records = work.tasks.filter((record) => record.unit === unit.unit)
      const last = at(records.filter(isDone).at(-1)?.commit)
      return isBegun(unit, records) && Option.isSome(last) ? [[unit.unit, last.value] as const] : []
    })
    const units = plan.units.map(
      (unit) =>
        new Unit({
          ...unit,
          tasks: unit.tasks.map((task) =>
            done.has(name(unit.id, task.number)) && unchanged.has(name(unit.id, task.number))
              ? new Task({ ...task, status: "complete" })
              : task
          )
        })
    )
    const taken = units.flatMap(({ id, tasks }) =>
      tasks.flatMap(({ number, status }) =>
        status === "complete" && done.has(name(id, number)) ? [{ unit: id, task: number }] : []
      )
    )
    const ids = new Set<string>(units.map((unit) => unit.id))
    return {
      base: touch ? yield* together(repository, { id, result, targetAt }) : targetAt,
      plan: new Plan({ ...plan, units }),
      taken: new Submission.Taken({
        from: id,
        begun: Object.fromEntries(begun.filter(([unit]) => ids.has(unit))),
        tasks: taken
      })
    }
  })

const name = (unit: string, task: number): string => `${unit}/${task}`

const at = (commit: string | undefined): Option.Option<ObjectId> => Schema.decodeUnknownOption(ObjectId)(commit)

const has = (commits: ReadonlySet<string>, commit: string | undefined): boolean =>
  commit !== undefined && commits.has(commit)

/** A unit that ended with a part of its tasks done. */
const isBegun = ({ state }: UnitRecord, records: ReadonlyArray<TaskRecord>): boolean =>
  (state === "running" || state === "failed") &&
  records.some((record) => record.state !== "completed" && record.state !== "skipped")

/** Those of the recorded commits that the repository still has. */
const commitsThere = (repository: Repository, { tasks, units }: Work) =>
  Effect.gen(function* () {
    const git = yield* Git
    const commits = [...units, ...tasks].flatMap(({ commit }) => Option.toArray(at(commit)))
    return new Set<string>(yield* Effect.filter([...new Set(commits)], (commit) => git.contains(repository, commit)))
  })

/** A task whose file was changed since is another task. */
const unchangedTasks = (before: Plan, now: Plan): ReadonlySet<string> => {
  const hashes = ({ units }: Plan) =>
    new Map(units.flatMap(({ id, tasks }) => tasks.map(({ number, sha256 }) => [name(id, number), sha256])))
  const old = hashes(before)
  return new Set([...hashes(now)].flatMap(([task, sha256]) => (old.get(task) === sha256 ? [task] : [])))
}

/** One commit with what was done, and with what came to the target since. */
const together = (
  repository: Repository,
  { id, result, targetAt }: { readonly id: JobId; readonly result: ObjectId; readonly targetAt: ObjectId }
) =>
  Effect.gen(function* () {
    const git = yield* Git
    const branch = resultBranch(id)
    const title = `Begin again with what job ${id} has done`
    const outcome = yield* git.merge(repository, { ours: result, theirs: targetAt, subject: { title, jobId: id } })
    return yield* MergeResult.$match(outcome, {
      UpToDate: ({ commit }) => Effect.succeed(commit),
      FastForward: ({ commit }) => Effect.succeed(commit),
      Merged: ({ commit }) => Effect.succeed(commit),
      Conflict: ({ files }) =>
        new InvalidJobConfig({
          issues: [
            {
              path: ["retryOf"],
              message: `what job ${id} has done and the target branch have both changed ${files.join(", ")}: merge them (${mergeCommand(repository.topLevel, branch)}), and start a new job`
            }
          ]
        })
    })
  })
