/**
 * Folds an event into the model of a job. The model changes in place: a job of 500 units has tens of thousands of events.
 */
import type { RunStatus } from "../../../domain/RunStatus.js"
import { shownState } from "../../../progress/shownState.js"
import * as JobModel from "./JobModel.js"
import type { Attempt, Event, JobModel as Model, PhaseKind, Span, SpanKind, SpanState, Task, Unit } from "./JobModel.js"
import * as payload from "./payload.js"
import { applyPlan } from "./applyPlan.js"

export const applyEvent = (model: Model, event: Event): void => {
  // A reconnect may repeat known events.
  if (event.seq <= model.seq) return
  const { at } = event
  if (event.type.startsWith("job.")) applyJobEvent(model, event, at)
  else if (event.unit !== undefined && event.task !== undefined) applyTaskEvent(model, event, at)
  else if (event.unit !== undefined) applyUnitEvent(JobModel.unit(model, event.unit), event, at)
  else applyOrchestratorEvent(model, event)
  model.seq = event.seq
  model.from ??= at
  model.to = at
}

export const ofEvents = (events: Iterable<Event>): Model => {
  const model = JobModel.make()
  for (const event of events) applyEvent(model, event)
  return model
}

const applyJobEvent = (model: Model, { payload: data, type }: Event, at: number): void => {
  switch (type) {
    case "job.queued":
      return beginPhase(model, "queued", at, payload.string(data, "waitsFor"))
    case "job.started":
    case "job.resumed":
      model.attempt = payload.number(data, "attempt") ?? model.attempt
      return beginPhase(model, "running", at)
    case "job.stopping":
      return beginPhase(model, "stopping", at)
    case "job.parked":
      cut(model, at, "parked", "parked")
      return beginPhase(model, "parked", at, payload.string(data, "reason"))
    case "job.interrupted": {
      const isCrash = payload.string(data, "reason") === "crash"
      // The next manager recorded this: the last sign of life was the previous event.
      const end = isCrash ? (model.to ?? at) : at
      cut(model, end, "interrupted", isCrash ? "crashed" : "shut down")
      return beginPhase(model, isCrash ? "crashed" : "interrupted", end)
    }
    case "job.completed":
      return endJob(model, at, "completed")
    case "job.failed":
      return endJob(model, at, "failed")
    case "job.cancelled":
      return endJob(model, at, "cancelled")
  }
}

const endJob = (model: Model, at: number, status: RunStatus): void => {
  cut(model, at, status, status)
  endPhase(model, at)
  model.isOver = true
}

const endPhase = (model: Model, at: number): void => {
  const last = model.phases.at(-1)
  if (last !== undefined) last.to ??= at
}

const beginPhase = (model: Model, kind: PhaseKind, from: number, reason?: string): void => {
  endPhase(model, from)
  model.waiting = undefined
  model.phases.push({ kind, from, to: undefined, attempt: model.attempt, reason })
}

/** Ends the job's attempt: closes all open spans, and nothing is running any more. */
const cut = (model: Model, at: number, status: RunStatus, reason: string): void => {
  for (const unit of model.units.values()) {
    unit.waiting = undefined
    unit.state = shownState(unit.state, status)
    for (const span of unit.spans) end(span, at, "cut", reason)
    for (const task of unit.tasks.values()) {
      task.state = shownState(task.state, status)
      for (const pause of task.pauses) end(pause, at, "cut")
      for (const attempt of task.attempts) endAttempt(attempt, at, "cut", reason)
    }
  }
}

const applyOrchestratorEvent = (model: Model, { payload: data, type }: Event): void => {
  switch (type) {
    case "orch.started":
      return applyPlan(model, payload.list(data, "units"))
    case "orch.waiting":
      model.waiting = payload.string(data, "reason")
      return
    case "orch.landing":
      model.landing = payload.string(data, "target")
      return
    case "orch.landed":
      model.landed = payload.string(data, "target")
  }
}

