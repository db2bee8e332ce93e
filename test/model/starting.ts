/**
 * Commands that start jobs: at once or later, one or many, in a transaction, or by a producer.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { expect } from "@effect/vitest"
import type { JobId, JobManager } from "charlotte"
import { Effect, type Either, Option } from "effect"
import { byProducer, type Command, command, manager } from "./command.js"
import type { Model } from "./Model.js"
import { configOf, type Decision, type How, howOf, optionsOf, plain, type Start, startOf } from "./Start.js"

const nameOf = (start: Start) => JSON.stringify(start)

type Answer = Either.Either<JobId.JobId, { readonly _tag: string }>

/** Compares the answer of a start with the decision of the model, which takes it over. */
const compare = (model: Model, start: Start, how: How, decision: Decision, answer: Answer) => {
  if (decision._tag === "Refused") return expect(answer).toMatchObject({ _tag: "Left", left: { _tag: decision.error } })
  expect(answer).toMatchObject(decision._tag === "Existing" ? { right: decision.id } : { _tag: "Right" })
  if (answer._tag === "Right") model.started(answer.right, start, decision, how)
}

/** Whether several runs end at the same time because a new one replaces them: which run is next depends on their order, if groups count. */
const replacesAtOnce = (model: Model, decision: Decision) => {
  if (decision._tag !== "New") return false
  const { replaced } = decision
  return replaced.length > 1 && replaced.some((id) => model.job(id).status === "running")
}

/** Starts as the model decides, unless the order of what happens is not determined. */
const starting = (
  model: Model,
  start: Start,
  how: How,
  real: Effect.Effect<JobId.JobId, { readonly _tag: string }, JobManager.JobManager>
) =>
  Effect.gen(function* () {
    const decision = model.decide(start, how)
    if (!replacesAtOnce(model, decision)) compare(model, start, how, decision, yield* Effect.either(real))
  })

export const start = (wanted: Start): Command =>
  command(`start ${nameOf(wanted)}`, (model) =>
    Effect.gen(function* () {
      const start = startOf(model.kind, wanted)
      const { maxQueued } = model.limits
      const how = howOf(model.kind, start, { isQueued: false, isChecked: true, maxQueued })
      const real = Effect.flatMap(manager, (manager) => manager.start(configOf(start), optionsOf(model.kind, start)))
      yield* starting(model, start, how, real)
    })
  )

/** Two runs with the same options. */
export const startMany = (wanted: Start): Command =>
  command(`start many ${nameOf(wanted)}`, (model) =>
    Effect.gen(function* () {
      const start = startOf(model.kind, { ...wanted, idempotencyKey: undefined })
      const { whenFull: _, ...options } = optionsOf(model.kind, start)
      const { maxQueued } = model.limits
      const how = howOf(model.kind, start, { isQueued: true, isChecked: true, maxQueued })
      if (start.whenKeyTaken === "replace") return
      const answers = yield* Effect.flatMap(manager, (manager) =>
        manager.startMany([configOf(start), configOf(start)], options)
      )
      for (const answer of answers) compare(model, start, how, model.decide(start, how), answer)
    })
  )

/** In a transaction of the application, where the store has any. */
export const startInside = (wanted: Start, isRolledBack: boolean): Command =>
  command(`start inside ${nameOf(wanted)} ${isRolledBack ? "and roll back" : ""}`, (model) =>
    Effect.gen(function* () {
      const sql = yield* Effect.serviceOption(SqlClient.SqlClient)
      if (Option.isNone(sql)) return
      const start = startOf(model.kind, wanted)
      const { maxQueued } = model.limits
      const how = howOf(model.kind, start, { isQueued: true, isChecked: false, maxQueued })
      const isInvalid = start.whenKeyTaken === "attach" || start.whenKeyTaken === "replace"
      const decision: Decision = isInvalid ? { _tag: "Refused", error: "InvalidJobConfig" } : model.decide(start, how)
      const started = Effect.flatMap(manager, (manager) => manager.start(configOf(start), optionsOf(model.kind, start)))
      if (isRolledBack && decision._tag !== "Refused") {
        const failing = Effect.zipRight(started, Effect.fail("rolled back" as const))
        return expect(yield* Effect.flip(sql.value.withTransaction(failing))).toBe("rolled back")
      }
      // A refused start leaves nothing in the transaction.
      const answer = yield* sql.value.withTransaction(Effect.either(started))
      compare(model, start, how, decision, answer)
    })
  )

/** It waits until the manager begins it, and is checked then. */
export const startByProducer = (wanted: Start): Command =>
  command(`start by a producer ${nameOf(wanted)}`, (model) =>
    byProducer((producer) =>
      Effect.gen(function* () {
        const whenKeyTaken = wanted.startKey === undefined ? ("refuse" as const) : wanted.whenKeyTaken
        const start = startOf(model.kind, { ...wanted, whenKeyTaken })
        // A producer knows the `maxQueued` of the definition of its kind, which has none.
        const how = howOf(model.kind, start, { isQueued: true, isChecked: false, maxQueued: 10_000, isProducer: true })
        const decision = model.decide(start, how)
        if (replacesAtOnce(model, decision)) return
        const real = producer.start(configOf(start), optionsOf(model.kind, start, true))
        compare(model, start, how, decision, yield* Effect.either(real))
      })
    )
  )

/** Either of the two starts may win. */
export const startTwice = (key: string): Command =>
  command(`start twice ${key}`, (model) =>
    Effect.gen(function* () {
      const { start } = yield* manager
      const twice = { ...plain, key }
      const { maxQueued } = model.limits
      const how = howOf(model.kind, twice, { isQueued: false, isChecked: true, maxQueued })
      const starting = Effect.either(start(configOf(twice)))
      for (const started of yield* Effect.all([starting, starting], { concurrency: "unbounded" })) {
        if (started._tag === "Right") model.started(started.right, twice, model.decide(twice, how), how)
        else expect(["KindPaused", "MaxJobsReached", "JobConflict"]).toContain(started.left._tag)
      }
      // One of them has started, if there was a permit.
      expect(model.obstacle() ?? model.conflict(twice)).toBeDefined()
    })
  )
