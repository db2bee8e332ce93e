import { describe, expect, it } from "@effect/vitest"
import { errors } from "charlotte"
import { Duration, Schema } from "effect"

const jobId = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

const sentences: ReadonlyArray<readonly [error: Error, message: string]> = [
  [new errors.MaxJobsReached({ maxJobs: 2 }), "max jobs (2) reached"],
  [new errors.MaxJobsReached({ maxJobs: 2, reason: "queue" }), "runs that wait take all free permits (max jobs 2)"],
  [new errors.JobConflict({ jobId, key: "main" }), `job ${jobId} already works on main`],
  [
    new errors.JobConflict({ jobId, key: "1:2 main", keyName: "branch main of /repo" }),
    `job ${jobId} already works on branch main of /repo`
  ],
  [
    new errors.JobConflict({ jobId, key: "main", status: "parked" }),
    `job ${jobId}, which is parked, holds main; resume it, stop it, or wait until it has ended`
  ],
  [new errors.KindPaused({ kind: "email" }), 'jobs of kind "email" are paused'],
  [new errors.NotReschedulable({ jobId, status: "running" }), `job ${jobId} cannot be rescheduled: it is running`],
  [
    new errors.AlreadySubscribed({ subscriber: "invoices" }),
    'a subscriber "invoices" is live on this store already; choose another name, or build its layer once'
  ],
  [new errors.SubscriberNotFound({ subscriber: "invoices" }), 'no subscriber "invoices"'],
  [
    new errors.SubscriberInUse({ subscriber: "invoices" }),
    'a process runs the subscriber "invoices"; stop that process first'
  ],
  [
    new errors.InvalidCron({ schedule: "nightly", cron: "0 0 30 2 *", timeZone: "UTC", issue: "it has no tick" }),
    'the schedule "nightly" (0 0 30 2 *, UTC) is invalid: it has no tick'
  ],
  [new errors.ScheduleNotFound({ kind: "email", schedule: "nightly" }), 'no schedule "nightly" of kind "email"'],
  [
    new errors.ScheduleNotLive({ kind: "email", schedule: "nightly" }),
    'this process does not run the schedule "nightly" of kind "email"; ask a process that has it'
  ],
  [new errors.QueueFull({ maxQueued: 3 }), "the queue is full: 3 runs are pending"],
  [
    new errors.IdempotencyKeyReused({ jobId, key: "k" }),
    `the idempotency key k was used for job ${jobId} with another body or other options; use a new key`
  ],
  [new errors.AlreadyAnswered({ jobId, unit: "api" }), `the question of unit api of job ${jobId} was already answered`],
  [
    new errors.NoOpenQuestion({ jobId, waiting: ["api", "web"] }),
    `several units of job ${jobId} wait for an answer, so name one of them: api, web`
  ],
  [
    new errors.ChildFailed({ child: "charge", jobId, kind: "payment", status: "cancelled" }),
    `child charge, job ${jobId} of kind payment, was cancelled; retry its parent to retry it, too`
  ],
  [
    new errors.ChildFailed({
      ...{ child: "charge", jobId, kind: "payment", status: "failed", error: { kind: "defect", error: "no" } }
    }),
    `child charge, job ${jobId} of kind payment, has failed (defect); retry its parent to retry it, too`
  ],
  [new errors.NotRetryable({ jobId, status: "running" }), `job ${jobId} cannot be retried: it is running`],
  [
    new errors.NotRetryable({ jobId, status: "failed", field: "config.to", reason: "is missing" }),
    `job ${jobId} cannot be retried: config.to: is missing`
  ],
  [new errors.NotRemovable({ jobId, reason: "pinned" }), `job ${jobId} cannot be removed: it is pinned`],
  [
    new errors.NotRemovable({ jobId, reason: "active", other: "X" }),
    `job ${jobId} cannot be removed: job X, which is of its chain, is not over`
  ],
  [
    new errors.NotRemovable({ jobId, reason: "parent", other: "X" }),
    `job ${jobId} cannot be removed: its parent X is not over, and may still read how it has ended`
  ],
  [
    new errors.NotRemovable({ jobId, reason: "child", other: "X" }),
    `job ${jobId} cannot be removed: its child X is not over`
  ],
  [
    new errors.NotRemovable({ jobId, reason: "process" }),
    `job ${jobId} cannot be removed: a process of the job may still be alive`
  ],
  [new errors.JobEnded({ jobId, status: "failed" }), `job ${jobId} has ended: it is failed`],
  [
    new errors.InvalidSignal({ signal: "go", reason: "this kind of job takes the signals stop" }),
    'invalid signal "go": this kind of job takes the signals stop'
  ],
  [
    new errors.TooManySignals({ jobId, limit: 7 }),
    `job ${jobId} was sent 7 signals since it last began, and keeps no more`
  ],
  [
    new errors.UndecodableRun({ jobId, field: "result.at", issue: "is missing" }),
    new errors.UndecodableRun({ jobId, field: "result.at", issue: "is missing" }).message
  ],
  [new errors.JobNotFound({ jobId }), `job ${jobId} not found`],
  [new errors.NotResumable({ jobId, status: "running" }), `job ${jobId} cannot be resumed: it is running`],
  [
    new errors.NotResumable({ jobId, status: "failed", reason: "no such agent" }),
    `job ${jobId} cannot be resumed: no such agent`
  ],
  [
    new errors.StopTimedOut({ jobId, elapsed: Duration.millis(6_500) }),
    `job ${jobId} is still running 6s 500ms after the stop request`
  ],
  [new errors.ShuttingDown(), "the job manager is shutting down"],
  [new errors.AlreadyManaged({ kind: "tasks", pid: 42 }), 'jobs of kind "tasks" are already managed by process 42'],
  [
    new errors.AlreadyManaged({ kind: "tasks", pid: 42, machine: "build-7/0123456789ab" }),
    'jobs of kind "tasks" are already managed by process 42 on build-7'
  ],
  [
    new errors.AlreadyManaged({ kind: "tasks", pid: 42, machine: "build-7/0123456789ab", node: "10.0.0.5:7440" }),
    'jobs of kind "tasks" are already managed by process 42 on build-7, the node 10.0.0.5:7440 of a cluster'
  ],
  [
    new errors.NodeConflict({ kind: "tasks", address: "10.0.0.5:7440" }),
    'another node for jobs of kind "tasks" has the address 10.0.0.5:7440; give each node its own'
  ],
  [new errors.Superseded({ jobId, attempt: 2 }), `attempt 2 of job ${jobId} has ended; the write was rejected`],
  [
    new errors.StoreError({ operation: "start a job", reason: "full", cause: new Error("no space") }),
    "store: start a job failed (full): no space"
  ],
  [
    new errors.InvalidJobConfig({
      issues: [
        { path: ["labels", "team"], message: "must be text" },
        { path: [], message: "must be an object" }
      ]
    }),
    "invalid job configuration: labels.team: must be text; must be an object"
  ]
]

