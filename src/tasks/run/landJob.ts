/**
 * A job that lands what another has done. Its plan has the units that land, with all of their tasks complete, and its base is their
 * fold: so no agent is called, and it lands as any other job does, verified on exactly the commit that lands.
 */
import { Array, Effect, Option, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import { UnitRecord, type Work } from "../../domain/Work.js"
import { Git } from "../../git/Git.js"
import { type BranchName, ObjectId, unitBranch } from "../../git/RefNames.js"
import type { Repository } from "../../git/Repository.js"
import * as plainText from "../../internal/plainText.js"
import { Plan, Task, Unit } from "../plan/Plan.js"
import { listed } from "./chooseUnits.js"
import { mergeCommits } from "./mergeUnit.js"
import * as PlanSnapshot from "./PlanSnapshot.js"
import { type FormerJob, refusedUnits } from "./retryJob.js"
import * as scheduleUnits from "./scheduleUnits.js"
import * as unitCommits from "./unitCommits.js"

interface Start {
  readonly repository: Repository
  readonly target: BranchName
  /** The commit of the target. */
  readonly tip: ObjectId
  /** The units to land, besides those that they depend on; all that are done if undefined. */
  readonly wanted: ReadonlyArray<string> | undefined
}

const refused = (message: string) => new InvalidJobConfig({ issues: [{ path: ["landOf"], message }] })

/** The units to land and the commit with all of them. Fails if there are none, or if the target has them. */
export const carryOver = (former: FormerJob, { repository, target, tip, wanted }: Start) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { id, snapshot, work } = former
    const { base, plan, taken, targetAt } = snapshot
    const recorded = recordsOf(work)
    const done = doneOf(former, recorded)
    const isDone = (unit: Unit) => done.includes(unit)
    yield* checkNames(former, recorded, wanted ?? [], done)

    const tips = new Map(
      done.flatMap((unit) => Option.toArray(tipOf(recorded, unit)).map((tip) => [unit.id, tip] as const))
    )
    const chosen = new Set<string>(wanted ?? done.map(({ id }) => id))
    for (const { dependsOn, id } of plan.units.toReversed())
      if (chosen.has(id)) for (const unit of dependsOn) chosen.add(unit)
    const isPartOf = (tip: ObjectId) =>
      Effect.exists([...tips], ([other, at]) =>
        chosen.has(other) ? git.isAncestor(repository, tip, at) : Effect.succeed(false)
      )
    // A unit may have begun at a result with others on which it does not depend. What was empty is in the base.
    const units = yield* Effect.filter(done, ({ id }) => {
      const tip = tips.get(id)
      return chosen.has(id) || tip === undefined ? Effect.succeed(true) : isPartOf(tip)
    })

    const own = units.flatMap(({ id }) => tips.get(id) ?? [])
    const missing = yield* Effect.filter([base, ...own], (commit) =>
      Effect.map(git.contains(repository, commit), (isThere) => !isThere)
    )
    if (missing.length > 0) return yield* refused(`the repository no longer has the commit ${missing.join(", ")}`)
    if (yield* Effect.every([base, ...own], (commit) => git.isAncestor(repository, commit, tip)))
      return yield* refused(
        `nothing to land: ${own.length === 0 ? `no unit of job ${id} is done` : `${target} has all that job ${id} has done`}`
      )
    return {
      base: yield* fold(former, { repository, recorded, units, tips }),
      targetAt,
      plan: new Plan({ ...plan, units: units.map(complete) }),
      taken: new PlanSnapshot.Taken({
        from: id,
        begun: {},
        tasks: units.flatMap(({ id, tasks }) => {
          const before = new Set(taken.tasks.flatMap(({ task, unit }) => (unit === id ? [task] : [])))
          const completed = recorded.progress
            .tasksOf(id)
            .flatMap(({ state, task }) => (state === "completed" ? [task] : []))
          return tasks
            .map(({ number }) => number)
            .filter((number) => before.has(number) || completed.includes(number))
            .map((task) => ({ unit: id, task }))
        }),
        leftOut: [
          ...taken.leftOut,
          ...plan.units.filter((unit) => !isDone(unit)).map((unit) => ({ unit: unit.id, job: id }))
        ]
      })
    }
  })

/** How often the unit was rejected. Each time its work was in the result, from which it continues with a further task. */
const rejections = ({ decisions }: FormerJob, { id }: Unit): number =>
  decisions.filter(({ unit }) => unit === id).length

