/**
 * Events as a job emits them: three units, one that passes at once, one that fails for good, one that waits for both.
 */
import { DateTime } from "effect"
import { JobEvent } from "../../../src/domain/JobEvent.js"
import * as JobId from "../../../src/domain/JobId.js"
import { progressEvent } from "../../../src/cli/run/progressEvent.js"
import { ofEvents } from "../../../src/progress/applyEvent.js"
import type { JobModel } from "../../../src/progress/JobModel.js"
import type { Payload, Type } from "../../../src/tasks/events.js"

export const jobId = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")
export const commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

/** Noon, so that times are easily read. */
export const noon = Date.UTC(2025, 0, 1, 12)

export interface Step {
  /** Seconds after noon. */
  readonly at: number
  readonly type: string
  readonly unit?: string | undefined
  readonly task?: number | undefined
  readonly payload?: unknown
}

export const events = (steps: ReadonlyArray<Step>): ReadonlyArray<JobEvent> =>
  steps.map(
    ({ at, payload, task, type, unit }, index) =>
      new JobEvent({
        jobId,
        seq: index + 1,
        cursor: index + 1,
        at: DateTime.unsafeMake(noon + at * 1000),
        type,
        unit,
        task,
        payload
      })
  )

/** The model of a job after these steps. */
export const modelOf = (steps: ReadonlyArray<Step>): JobModel => ofEvents(events(steps).map(progressEvent))

/** One of a task, of a unit, or of the job. */
export const step = <T extends Type>(at: number, place: string, type: T, payload: Payload<T>): Step => {
  const [unit, task] = place.split(" ")
  return {
    at,
    type,
    payload,
    unit: unit === "" ? undefined : unit,
    task: task === undefined ? undefined : Number(task)
  }
}

const task = (number: number, title: string, dependsOn: ReadonlyArray<number> = [], status = "pending") => ({
  number,
  title,
  status,
  dependsOn
})

export const started = (at: number) =>
  step(at, "", "orch.started", {
    target: "main",
    base: commit,
    branch: `charlotte/${jobId}/result`,
    agent: "claude",
    concurrency: 4,
    units: [
      {
        id: "silk",
        dependsOn: [],
        tasks: [task(1, "Spin the spokes"), task(2, "Lay the rings of the web, from the rim inwards", [1])]
      },
      {
        id: "words",
        dependsOn: [],
        tasks: [task(1, "Collect four words", [], "complete"), task(2, "Choose the word of the day", [1])]
      },
      { id: "barn", dependsOn: ["silk", "words"], tasks: [task(1, "Weave a word into the web")] }
    ]
  })

/** An attempt at a task, up to the end of its gate. */
const attempt = (at: number, place: string, title: string, number: number, log: string, passes: boolean) => [
  step(at, place, "task.started", { title, attempt: number }),
  step(at, place, "task.agent.started", { agent: "claude", log }),
  step(at + 3, place, "task.agent.ended", { log: { file: log, from: 0, to: 10 } }),
  step(at + 3, place, "task.gate.started", { command: "npm test", log }),
  passes
    ? step(at + 4, place, "task.gate.passed", { command: "npm test", log: { file: log, from: 10, to: 20 } })
    : step(at + 4, place, "task.gate.failed", {
        command: "npm test",
        reason: "ended with exit code 1",
        log: { file: log, from: 0, to: 100_000 }
      })
]

const done = (at: number, place: string, number: number) => [
  step(at, place, "task.committed", { commit }),
  step(at, place, "task.completed", { attempt: number, commit })
]

/** A job that waits to be started, then parks in the midst of its work, and goes on. */
export const waiting: ReadonlyArray<Step> = [
  { at: 0, type: "job.queued", payload: { waitsFor: "permit", priority: 5 } },
  { at: 60, type: "job.started", payload: { attempt: 1 } },
  started(60),
  step(60, "silk", "unit.started", {}),
  {
    at: 70,
    type: "job.parked",
    payload: { reason: "the usage limit is reached", until: "2025-01-01T14:01:10Z", signal: "go-on" }
  },
  { at: 80, type: "job.signalled", payload: { name: "go-on", by: "Ada" } },
  { at: 81, type: "job.resumed", payload: { attempt: 2 } }
]

/** `log` is the file that failing gates have written. */
export const steps = (log: string): ReadonlyArray<Step> => [
  { at: 0, type: "job.started" },
  started(0),
  step(0, "silk", "unit.started", {}),
  step(0, "words", "unit.started", {}),
  step(1, "silk", "unit.setup.started", { command: "npm ci", attempt: 1 }),
  ...attempt(2, "silk 1", "Spin the spokes", 1, log, true),
  ...attempt(2, "words 2", "Choose the word of the day", 1, log, true),
  ...done(6, "silk 1", 1),
  ...done(7, "words 2", 1),
  step(7, "words 2", "task.noted", {
    note: "the agent changed tasks/words/02-choose.md: plan files were restored"
  }),
  step(7, "words", "unit.completed", {}),
  ...attempt(8, "silk 2", "Lay the rings of the web, from the rim inwards", 1, log, false),
  step(12, "silk 2", "task.retry", { attempt: 1, reason: "ended with exit code 1", pause: 1000 }),
  ...attempt(13, "silk 2", "Lay the rings of the web, from the rim inwards", 2, log, false),
  step(17, "silk 2", "task.failed", { attempts: 2, reason: "ended with exit code 1" }),
  step(17, "silk", "unit.failed", {
    task: 2,
    reason: "task 2 (Lay the rings of the web, from the rim inwards) failed 2 times: ended with exit code 1"
  }),
  step(18, "words", "unit.verifying", { command: "npm test" }),
  step(20, "words", "unit.merged", { commit, fastForward: false }),
  step(20, "barn", "unit.blocked", { waitsFor: ["silk"] }),
  { at: 21, type: "job.failed" }
]
