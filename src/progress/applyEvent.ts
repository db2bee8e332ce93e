/**
 * Folds an event into the model of a job. The model changes in place: a job of 500 units has tens of thousands of events.
 */
import type * as Manager from "../domain/events.js"
import type { RunStatus } from "../domain/RunStatus.js"
import { applyPlan } from "./applyPlan.js"
import * as costs from "./cost.js"
import * as JobModel from "./JobModel.js"
import type { Attempt, Event, JobModel as Model, PhaseKind, Span, SpanKind, SpanState, Task, Unit } from "./JobModel.js"
import { Fields, type LogRange, string } from "./payload.js"
import * as why from "./reason.js"
import { shownTask, shownUnit } from "./shownState.js"
import * as taskNotes from "./taskNotes.js"
import type { Payloads, Type } from "./vocabulary.js"
import { parkedWaiting, parkReason, type Waiting } from "./waiting.js"

/** What each of these events changes. */
type Handlers<Target, Types extends Type> = {
  readonly [T in Types]: (target: Target, data: Fields<Payloads[T]>, at: number) => void
}

const has = <Types extends Type>(handlers: Handlers<never, Types>, type: string): type is Types =>
  Object.hasOwn(handlers, type)

/** An event of another type, or at another place than the orchestrator's, changes nothing. */
const handle = <Target, Types extends Type>(
  handlers: Handlers<Target, Types>,
  { at, payload, type }: Event,
  target: Target
): void => {
  if (has(handlers, type)) handlers[type](target, new Fields<Payloads[Types]>(payload), at)
}

export const applyEvent = (model: Model, event: Event): void => {
  // A reconnect may repeat known events.
  if (event.seq <= model.seq) return
  if (event.type.startsWith("job.")) handle(ofJob, event, model)
  else if (event.unit === undefined) handle(ofOrchestrator, event, model)
  else {
    const unit = JobModel.unit(model, event.unit)
    if (event.task === undefined) {
      const { question } = unit
      handle(ofUnit, event, unit)
      if (unit.question !== question) show(unit, model.status)
    } else handle(ofTask, event, { model, unit, task: JobModel.task(unit, event.task) })
  }
  model.seq = event.seq
  model.from ??= event.at
  model.to = event.at
}

export const ofEvents = (events: Iterable<Event>): Model => {
  const model = JobModel.make()
  for (const event of events) applyEvent(model, event)
  return model
}

const nothing = (): void => {}

const cleanReason = (reason: string | undefined): string | undefined =>
  reason === undefined ? undefined : why.text(reason)

const ofJob: Handlers<Model, Manager.Type> = {
  "job.queued": (model, data, at) => {
    const waitsFor = data.string("waitsFor") ?? "permit"
    beginPhase(model, "queued", at, {
      status: "pending",
      reason: waitsFor,
      waitsFor: { waitsFor, startAt: data.time("startAt") }
    })
  },
  "job.started": (model, data, at) => beginAttemptOfJob(model, data, at),
  "job.resumed": (model, data, at) => beginAttemptOfJob(model, data, at),
  "job.stopping": (model, _, at) => beginPhase(model, "stopping", at),
  "job.timeout": (model, _, at) => beginPhase(model, "stopping", at),
  "job.signalled": nothing,
  "job.step": (model, data, at) => {
    const name = data.text("name")
    // A retry forgets recorded failures, and does such a step again.
    model.steps.delete(name)
    model.steps.set(name, {
      name,
      attempt: model.attempt,
      at,
      millis: data.number("millis") ?? 0,
      ok: data.isTrue("ok")
    })
  },
  "job.rescheduled": (model, data, at) => {
    if (model.status !== "pending" || model.waitsFor === undefined) return
    const time = Date.parse(string(data.json("to"), "startAt") ?? "")
    const startAt = Number.isNaN(time) ? undefined : time
    const before = model.waitsFor.waitsFor
    const ready = before === "group" ? "group" : "permit"
    const waitsFor = before === "key" ? "key" : startAt === undefined || startAt <= at ? ready : "time"
    model.waitsFor = { ...model.waitsFor, waitsFor, startAt }
  },
  "job.parked": (model, data, at) => {
    cut(model, at, "parked", "parked")
    const reason = parkReason(data.value)
    beginPhase(model, "parked", at, { status: "parked", reason, waitsFor: parkedWaiting(data) })
  },
  "job.interrupted": (model, data, at) => {
    const isCrash = data.string("reason") === "crash"
    // The next manager recorded this: the last sign of life was the previous event.
    const end = isCrash ? (model.to ?? at) : at
    cut(model, end, "interrupted", isCrash ? "crashed" : "shut down")
    beginPhase(model, isCrash ? "crashed" : "interrupted", end, { status: "interrupted" })
  },
  "job.completed": (model, _, at) => endJob(model, at, "completed"),
  "job.failed": (model, _, at) => endJob(model, at, "failed"),
  "job.cancelled": (model, _, at) => endJob(model, at, "cancelled")
}

