/**
 * What people have decided about the results of a job. Decisions are recorded as signals of the job, so each counts once, whatever crashes
 * meanwhile: a decision names the commit that it is about, and the first one about a commit counts.
 */
import { Effect, Option, Schema } from "effect"
import { posix } from "node:path"
import type { JobId } from "../domain/JobId.js"
import type { RecordedSignal } from "../domain/RecordedSignal.js"
import { approvalSignal } from "../domain/Run.js"
import type { TaskRecord } from "../domain/Work.js"
import * as plainText from "../internal/plainText.js"
import type { RunSignals } from "../store/port/RunStoreService.js"
import * as Markdown from "./plan/Markdown.js"
import { Plan, Task, Unit } from "./plan/Plan.js"
import { PlanSnapshot } from "./run/PlanSnapshot.js"

/** An approval; or with a reason a rejection, of one unit, which then continues, or of the whole result. */
export class Decision extends Schema.Class<Decision>("charlotte/Decision")({
  commit: Schema.String,
  because: Schema.optional(Schema.String),
  unit: Schema.optional(Schema.String)
}) {}

const decode = Schema.decodeUnknownOption(Decision)

export const encode = Schema.encodeSync(Decision)

/** The first decision about each commit, in order. */
const counted = (signals: ReadonlyArray<RecordedSignal>): ReadonlyArray<Decision> => {
  const found = new Map<string, Decision>()
  for (const { name, payload } of signals) {
    const decision = name === approvalSignal ? decode(payload) : Option.none()
    if (Option.isSome(decision) && !found.has(decision.value.commit)) found.set(decision.value.commit, decision.value)
  }
  return [...found.values()]
}

const pageSize = 256

/** All signals of a job, in order. */
export const signalsOf = (store: Pick<RunSignals, "signals">, jobId: JobId) =>
  Effect.gen(function* () {
    const signals: Array<RecordedSignal> = []
    for (;;) {
      const page = yield* store.signals({ jobId, after: signals.at(-1)?.seq ?? 0, limit: pageSize })
      signals.push(...page)
      if (page.length < pageSize) return signals
    }
  })

export const read = (store: Pick<RunSignals, "signals">, jobId: JobId) => Effect.map(signalsOf(store, jobId), counted)

/**
 * The plan with one more task at the end of a unit for each of its rejections. Turns at conflicts are recorded as tasks that are not
 * part of the plan, and keep their numbers.
 */
export const planned = (
  snapshot: PlanSnapshot,
  decisions: ReadonlyArray<Decision>,
  recorded: ReadonlyArray<Pick<TaskRecord, "unit" | "task" | "resolves">>
): PlanSnapshot => {
  const { plan } = snapshot
  const units = plan.units.map((unit) => {
    const reasons = decisions.flatMap((decision) => (decision.unit === unit.id ? (decision.because ?? []) : []))
    const turns = recorded.flatMap((record) =>
      record.unit === unit.id && record.resolves !== undefined ? [record.task] : []
    )
    return reasons.length === 0
      ? unit
      : new Unit({
          ...unit,
          tasks: reasons.reduce((tasks, because) => [...tasks, further(unit, tasks, { because, turns })], unit.tasks)
        })
  })
  return new PlanSnapshot({ ...snapshot, plan: new Plan({ ...plan, units }) }, { disableValidation: true })
}

/** As long as git recommends for the first line of a commit message. */
const longestTitle = 72

interface Rejection {
  readonly because: string
  /** The numbers of the unit's turns at conflicts. */
  readonly turns: ReadonlyArray<number>
}

/** The task has no file: what it is about is the result, and its gate is all gates of the unit. */
const further = ({ dir, tasks: all }: Unit, before: ReadonlyArray<Task>, { because, turns }: Rejection): Task => {
  let number = Math.max(0, ...before.map(({ number }) => number)) + 1
  while (turns.includes(number)) number++
  const last = before.at(-1)
  const [line = ""] = because.trim().split("\n")
  const title = plainText.line(line)
  const gates = [...new Set(all.map(({ backpressure }) => backpressure))]
  return new Task(
    {
      number,
      title: title.length > longestTitle ? `${title.slice(0, longestTitle - 1)}…` : title,
      status: "pending",
      backpressure: gates.length === 1 ? gates.join("") : gates.map((gate) => `(\n${gate}\n)`).join(" && "),
      dependsOn: last === undefined ? [] : [last.number],
      file: posix.join(dir, `${String(number).padStart(2, "0")}-rejected.md`),
      agents: last?.agents ?? [],
      session: last?.session,
      protect: last?.protect,
      prompt: because,
      scripts: Markdown.parse(because).scripts,
      sha256: ""
    },
    { disableValidation: true }
  )
}