const applyUnitEvent = (unit: Unit, { payload: data, type }: Event, at: number): void => {
  switch (type) {
    case "unit.started":
      unit.state = "running"
      unit.from ??= at
      unit.waiting = undefined
      return endSpans(unit.spans, at, "passed")
    case "unit.setup.started":
      endSpans(unit.spans, at, "passed")
      return begin(unit.spans, "setup", at, payload.string(data, "command"))
    case "unit.setup.failed":
      return endLast(unit.spans, "setup", at, "failed", data)
    case "unit.waiting": {
      const reason = payload.string(data, "reason")
      endSpans(unit.spans, at, "passed")
      unit.waiting = reason ?? "waiting"
      return begin(unit.spans, "waiting", at, reason)
    }
    case "unit.completed":
      return endSpans(unit.spans, at, "passed")
    case "unit.verifying":
      endSpans(unit.spans, at, "passed")
      return begin(unit.spans, "verifying", at, payload.string(data, "command"))
    case "unit.merged":
      endSpans(unit.spans, at, "passed")
      return endUnit(unit, at, "merged")
    case "unit.failed":
      unit.reason = payload.string(data, "reason")
      endSpans(unit.spans, at, "failed", unit.reason)
      return endUnit(unit, at, "failed")
    case "unit.blocked":
      unit.reason = `waits for ${payload.strings(data, "waitsFor").join(", ")}`
      unit.state = "blocked"
  }
}

const endUnit = (unit: Unit, at: number, state: "merged" | "failed"): void => {
  unit.state = state
  unit.to = at
  unit.waiting = undefined
}

const applyTaskEvent = (model: Model, event: Event, at: number): void => {
  const { payload: data, type } = event
  if (event.unit === undefined || event.task === undefined) return
  const owner = JobModel.unit(model, event.unit)
  const task = JobModel.task(owner, event.task)
  if (type === "task.started") {
    // The agent is available again, and the setup is done.
    owner.waiting = undefined
    endSpans(owner.spans, at, "passed")
    task.title = payload.string(data, "title") ?? task.title
    return beginAttempt(task, payload.number(data, "attempt") ?? 1, model.attempt, at)
  }
  const attempt = task.attempts.at(-1)
  const reason = payload.string(data, "reason")
  switch (type) {
    case "task.agent.started":
      return begin(attempt?.spans, "agent", at, payload.string(data, "agent"), payload.log(data))
    case "task.agent.slow": {
      const span = attempt?.spans.at(-1)
      if (span !== undefined) span.isSlow = true
      return
    }
    case "task.agent.ended":
      return endLast(attempt?.spans, "agent", at, reason === undefined ? "passed" : "failed", data)
    case "task.gate.started":
      return begin(attempt?.spans, "gate", at, payload.string(data, "command"), payload.log(data))
    case "task.gate.passed":
      return endLast(attempt?.spans, "gate", at, "passed", data)
    case "task.gate.failed":
      return endLast(attempt?.spans, "gate", at, "failed", data)
    case "task.retry":
      if (attempt !== undefined) endAttempt(attempt, at, "failed", reason)
      task.reason = reason
      if ((payload.number(data, "pause") ?? 0) > 0) begin(task.pauses, "pause", at, "before the next attempt")
      return
    case "task.noted":
      task.notes.push(payload.string(data, "note") ?? "")
      return
    case "task.committed":
      task.commit = payload.string(data, "commit")
      return
    case "task.completed":
      if (attempt !== undefined) endAttempt(attempt, at, "passed")
      task.state = "completed"
      task.reason = undefined
      return
    case "task.failed":
      // There is no attempt if the job was continued after the last attempt had failed.
      if (attempt !== undefined) endAttempt(attempt, at, "failed", reason)
      task.state = "failed"
      task.reason = reason
  }
}

const beginAttempt = (task: Task, number: number, jobAttempt: number, from: number): void => {
  endSpans(task.pauses, from, "passed")
  const last = task.attempts.at(-1)
  if (last !== undefined) endAttempt(last, from, "cut")
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
  log?: payload.LogRange
): void => {
  spans?.push({ kind, from, to: undefined, state: "running", label, reason: undefined, log, isSlow: false })
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

const endLast = (
  spans: ReadonlyArray<Span> | undefined,
  kind: SpanKind,
  at: number,
  state: SpanState,
  data: unknown
): void => {
  const span = spans?.findLast((span) => span.kind === kind)
  if (span === undefined) return
  span.log = payload.log(data) ?? span.log
  end(span, at, state, payload.string(data, "reason"))
}