/** Whether nothing is left to do. The job may have been stopped before it recorded the further task of a rejection. */
const isOver = (former: FormerJob, recorded: unitCommits.Recorded, unit: Unit): boolean => {
  const further = unitCommits
    .plannedOf(recorded, unit.id)
    .filter(({ task }) => unit.tasks.every(({ number }) => number !== task))
  return (
    ["merged", "done", "empty"].includes(scheduleUnits.standing(recorded, unit.id)) &&
    further.length >= rejections(former, unit)
  )
}

/** The units that are done, with all whose work they contain: what continued from a result contains the work of all units. */
const doneOf = (former: FormerJob, recorded: unitCommits.Recorded): ReadonlyArray<Unit> => {
  const { units } = former.snapshot.plan
  let done = units.filter((unit) => isOver(former, recorded, unit))
  for (;;) {
    const left = units.filter((unit) => !done.includes(unit))
    const next = done.filter((unit) =>
      left.every(({ id }) => rejections(former, unit) === 0 && !unit.dependsOn.includes(id))
    )
    if (next.length === done.length) return done
    done = next
  }
}

/** A job that was stopped before it began has no records. */
const recordsOf = ({ tasks, units }: Work): unitCommits.Recorded => ({
  progress: {
    unit: (id) =>
      units.find(({ unit }) => unit === id) ??
      new UnitRecord({ unit: id, position: 0, dependsOn: [], state: "pending" }),
    tasksOf: (id) => tasks.filter(({ unit }) => unit === id)
  }
})

const tipOf = (recorded: unitCommits.Recorded, { id }: Unit) =>
  Schema.decodeUnknownOption(ObjectId)(unitCommits.tipOf(recorded, id))

/** Fails with the first unit that cannot land, and how to finish it. */
const checkNames = (
  { id, snapshot: { plan, taken } }: FormerJob,
  recorded: unitCommits.Recorded,
  names: ReadonlyArray<string>,
  done: ReadonlyArray<Unit>
) =>
  Effect.forEach(
    names,
    (name) => {
      if (done.some((unit) => unit.id === name)) return Effect.void
      const owner = taken.leftOut.find(({ unit }) => unit === name)?.job
      if (owner !== undefined)
        return refusedUnits(`unit ${name} was left to job ${owner}: charlotte land ${owner} --unit ${name}`)
      const unit = plan.units.find(({ id }) => id === name)
      if (unit === undefined) return refusedUnits(`there is no unit ${name}: ${listed(plan.units)}`)
      const { reason = "" } = recorded.progress.unit(name)
      const retry = `charlotte retry ${id} --unit ${name}`
      return refusedUnits(
        reason !== "" && Option.isSome(tipOf(recorded, unit))
          ? `unit ${name} could not be merged: ${plainText.line(reason)}; resolve that on ${unitBranch(id, unit.id)}, then ${retry}`
          : `unit ${name} is not done: continue it with: ${retry}`
      )
    },
    { discard: true }
  )

const complete = (unit: Unit) =>
  new Unit({ ...unit, tasks: unit.tasks.map((task) => new Task({ ...task, status: "complete" })) })

interface Folding {
  readonly repository: Repository
  readonly recorded: unitCommits.Recorded
  readonly units: ReadonlyArray<Unit>
  readonly tips: ReadonlyMap<string, ObjectId>
}

/**
 * The result of the job as far as it has only these units, so that nothing is merged twice; the others are merged into it. Each recorded
 * result may have the work that was rejected of a unit that does not land.
 */
const fold = (former: FormerJob, { recorded, repository, tips, units }: Folding) =>
  Effect.gen(function* () {
    const { id, snapshot } = former
    const { base, plan, taken } = snapshot
    const { progress } = recorded
    const isClean = plan.units.every((unit) => units.includes(unit) || rejections(former, unit) === 0)
    const merged = isClean ? plan.units.filter(({ id }) => progress.unit(id).state === "merged") : []
    const whole = Array.takeWhile(merged, ({ id }) => units.some((unit) => unit.id === id))
    const result = Option.flatMap(Array.last(whole), (unit) =>
      Schema.decodeUnknownOption(ObjectId)(progress.unit(unit.id).commit)
    )
    let at = Option.getOrElse(result, () => base)
    for (const unit of units) {
      const tip = tips.get(unit.id)
      if (tip === undefined || whole.includes(unit)) continue
      const isCarriedOver = taken.begun[unit.id] !== undefined
      at = yield* mergeCommits({ job: { id }, repository, snapshot }, unit, {
        ours: at,
        theirs: tip,
        isCarriedOver
      }).pipe(
        Effect.catchTag("MergeConflict", ({ files }) =>
          refusedUnits(`unit ${unit.id} conflicts in ${files.join(", ")} with what else would land: choose other units`)
        )
      )
    }
    return at
  })
