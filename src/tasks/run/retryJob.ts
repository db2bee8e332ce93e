/**
 * A job that retries a failed or cancelled job, and takes over its completed work.
 */
import { Effect, Option, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isTerminal, type RunStatus } from "../../domain/RunStatus.js"
import type { Question } from "../../domain/Question.js"
import { TaskSession, type Work } from "../../domain/Work.js"
import { RunStore } from "../../store/RunStore.js"
import { isOpen } from "../../store/rules/answering.js"
import { Git } from "../../git/Git.js"
import { MergeResult } from "../../git/Merge.js"
import { AbsolutePath, type BranchName, ObjectId, RepoPath, resultBranch, type UnitName } from "../../git/RefNames.js"
import { isSame, type Repository } from "../../git/Repository.js"
import * as Decisions from "../Decisions.js"
import { Plan, Task, Unit } from "../plan/Plan.js"
import * as chooseUnits from "./chooseUnits.js"
import * as CarryOver from "./CarryOver.js"
import * as recoveryCommands from "./recoveryCommands.js"
import * as PlanSnapshot from "./PlanSnapshot.js"

export interface FormerJob {
  readonly id: JobId
  readonly snapshot: PlanSnapshot.PlanSnapshot
  readonly work: Work
  readonly questions: ReadonlyArray<Question>
  readonly decisions: ReadonlyArray<Decisions.Decision>
}

/** The job to retry; fails with the reason if it cannot be retried. */
export const find = (
  id: JobId | undefined,
  repository: Repository
): Effect.Effect<Option.Option<FormerJob>, string, RunStore> =>
  id === undefined
    ? Effect.succeedNone
    : Effect.flatMap(ended(id, repository), (former) =>
        former.status === "completed"
          ? Effect.fail(`job ${id} is completed: there is nothing left to do`)
          : Effect.succeedSome(former)
      )

/** A job that has ended; fails with the reason if there is none. */
export const ended = (
  id: JobId,
  repository: Repository
): Effect.Effect<FormerJob & { readonly status: RunStatus }, string, RunStore> =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const run = yield* store.get(id)
    if (Option.isNone(run)) return yield* Effect.fail(`job ${id} not found`)
    const { status } = run.value
    if (status === "running" || status === "pending") return yield* Effect.fail(`job ${id} is ${status}: stop it first`)
    if (!isTerminal(status))
      return yield* Effect.fail(`job ${id} is ${status}: continue it with: charlotte resume ${id}`)
    const kept = yield* store.submission(id)
    if (Option.isNone(kept)) return yield* Effect.fail(`job ${id} is not a task job`)
    const snapshot = yield* PlanSnapshot.decode(kept.value)
    if (!isSame(repository, snapshot.identity))
      return yield* Effect.fail(`job ${id} ran in another repository: ${snapshot.topLevel}`)
    return {
      id,
      status,
      snapshot,
      work: yield* store.work.of(id),
      questions: yield* store.questions.of(id),
      decisions: yield* Decisions.read(store, id)
    }
  }).pipe(Effect.mapError((error) => (typeof error === "string" ? error : error.message)))

const decodePath = Schema.decodeOption(AbsolutePath)

interface Start {
  readonly repository: Repository
  readonly target: BranchName
  readonly targetAt: ObjectId
  readonly plan: Plan
  /** Whether commits may be created; not in a dry run. */
  readonly canCommit: boolean
  /** Whether units that were not merged, or the wanted ones, begin at the base. */
  readonly isFresh: boolean
  /** The units to work on, besides those that depend on them; all if undefined. */
  readonly wanted: ReadonlyArray<string> | undefined
}