const beginAttemptOfJob = (model: Model, data: Fields<Payloads["job.started"]>, at: number): void => {
  model.attempt = data.number("attempt") ?? model.attempt
  beginPhase(model, "running", at, { status: "running" })
}

const endJob = (model: Model, at: number, status: RunStatus): void => {
  cut(model, at, status, status)
  endPhase(model, at)
  model.status = status
}

const endPhase = (model: Model, at: number): void => {
  const last = model.phases.at(-1)
  if (last !== undefined) last.to ??= at
  model.waiting = undefined
  model.waitsFor = undefined
  model.landing = undefined
}

interface Begun {
  readonly status?: RunStatus
  readonly reason?: string | undefined
  readonly waitsFor?: Waiting
}

const beginPhase = (model: Model, kind: PhaseKind, from: number, { reason, status, waitsFor }: Begun = {}): void => {
  endPhase(model, from)
  model.status = status ?? model.status
  model.waitsFor = waitsFor
  model.phases.push({ kind, from, to: undefined, attempt: model.attempt, reason })
}

/** Derives the shown state of a unit, of which a question may be open. */
const show = (unit: Unit, status: RunStatus): void => {
  const { state } = unit
  const isOpen = state === "needs-answer" || state === "waiting" || state === "interrupted"
  unit.state = shownUnit(isOpen ? "running" : state, status, unit.question !== undefined)
}

/** Ends the job's attempt: closes all open spans, and nothing is running any more. */
const cut = (model: Model, at: number, status: RunStatus, reason: string): void => {
  for (const unit of model.units.values()) {
    unit.waiting = undefined
    show(unit, status)
    for (const span of unit.spans) end(span, at, "cut", reason)
    for (const task of unit.tasks.values()) {
      const state = task.state === "waiting" ? "running" : task.state
      task.state = shownTask(state, status, unit.question !== undefined)
      for (const pause of task.pauses) end(pause, at, "cut")
      for (const attempt of task.attempts) endAttempt(attempt, at, "cut", reason)
    }
  }
}

const ofOrchestrator: Handlers<Model, Extract<Type, `orch.${string}`>> = {
  "orch.started": (model, data) => applyPlan(model, data),
  "orch.baseline": nothing,
  "orch.killed": nothing,
  "orch.waiting": (model, data) => void (model.waiting = cleanReason(data.string("reason"))),
  "orch.landing": (model, data) => void (model.landing = data.string("target")),
  "orch.landed": (model, data) => {
    model.landing = undefined
    model.landed = data.string("target")
  },
  "orch.proposed": nothing
}

const ofUnit: Handlers<Unit, Extract<Type, `unit.${string}`>> = {
  "unit.started": (unit, _, at) => {
    unit.state = "running"
    unit.from ??= at
    unit.waiting = undefined
    endSpans(unit.spans, at, "passed")
  },
  "unit.setup.started": (unit, data, at) => next(unit, "setup", at, data.string("command")),
  "unit.setup.failed": (unit, data, at) =>
    endLast(unit.spans, "setup", at, data.log("log"), cleanReason(data.string("reason"))),
  "unit.waiting": (unit, data, at) => {
    next(unit, "waiting", at, cleanReason(data.string("reason")))
    unit.waiting = cleanReason(data.string("reason")) ?? "waiting"
    unit.waitsFor = { until: data.time("until"), tentative: data.boolean("tentative") }
    for (const task of unit.tasks.values()) {
      if (task.state === "running") task.state = "waiting"
      endLastAttempt(task, at, "cut", "waits")
    }
  },
  "unit.asked": (unit, data, at) => {
    const question = cleanReason(data.string("question")) ?? ""
    unit.question = question
    next(unit, "waiting", at, question)
    const task = unit.tasks.get(data.number("task") ?? 0)
    if (task === undefined) return
    task.state = "waiting"
    endLastAttempt(task, at, "cut", "asks a question")
  },
  "unit.answered": (unit, _, at) => {
    unit.question = undefined
    endSpans(unit.spans, at, "passed")
  },
  "unit.completed": (unit, _, at) => endSpans(unit.spans, at, "passed"),
  "unit.verifying": (unit, data, at) => {
    unit.waiting = undefined
    next(unit, "verifying", at, data.string("command"))
  },
  "unit.merged": (unit, _, at) => {
    endSpans(unit.spans, at, "passed")
    endUnit(unit, at, "merged")
  },
  "unit.failed": (unit, data, at) => {
    unit.reason = cleanReason(data.string("reason"))
    endSpans(unit.spans, at, "failed", unit.reason)
    endUnit(unit, at, "failed")
  },
  "unit.blocked": (unit, data) => {
    unit.reason = `waits for ${data.strings("waitsFor").join(", ")}`
    unit.state = "blocked"
    unit.waiting = undefined
  }
}

const endUnit = (unit: Unit, at: number, state: "merged" | "failed"): void => {
  unit.state = state
  unit.to = at
  unit.waiting = undefined
}

interface TaskOf {
  readonly model: Model
  readonly unit: Unit
  readonly task: Task
}

