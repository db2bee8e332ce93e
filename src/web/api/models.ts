/**
 * The server's responses: jobs, events, units and tasks. Times are milliseconds.
 */
import type { RunStatus } from "../../domain/RunStatus.js"
import type { StopReport as DomainStopReport } from "../../domain/StopReport.js"
import type { ShownTaskState, ShownUnitState } from "../../progress/shownState.js"
import {
  array,
  boolean,
  type Decoded,
  dictionary,
  number,
  oneOf,
  optional,
  string,
  struct,
  time,
  unknown
} from "./decode.js"

export type { RunStatus }

const status = oneOf<RunStatus>({
  pending: 0,
  running: 0,
  interrupted: 0,
  parked: 0,
  completed: 0,
  failed: 0,
  cancelled: 0
})

const cost = struct({
  input: number,
  cached: number,
  output: number,
  usd: optional(number),
  isApproximate: optional(boolean)
})

/** How far a job is; with the number of tasks in each state, if it has tasks. */
const progress = struct({
  done: number,
  total: number,
  text: optional(string),
  pending: optional(number),
  running: optional(number),
  waiting: optional(number),
  interrupted: optional(number),
  completed: optional(number),
  failed: optional(number),
  skipped: optional(number)
})

const runFields = {
  id: string,
  kind: string,
  status,
  attempt: number,
  config: unknown,
  labels: dictionary(string),
  priority: number,
  createdAt: time,
  group: optional(string),
  startAt: optional(time),
  waitsFor: optional(string),
  tries: optional(number),
  parked: optional(
    struct({
      reason: string,
      until: optional(time),
      tentative: optional(boolean),
      signal: optional(string),
      approval: optional(struct({ commit: string, base: string })),
      questions: optional(number),
      decisions: optional(number),
      children: optional(number),
      limits: optional(struct({ usd: optional(number), tokens: optional(number) })),
      retry: optional(struct({ n: number, of: number, error: struct({ kind: string, error: unknown }) }))
    })
  ),
  startedAt: optional(time),
  endedAt: optional(time),
  retryOf: optional(string),
  retriedAs: optional(string),
  handled: optional(boolean),
  parent: optional(string),
  progress: optional(progress),
  pinned: optional(boolean),
  refusedBy: optional(dictionary(string)),
  refusedAt: optional(time),
  result: unknown,
  error: optional(struct({ kind: string, error: unknown, cause: string })),
  phase: optional(oneOf<"running" | "stopping">({ running: 0, stopping: 0 }))
}

const question = struct({
  unit: string,
  task: number,
  question: string,
  answer: optional(string)
})

export const listedJob = struct({
  ...runFields,
  cost: optional(cost),
  unitNames: optional(array(string)),
  questions: optional(array(question))
})
export type ListedJob = Decoded<typeof listedJob>

export const retriedJobs = struct({
  retried: number,
  refused: number,
  problem: optional(string),
  last: optional(string)
})
export type RetriedJobs = Decoded<typeof retriedJobs>

export const jobPage = struct({ jobs: array(listedJob), next: optional(string) })
export type JobPage = Decoded<typeof jobPage>

export const unit = struct({
  unit: string,
  position: number,
  dependsOn: array(string),
  state: oneOf<ShownUnitState>({
    pending: 0,
    running: 0,
    "needs-answer": 0,
    waiting: 0,
    interrupted: 0,
    merged: 0,
    failed: 0,
    blocked: 0,
    skipped: 0
  }),
  base: optional(string),
  commit: optional(string),
  reason: optional(string),
  startedAt: optional(time),
  endedAt: optional(time)
})
export type Unit = Decoded<typeof unit>

export const task = struct({
  unit: string,
  task: number,
  position: number,
  title: string,
  state: oneOf<ShownTaskState>({
    pending: 0,
    running: 0,
    waiting: 0,
    interrupted: 0,
    completed: 0,
    failed: 0,
    skipped: 0
  }),
  failures: number,
  calls: number,
  commit: optional(string),
  cost: optional(cost),
  reason: optional(string),
  log: optional(string),
  notes: array(unknown),
  startedAt: optional(time),
  endedAt: optional(time)
})
export type Task = Decoded<typeof task>

const stepFields = {
  seq: number,
  name: string,
  jobId: string,
  attempt: number,
  at: time,
  millis: number,
  ok: boolean
}

const recordedStep = struct(stepFields)
export type RecordedStep = Decoded<typeof recordedStep>

/** A step with its value, which is missing for `undefined`. */
export const jobStep = struct({ ...stepFields, value: unknown })
export type JobStep = Decoded<typeof jobStep>

export const child = struct({ name: string, jobId: string, kind: string, status: optional(status) })
export type Child = Decoded<typeof child>

export const job = struct({
  ...runFields,
  keys: optional(
    array(
      struct({
        key: string,
        origin: oneOf<"start" | "check">({ start: 0, check: 0 }),
        holder: string,
        holderStatus: status
      })
    )
  ),
  children: optional(array(child)),
  units: array(unit),
  tasks: array(task),
  cost: optional(cost),
  retriesCost: optional(cost),
  landedAs: optional(string),
  questions: optional(array(question)),
  steps: optional(array(recordedStep))
})
export type Job = Decoded<typeof job>

export const jobEvent = struct({
  jobId: string,
  seq: number,
  cursor: number,
  at: time,
  type: string,
  unit: optional(string),
  task: optional(number),
  payload: unknown
})
export type JobEvent = Decoded<typeof jobEvent>

export const stopReport = struct({
  jobId: string,
  status,
  mode: oneOf<DomainStopReport["mode"]>({ graceful: 0, forced: 0, alreadyEnded: 0, timedOut: 0 }),
  killed: optional(array(struct({ pid: number, command: string }))),
  elapsed: number
})
export type StopReport = Decoded<typeof stopReport>
