/**
 * A job that begins with what one before it has done, which failed or was cancelled.
 */
import { Effect, Option, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Work } from "../../domain/Work.js"
import { RunStore } from "../../store/RunStore.js"
import { Git } from "../../git/Git.js"
import { MergeResult } from "../../git/Merge.js"
import { type BranchName, ObjectId, RepoPath, resultBranch } from "../../git/RefNames.js"
import type { Repository } from "../../git/Repository.js"
import { Plan, Task, Unit } from "../plan/Plan.js"
import * as CarryOver from "./CarryOver.js"
import * as recoveryCommands from "./recoveryCommands.js"
import * as PlanSnapshot from "./PlanSnapshot.js"

export interface FormerJob {
  readonly id: JobId
  readonly submission: PlanSnapshot.PlanSnapshot
  readonly work: Work
}

/** The job to begin with; fails with the reason why it cannot be that one. */
export const find = (
  id: JobId | undefined,
  repository: Repository
): Effect.Effect<Option.Option<FormerJob>, string, RunStore> =>
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
    const submission = yield* PlanSnapshot.decode(kept.value)
    if (submission.identity !== repository.identity)
      return yield* Effect.fail(`job ${id} worked in another repository: ${submission.topLevel}`)
    return Option.some({ id, submission, work: yield* store.work.of(id) })
  }).pipe(Effect.mapError((error) => (typeof error === "string" ? error : error.message)))

interface Beginning {
  readonly repository: Repository
  readonly target: BranchName
  readonly targetAt: ObjectId
  readonly plan: Plan
  /** Whether commits may be written. */
  readonly touch: boolean
}

/** Where the job begins, and what of its plan is done already. */
export const takeOver = (former: Option.Option<FormerJob>, beginning: Beginning) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { plan, repository, target, targetAt, touch } = beginning
    const nothing = { base: targetAt, plan, taken: new PlanSnapshot.Taken({ begun: {}, tasks: [] }) }
    if (Option.isNone(former)) return nothing
    const { id, submission, work } = former.value
    if (submission.target !== target)
      return yield* refused(`job ${id} worked for the branch ${submission.target}, not for ${target}`)
    const isThere = yield* commitsThere(repository, former.value)
    const merged = work.units.findLast(({ commit, state }) => state === "merged" && isThere(commit))
    const result = Option.getOrElse(Schema.decodeUnknownOption(ObjectId)(merged?.commit), () => submission.base)
    // Where nothing leads to it any more, git throws it away after a while.
    if (!(yield* git.contains(repository, result))) return nothing
    if (!(yield* git.isAncestor(repository, submission.targetAt, targetAt)))
      return yield* rewritten(former.value, repository)

    const join = joining(beginning, former.value)
    const base = touch ? yield* together(join, { id, repository, result, target, targetAt }) : targetAt
    const unchanged = unchangedTasks(submission.plan, plan)
    const units = yield* Effect.forEach(plan.units, (unit) =>
      Effect.gen(function* () {
        const left = CarryOver.of(unit.id, former.value, isThere)
        const joined = touch && Option.isSome(left.begun) ? yield* join(left.begun.value, base) : undefined
        const { begun, tasks } = joined?._tag === "Conflict" ? CarryOver.startOver(left) : left
        const done = unit.tasks.map(({ number }) => number).filter((number) => tasks.includes(number))
        return { unit, begun, done: done.filter((number) => unchanged.has(name(unit.id, number))) }
      })
    )
    return {
      base,
      plan: new Plan({ ...plan, units: units.map(({ done, unit }) => completed(unit, done)) }),
      taken: new PlanSnapshot.Taken({
        from: id,
        begun: Object.fromEntries(
          units.flatMap(({ begun, unit }) => (Option.isSome(begun) ? [[unit.id, begun.value]] : []))
        ),
        tasks: units.flatMap(({ done, unit }) => done.map((task) => ({ unit: unit.id, task })))
      })
    }
  })

const refused = (message: string) => new InvalidJobConfig({ issues: [{ path: ["retryOf"], message }] })

/** To merge it would bring back what was taken out. */
const rewritten = ({ id, submission: { target, targetAt } }: FormerJob, repository: Repository) =>
  Effect.flatMap(
    recoveryCommands.rebase(repository, { begun: targetAt, result: resultBranch(id), target }),
    (command) =>
      refused(
        `the branch ${target} was rewritten since job ${id} began: put what it has done upon it (${command}), and start a new job`
      )
  )

const name = (unit: string, task: number): string => `${unit}/${task}`

const completed = (unit: Unit, done: ReadonlyArray<number>) =>
  new Unit({
    ...unit,
    tasks: unit.tasks.map((task) => (done.includes(task.number) ? new Task({ ...task, status: "complete" }) : task))
  })

/** Those of the recorded commits that the repository still has. */
const commitsThere = (repository: Repository, { submission, work: { tasks, units } }: FormerJob) =>
  Effect.gen(function* () {
    const git = yield* Git
    const recorded = [...units, ...tasks].map(({ commit }) => commit).concat(Object.values(submission.taken.begun))
    const commits = [...new Set(recorded)].flatMap((commit) =>
      Option.toArray(Schema.decodeUnknownOption(ObjectId)(commit))
    )
    const there = new Set<string>(yield* Effect.filter(commits, (commit) => git.contains(repository, commit)))
    return (commit: string | undefined): boolean => commit !== undefined && there.has(commit)
  })

/** A task whose file was changed since is another task. */
const unchangedTasks = (before: Plan, now: Plan): ReadonlySet<string> => {
  const hashes = ({ units }: Plan) =>
    new Map(units.flatMap(({ id, tasks }) => tasks.map(({ number, sha256 }) => [name(id, number), sha256])))
  const old = hashes(before)
  return new Set([...hashes(now)].flatMap(([task, sha256]) => (old.get(task) === sha256 ? [task] : [])))
}

/** Merges what came to the target since; of the files of the plan that were changed there, what the job made is passed over. */
const joining =
  ({ plan, repository }: Beginning, { id, submission }: FormerJob) =>
  (ours: ObjectId, theirs: ObjectId) =>
    Effect.gen(function* () {
      const git = yield* Git
      const yields = yield* Schema.decode(Schema.Array(RepoPath))([
        ...new Set([...submission.plan.files, ...plan.files])
      ])
      const subject = { title: `Begin again with what job ${id} has done`, jobId: id }
      return yield* git.merge(repository, { ours, theirs, subject, yields })
    })

/** One commit with what was done, and with what came to the target since. */
const together = (
  join: ReturnType<typeof joining>,
  options: Pick<Beginning, "repository" | "target" | "targetAt"> & { readonly id: JobId; readonly result: ObjectId }
) =>
  Effect.gen(function* () {
    const { id, repository, result, target, targetAt } = options
    const outcome = yield* join(result, targetAt)
    return yield* MergeResult.$match(outcome, {
      UpToDate: ({ commit }) => Effect.succeed(commit),
      FastForward: ({ commit }) => Effect.succeed(commit),
      Merged: ({ commit }) => Effect.succeed(commit),
      Conflict: ({ files }) =>
        Effect.flatMap(recoveryCommands.merge(repository, { result: resultBranch(id), target }), (command) =>
          refused(
            `what job ${id} has done and the branch ${target} have both changed ${files.join(", ")}: merge them (${command}), and start a new job`
          )
        )
    })
  })