describe("errors", () => {
  for (const [error, message] of sentences) {
    it(`has the message: ${message}`, () => {
      expect(error).toBeInstanceOf(Error)
      expect(error.message).toBe(message)
    })
  }

  it("round-trip through JSON", () => {
    const All = Schema.parseJson(
      Schema.Union(
        errors.MaxJobsReached,
        errors.KindPaused,
        errors.NotReschedulable,
        errors.AlreadySubscribed,
        errors.SubscriberNotFound,
        errors.SubscriberInUse,
        errors.JobConflict,
        errors.QueueFull,
        errors.IdempotencyKeyReused,
        errors.AlreadyAnswered,
        errors.NoOpenQuestion,
        errors.ChildFailed,
        errors.NotRetryable,
        errors.NotRemovable,
        errors.JobEnded,
        errors.InvalidCron,
        errors.ScheduleNotFound,
        errors.ScheduleNotLive,
        errors.InvalidSignal,
        errors.TooManySignals,
        errors.UndecodableRun,
        errors.JobNotFound,
        errors.NotResumable,
        errors.StopTimedOut,
        errors.ShuttingDown,
        errors.AlreadyManaged,
        errors.NodeConflict,
        errors.Superseded,
        errors.StoreError,
        errors.InvalidJobConfig
      )
    )
    for (const [error, message] of sentences) {
      const back = Schema.decodeSync(All)(Schema.encodeUnknownSync(All)(error))
      expect(back).toBeInstanceOf(error.constructor)
      expect(back.message).toBe(message)
    }
  })

  it("are all covered by this test", () => {
    expect(new Set(sentences.map(([{ name }]) => name))).toEqual(new Set(Object.keys(errors)))
  })
})