/** The commit at which the job starts, and the tasks of its plan that are already done. */
export const carryOver = (former: Option.Option<FormerJob>, start: Start) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { canCommit, isFresh, repository, target, targetAt, wanted } = start
    const nothing = new PlanSnapshot.Taken({ begun: {}, tasks: [], worktrees: {} })
    if (Option.isNone(former)) return { base: targetAt, plan: start.plan, taken: nothing }
    const { id, questions, snapshot, work } = former.value
    const exists = yield* existingCommits(repository, former.value)
    const lastMerged = work.units.findLast(({ commit, state }) => state === "merged" && exists(commit))
    const result = Option.getOrElse(Schema.decodeUnknownOption(ObjectId)(lastMerged?.commit), () => snapshot.base)
    // Git may have garbage-collected a commit that no branch contains.
    const isThere = yield* git.contains(repository, result)
    const leftBefore = new Map<string, JobId>(snapshot.taken.leftOut.map(({ job, unit }) => [unit, job]))
    const states = new Map(work.units.map(({ state, unit }) => [unit, state]))
    const chosen = yield* Effect.mapError(
      chooseUnits.choose({
        plan: start.plan,
        wanted,
        ownerOf: (unit) => Option.fromNullable(leftBefore.get(unit)),
        isMerged: (unit) => isThere && ["merged", "skipped"].includes(states.get(unit) ?? "")
      }),
      refusedUnits
    )
    const { plan } = chosen
    const leftOut = chosen.leftOut.map((unit) => ({ unit: unit.id, job: leftBefore.get(unit.id) ?? id }))
    if (!isThere) return { base: targetAt, plan, taken: new PlanSnapshot.Taken({ ...nothing, leftOut }) }
    if (!(yield* git.isAncestor(repository, snapshot.targetAt, targetAt)))
      return yield* snapshot.target === target ? rewritten(former.value, repository) : unrelated(former.value, target)

    const base = canCommit
      ? yield* mergeBase(mergeWith(start, former.value), { id, repository, result, target, targetAt })
      : targetAt
    const unchanged = unchangedTasks(snapshot.plan, plan)
    const worktrees = new Map((yield* git.worktrees(repository)).map(({ branch, path }) => [branch, path]))
    const branches = new Map((yield* git.ownBranches(repository)).map(({ branch, commit }) => [branch, commit]))
    /** The branch of a unit whose tasks are done counts as it stands, so that a person can resolve a conflict there. */
    const standingTip = ({ branch, tip }: CarryOver.CarryOver) =>
      Effect.gen(function* () {
        const standing = Option.flatMapNullable(branch, (branch) => branches.get(branch))
        if (Option.isNone(tip) || Option.isNone(standing)) return tip
        return (yield* git.isAncestor(repository, tip.value, standing.value)) ? standing : tip
      })
    const dependedOn = new Map(snapshot.plan.units.map(({ dependsOn, id }) => [id, dependsOn]))
    /** The work of a unit contains what it depended on, which is in no result if it is not merged. */
    const hasWorkOfOthers = ({ dependsOn, id }: Unit) =>
      dependedOn
        .get(id)
        ?.some((other) => !dependsOn.includes(other) && !["merged", "skipped"].includes(states.get(other) ?? "")) ===
      true
    // What a unit did is also in the work of the units that depend on it, so if it starts over, they do, too.
    const over = new Set<string>()
    const units = yield* Effect.forEach(plan.units, (unit) =>
      Effect.gen(function* () {
        const doneOf = (tasks: ReadonlyArray<number>) =>
          unit.tasks
            .map(({ number }) => number)
            .filter((number) => tasks.includes(number) && unchanged.has(name(unit.id, number)))
        const startsOver =
          (isFresh && (wanted === undefined || wanted.includes(unit.id))) ||
          hasWorkOfOthers(unit) ||
          unit.dependsOn.some((id) => over.has(id))
        const carried = CarryOver.of(unit.id, former.value, { exists, isFresh: startsOver })
        const state = states.get(unit.id)
        if (Option.isNone(carried.tip) && state !== undefined && state !== "merged" && state !== "skipped")
          over.add(unit.id)
        const done = doneOf(carried.tasks)
        const isFinished = unit.remaining.every(({ number }) => done.includes(number))
        const worktree = Option.flatMap(isFinished ? Option.none() : carried.worktree, ({ branch, path }) =>
          // It may have been moved.
          Option.map(decodePath(worktrees.get(branch) ?? path), (path) => ({ path, branch }))
        )
        const tip = yield* standingTip(carried)
        // It may have been merged into the target meanwhile.
        const isMerged =
          isFinished &&
          Option.isSome(tip) &&
          (unit.remaining.length === 0 || (yield* git.isAncestor(repository, tip.value, base)))
        const planned = completed(unit, done, chosen.isChosen(unit.id))
        const left = planned.tasks.filter(({ number }) => !done.includes(number))
        return { unit: planned, tip: isMerged ? Option.none() : tip, worktree, done, left, startsOver }
      })
    )
    return {
      base,
      plan: new Plan({ ...plan, units: units.map(({ unit }) => unit) }),
      taken: new PlanSnapshot.Taken({
        from: id,
        leftOut,
        begun: Object.fromEntries(units.flatMap(({ tip, unit }) => (Option.isSome(tip) ? [[unit.id, tip.value]] : []))),
        tasks: units.flatMap(({ done, unit }) => done.map((task) => ({ unit: unit.id, task }))),
        worktrees: Object.fromEntries(
          units.flatMap(({ unit, worktree }) => (Option.isSome(worktree) ? [[unit.id, worktree.value]] : []))
        ),
        sessions: units.flatMap(({ left, unit }) => left.flatMap(({ number }) => sessionOf(work, unit.id, number))),
        questions: units.flatMap(({ left, startsOver, unit }) =>
          questions.filter(
            (asked) =>
              asked.unit === unit.id &&
              left.some(({ number }) => number === asked.task) &&
              // A person may have answered by editing the task.
              (!isOpen(asked) || (!startsOver && unchanged.has(name(asked.unit, asked.task))))
          )
        )
      })
    }
  })

