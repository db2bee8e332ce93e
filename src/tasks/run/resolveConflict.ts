/**
 * The turn of a unit's agent at a conflict that the unit has with the units merged before it. It is recorded as a task of the unit
 * that is not part of the plan, so it counts, waits and continues as the turns of others; but it has one attempt, and what follows it
 * is the merge.
 */
import { Effect, Schema } from "effect"
import type { JobConfig } from "../../domain/JobConfig.js"
import type { TaskNote } from "../../domain/Work.js"
import { Git } from "../../git/Git.js"
import { mergeBranch, ObjectId, RepoPath, unitBranch } from "../../git/RefNames.js"
import * as plainText from "../../internal/plainText.js"
import { script } from "../agents/Profile.js"
import { Task, type Unit } from "../plan/Plan.js"
import * as Settings from "../plan/Settings.js"
import * as checkChanges from "./checkChanges.js"
import type { TaskPosition } from "./commitTask.js"
import { type MergeConflict } from "./errors.js"
import * as Note from "./Note.js"
import * as protectFiles from "./protectFiles.js"
import type { PlanSnapshot } from "./PlanSnapshot.js"
import { ofRepository, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"
import * as runTask from "./runTask.js"
import type { AfterTurn } from "./tryTask.js"
import * as saveUnfinished from "./saveUnfinished.js"
import * as UnitWorktree from "./UnitWorktree.js"
import * as verifyMerge from "./verifyMerge.js"

type Resolving = Pick<JobConfig, "conflicts">

/** The command line prevails over `charlotte.yaml`. */
export const isWanted = ({ conflicts }: Resolving, { plan }: Pick<PlanSnapshot, "plan">): boolean =>
  (conflicts ?? plan.settings.conflicts) === "agent"

/** The task of the turn; none if the unit has no agent that could make it. */
const taskOf = (snapshot: PlanSnapshot, { tasks }: Unit, prompt: string, title: string): Task | undefined => {
  const last = tasks.at(-1)
  if (last === undefined) return undefined
  const agents = snapshot.agentsOf(last).filter(({ agent }) => agent !== script)
  if (agents.length === 0) return undefined
  const number = Math.max(...tasks.map(({ number }) => number)) + 1
  return new Task(
    { ...last, number, title, prompt, agents, status: "pending", dependsOn: [], scripts: [] },
    { disableValidation: true }
  )
}

/** Tasks with the agents that may be needed. */
export const tasks = (config: Resolving, snapshot: PlanSnapshot): ReadonlyArray<Task> =>
  isWanted(config, snapshot)
    ? snapshot.plan.units
        .filter(({ id, remaining }) => remaining.length > 0 || snapshot.taken.begun[id] !== undefined)
        .flatMap((unit) => taskOf(snapshot, unit, "", "") ?? [])
    : []

/** Whether the conflict of a unit had a turn. */
export const hadTurn = ({ progress }: RunContext, { id }: Unit): boolean =>
  progress.tasksOf(id).some(({ resolves }) => resolves !== undefined)

/** How many files or commands are named. */
const mostNamed = 20

const some = (lines: ReadonlyArray<string>): string =>
  [...lines.slice(0, mostNamed), ...(lines.length > mostNamed ? [`- and ${lines.length - mostNamed} more`] : [])].join(
    "\n"
  )

const named = (files: ReadonlyArray<string>): string => plainText.line(plainText.few(files, 3))

const promptFor = (ctx: RunContext, { id, tasks }: Unit, files: ReadonlyArray<string>): string => {
  const gates = verifyMerge.doneTasks(ctx, ...verifyMerge.merged(ctx), id)
  const commands = [
    ...gates.map(({ task, unit }) => `- task ${task.number} of unit ${unit}: ${plainText.line(task.backpressure)}`),
    ...Settings.baselineOf(ctx.snapshot.plan.settings).run.map((line) => `- ${plainText.line(line)}`)
  ]
  return (
    `# Resolve a conflict\n\nThe work of unit ${id} is merged with the units that were merged before it. Git could not merge these ` +
    `files:\n\n${some(files.map((file) => `- ${plainText.line(file)}`))}\n\n` +
    "The working tree has the merge. In these files, what is between the lines <<<<<<< and ======= is from the units before, and " +
    `what is between ======= and >>>>>>> is from unit ${id}. Edit the files so that they serve the purposes of both, and remove ` +
    "these markers. Change other files only where the merge needs that, and run no git merge, rebase or reset.\n\n" +
    `Unit ${id} did this:\n\n${some(tasks.map(({ number, title }) => `- task ${number}: ${plainText.line(title)}`))}\n\n` +
    "This is your only turn at the conflict. After you exit, everything in the working tree is committed as the merge, and these " +
    `commands must pass on it:\n\n${some(commands)}\n`
  )
}

/** Returns the merge commit that the turn has made; fails with the conflict if it gets none. */
export const run = (ctx: RunContext, unit: Unit, conflict: MergeConflict) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { job, progress, repository, snapshot } = ctx
    const { files, unresolved } = conflict
    const title = `Resolve the conflict in ${named(files)}`
    const task = taskOf(snapshot, unit, promptFor(ctx, unit, files), title)
    if (unresolved === undefined || task === undefined) return yield* conflict
    const { number } = task
    yield* progress.addTask({
      unit: unit.id,
      task: number,
      title,
      state: "pending",
      failures: 0,
      calls: 0,
      resolves: files,
      notes: []
    })
    const record = () => progress.task(unit.id, number)
    if (record().state === "completed") return yield* Schema.decodeUnknown(ObjectId)(record().commit)
    yield* ctx.taskAgents.check(unit.id, task)
    const { commit: at, parents } = unresolved
    const branch = mergeBranch(job.id, unit.id)
    const worktree = yield* UnitWorktree.open(ctx, unit.id, { branch, at, directory: directoryOf(unit) })
    const paths = yield* Schema.decode(Schema.Array(RepoPath))(files)
    const inConflict = new Set<string>(files)
    const afterTurn: AfterTurn = ({ name, worker }) =>
      Effect.gen(function* () {
        const patch = `${name}.protected.patch`
        const { files: restored } = yield* protectFiles.putBack(
          ctx,
          unit,
          task,
          { worktree, tip: at },
          { patch, except: paths }
        )
        const note: TaskNote = { _tag: "resolved", files, by: worker }
        const { commit } = yield* retryWhileUnwritable(ofRepository(git, repository), (problem) =>
          Note.add(ctx, { unit: unit.id, task: number }, `${problem}: the merge is committed once it can be written`)
        )(
          git.commit(repository, worktree, {
            title: `Merge unit ${unit.id}`,
            body: `The conflict in ${named(files)} was resolved by ${worker}.`,
            jobId: job.id,
            unit: unit.id,
            since: at,
            keep: [...ctx.keep, ...restored].filter((path) => !inConflict.has(path)),
            resolves: { parents, files: paths },
            before: ({ changed, commit }) =>
              Effect.gen(function* () {
                const others = changed.filter((path) => !inConflict.has(path))
                yield* checkChanges.note(ctx, unit, task, { changed: others, from: at, to: commit })
                yield* progress.changeTask(unit.id, number, { commit, notes: [note, ...record().notes] })
              }).pipe(Effect.orDie, Effect.provideService(Git, git))
          })
        )
        yield* ctx.emit("task.noted", { note }, { unit: unit.id, task: number })
        const position: TaskPosition = { worktree, tip: commit }
        return position
      })
    const { tip } = yield* runTask.run(ctx, unit, task, { worktree, tip: at }, { attempts: 1, afterTurn })
    yield* UnitWorktree.release(ctx, worktree)
    return tip
  })

/** It is no valid unit name, so it cannot collide with one. */
const directoryOf = ({ id }: Unit): string => `_merge-${id}`

/**
 * Removes what the turn has left once its unit is merged or has failed: its files, which are saved, and its branch. The branch of a
 * unit that has failed is put back to its own work: a retry does not merge a resolution with which gates have failed.
 */
export const end = (ctx: RunContext, unit: Unit, tip: ObjectId, isMerged: boolean) =>
  Effect.gen(function* () {
    if (!hadTurn(ctx, unit)) return
    const git = yield* Git
    const { job, repository } = ctx
    const branch = mergeBranch(job.id, unit.id)
    const path = yield* UnitWorktree.pathOf(ctx, unit.id, directoryOf(unit))
    const left = (yield* git.ownBranches(repository)).find((own) => own.branch === branch)
    if (left !== undefined) {
      yield* saveUnfinished.discarded(ctx, { unit: unit.id, path, branch, at: left.commit })
      yield* git.removeWorktree(repository, path)
      yield* git.deleteBranch(repository, branch)
    }
    if (!isMerged) yield* git.restore(repository, unitBranch(job.id, unit.id), tip)
  }).pipe(UnitWorktree.logLeftover)