const ofTask: Handlers<TaskOf, Extract<Type, `task.${string}`>> = {
  "task.started": ({ model, task, unit }, data, at) => {
    // The agent is available again, and the setup is done.
    unit.waiting = undefined
    endSpans(unit.spans, at, "passed")
    task.title = data.string("title") ?? task.title
    unit.state = "running"
    beginAttempt(task, data.number("attempt") ?? 1, model.attempt, at)
  },
  "task.agent.started": ({ task }, data, at) =>
    begin(spansOf(task), "agent", at, data.string("agent"), data.log("log")),
  "task.agent.slow": ({ task }) => {
    const span = spansOf(task)?.at(-1)
    if (span !== undefined) span.isSlow = true
  },
  "task.agent.ended": ({ task }, data, at) => {
    endLast(spansOf(task), "agent", at, data.log("log"), cleanReason(data.string("reason")))
    const span = spansOf(task)?.findLast(({ kind }) => kind === "agent")
    if (span !== undefined) span.said = data.string("said")
  },
  "task.spent": ({ task }, data) => void (task.cost = costs.read(data.json("total"))),
  "task.gate.before": ({ task, unit }, data, at) => {
    endSpans(unit.spans, at, "passed")
    begin(unit.spans, "gate", at, data.string("command"), data.log("log"), task.number)
  },
  "task.gate.started": ({ task }, data, at) =>
    begin(spansOf(task), "gate", at, data.string("command"), data.log("log")),
  "task.gate.passed": ({ task }, data, at) => endLast(spansOf(task), "gate", at, data.log("log")),
  "task.gate.failed": ({ task }, data, at) =>
    endLast(spansOf(task), "gate", at, data.log("log"), cleanReason(data.string("reason"))),
  "task.retry": ({ task }, data, at) => {
    task.reason = cleanReason(data.string("reason"))
    endLastAttempt(task, at, "failed", task.reason)
    const pause = data.number("pause") ?? 0
    task.againAt = at + pause
    if (pause === 0) return
    task.state = "waiting"
    begin(task.pauses, "pause", at, data.string("class") === undefined ? "before the next attempt" : "no attempt used")
  },
  "task.noted": ({ task }, data) =>
    void (task.notes = taskNotes.inOrder([...task.notes, taskNotes.read(data.json("note"))])),
  "task.committed": ({ task }, data) => void (task.commit = data.string("commit")),
  "task.completed": ({ task }, _, at) => {
    endLastAttempt(task, at, "passed")
    task.state = "completed"
  },
  "task.failed": ({ task, unit }, data, at) => {
    task.reason = cleanReason(data.string("reason"))
    endLastAttempt(task, at, "failed", task.reason)
    endSpans(unit.spans, at, "passed")
    task.state = "failed"
  }
}

const spansOf = (task: Task): Array<Span> | undefined => task.attempts.at(-1)?.spans

/** There is no attempt if the job was continued after the last one had ended. */
const endLastAttempt = (task: Task, at: number, state: SpanState, reason?: string): void => {
  const last = task.attempts.at(-1)
  if (last !== undefined) endAttempt(last, at, state, reason)
}

const beginAttempt = (task: Task, number: number, jobAttempt: number, from: number): void => {
  endSpans(task.pauses, from, "passed")
  endLastAttempt(task, from, "cut")
  task.state = "running"
  task.attempts.push({ number, jobAttempt, from, to: undefined, state: "running", reason: undefined, spans: [] })
}

const endAttempt = (attempt: Attempt, at: number, state: SpanState, reason?: string): void => {
  if (attempt.to !== undefined) return
  attempt.to = at
  attempt.state = state
  attempt.reason = reason
  endSpans(attempt.spans, at, state === "passed" ? "passed" : "cut")
}

const begin = (
  spans: Array<Span> | undefined,
  kind: SpanKind,
  from: number,
  label = "",
  log?: LogRange,
  before?: number
): void => {
  spans?.push({
    kind,
    from,
    to: undefined,
    state: "running",
    label,
    reason: undefined,
    said: undefined,
    log,
    isSlow: false,
    before
  })
}

const end = (span: Span, at: number, state: SpanState, reason?: string): void => {
  if (span.to !== undefined) return
  span.to = at
  span.state = state
  span.reason = reason
}

const endSpans = (spans: ReadonlyArray<Span>, at: number, state: SpanState, reason?: string): void => {
  for (const span of spans) end(span, at, state, reason)
}

/** Begins the next activity of the unit as a whole. */
const next = (unit: Unit, kind: SpanKind, at: number, label?: string): void => {
  endSpans(unit.spans, at, "passed")
  begin(unit.spans, kind, at, label)
}

/** What has a reason has failed. */
const endLast = (
  spans: ReadonlyArray<Span> | undefined,
  kind: SpanKind,
  at: number,
  log: LogRange | undefined,
  reason?: string
): void => {
  const span = spans?.findLast((span) => span.kind === kind)
  if (span === undefined) return
  span.log = log ?? span.log
  end(span, at, reason === undefined ? "passed" : "failed", reason)
}