/** The session of a task that goes on in the retry, in which no attempt was made yet. */
const sessionOf = ({ tasks }: Work, unit: UnitName, number: number) => {
  const session = tasks.find(
    (record) => record.unit === unit && record.task === number && record.resolves === undefined
  )?.session
  return session === undefined
    ? []
    : [{ unit, task: number, session: new TaskSession({ ...session, attempt: 0 }, { disableValidation: true }) }]
}

const refused = (message: string) => new InvalidJobConfig({ issues: [{ path: ["retryOf"], message }] })

export const refusedUnits = (message: string) => new InvalidJobConfig({ issues: [{ path: ["units"], message }] })

/** The target was rewritten, and merging would restore the removed commits. */
const rewritten = ({ id, snapshot: { target, targetAt } }: FormerJob, repository: Repository) =>
  Effect.flatMap(recoveryCommands.rebase(repository, { base: targetAt, result: resultBranch(id), target }), (command) =>
    refused(
      `the branch ${target} was rewritten since job ${id} started: rebase its work (${command}), and start a new job`
    )
  )

/** Landing on this target would also bring the commits of the former target. */
const unrelated = ({ id, snapshot }: FormerJob, target: BranchName) =>
  refused(
    `the branch ${target} does not contain the commits of ${snapshot.target} from which job ${id} started: merge ${snapshot.target} into it, or name another target`
  )

const name = (unit: string, task: number): string => `${unit}/${task}`

/** A unit with its done tasks; what is new in one that is not chosen is left out. */
const completed = (unit: Unit, done: ReadonlyArray<number>, isChosen: boolean) => {
  const tasks = unit.tasks.map((task) =>
    done.includes(task.number) ? new Task({ ...task, status: "complete" }) : task
  )
  return new Unit({ ...unit, tasks: isChosen ? tasks : tasks.filter(({ status }) => status === "complete") })
}

/** A predicate for the recorded commits that still exist in the repository. */
const existingCommits = (repository: Repository, { snapshot, work: { tasks, units } }: FormerJob) =>
  Effect.gen(function* () {
    const git = yield* Git
    const recorded = [...units, ...tasks]
      .map(({ commit }) => commit)
      .concat(Object.values(snapshot.taken.begun))
      .concat(units.map(({ base }) => base))
    const commits = [...new Set(recorded)].flatMap((commit) =>
      Option.toArray(Schema.decodeUnknownOption(ObjectId)(commit))
    )
    const existing = new Set<string>(yield* Effect.filter(commits, (commit) => git.contains(repository, commit)))
    return (commit: string | undefined): boolean => commit !== undefined && existing.has(commit)
  })

/** The tasks whose files have not changed; the others have to be run again. */
const unchangedTasks = (before: Plan, now: Plan): ReadonlySet<string> => {
  const hashes = ({ units }: Plan) =>
    new Map(units.flatMap(({ id, tasks }) => tasks.map(({ number, sha256 }) => [name(id, number), sha256])))
  const old = hashes(before)
  return new Set([...hashes(now)].flatMap(([task, sha256]) => (old.get(task) === sha256 ? [task] : [])))
}

/** Merges newer commits of the target into the work of a job. For plan files that changed there, the version of the target prevails. */
const mergeWith =
  ({ plan, repository }: Start, { id, snapshot }: FormerJob) =>
  (ours: ObjectId, theirs: ObjectId) =>
    Effect.gen(function* () {
      const git = yield* Git
      const yields = yield* Schema.decode(Schema.Array(RepoPath))([...new Set([...snapshot.plan.files, ...plan.files])])
      const subject = { title: `Take over the work of job ${id}`, jobId: id }
      return yield* git.merge(repository, { ours, theirs, subject, yields })
    })

/** The base of the retry: the work of the job, merged with the newer commits of the target. */
const mergeBase = (
  merge: ReturnType<typeof mergeWith>,
  options: Pick<Start, "repository" | "target" | "targetAt"> & { readonly id: JobId; readonly result: ObjectId }
) =>
  Effect.gen(function* () {
    const { id, repository, result, target, targetAt } = options
    const outcome = yield* merge(result, targetAt)
    return yield* MergeResult.$match(outcome, {
      UpToDate: ({ commit }) => Effect.succeed(commit),
      FastForward: ({ commit }) => Effect.succeed(commit),
      Merged: ({ commit }) => Effect.succeed(commit),
      Conflict: ({ files }) =>
        Effect.flatMap(recoveryCommands.merge(repository, { result: resultBranch(id), target }), (command) =>
          refused(
            `the work of job ${id} conflicts with the branch ${target} in ${files.join(", ")}: merge them (${command}), and start a new job`
          )
        )
    })
  })
