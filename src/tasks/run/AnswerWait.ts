/**
 * What a unit waits for while a question of its agent is open.
 */
import { DateTime, Duration, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { Unit } from "../plan/Plan.js"
import { LimitReached } from "./errors.js"
import type { RunContext } from "./RunContext.js"
import type * as UnitActivity from "./UnitActivity.js"

/** Waits until the open question of a unit is answered, if it has one; fails once that takes longer than the plan allows. */
export const until = (
  { questions, snapshot }: Pick<RunContext, "questions" | "snapshot">,
  { id }: Unit,
  activity: UnitActivity.UnitActivity
): Effect.Effect<void, LimitReached | StoreError> =>
  Effect.gen(function* () {
    const asked = questions.openOf(id)
    if (asked === undefined) return
    const { answer: limit } = snapshot.plan.settings.limits
    const isOver = questions.isAnswered(asked)
    const until = limit && DateTime.addDuration(asked.askedAt, limit)
    if (until === undefined || DateTime.lessThan(yield* DateTime.now, until)) {
      yield* activity.awaitAgent({
        reason: `${id} asks: ${asked.question}`,
        isForAnswer: true,
        isOver,
        ended: questions.answered(asked),
        ...(until !== undefined && { until })
      })
    }
    if (limit !== undefined && !(yield* isOver)) {
      return yield* new LimitReached({ limit: `${Duration.format(limit)} for an answer` })
    }
  })
