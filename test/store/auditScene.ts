/**
 * Jobs in all states, and damages to their records, each with what the audit finds after it.
 */
import { Run, RunStore, Work } from "charlotte"
import { Effect, Option } from "effect"
import { at, event, id, insertedInTransaction, kind, newRun } from "./runs.js"
import { task, unit } from "./work.js"

const done = (number: number, position: number) =>
  task("a", number, position, { state: "completed", commit: "c", startedAt: at(1), endedAt: at(2) })

const work = new Work.Work({
  units: [
    unit("a", 0, { state: "merged", commit: "c" }),
    unit("b", 1, { state: "merged", commit: "d", dependsOn: ["a"] }),
    unit("c", 2, { state: "skipped" })
  ],
  tasks: [done(2, 0), done(1, 1), task("b", 1, 0, { state: "skipped" }), task("c", 1, 0, { state: "skipped" })]
})

const failing = new Work.Work({
  units: [
    unit("a", 0, { state: "failed", reason: "no" }),
    unit("b", 1, { state: "blocked", dependsOn: ["a"] }),
    unit("c", 2, { state: "running" })
  ],
  tasks: [
    task("a", 1, 0, { state: "failed", reason: "no" }),
    task("a", 2, 1),
    task("c", 1, 0, { state: "completed", commit: "c" }),
    task("c", 2, 1, { state: "running" })
  ]
})

const crash = (n: number, attempt: number) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* store.record({ type: "job.interrupted", jobId: id(n), attempt, at: at(3), crashed: true })
  })

const again = (n: number, attempt: number) =>
  Effect.flatMap(RunStore.RunStore, (store) => store.begin({ jobId: id(n), attempt, key: `key ${n}`, at: at(4) }))

const process = (n: number, cookie: string, attempt = 1) => ({
  jobId: id(n),
  attempt,
  cookie,
  bootId: "this boot",
  purpose: "agent",
  at: at(1)
})

/**
 * Job 1 has completed with all its work, 2 was interrupted by a shutdown, 3 runs its second attempt after a crash and has a
 * failed unit and a process, 4 failed after three crashes, 5 was stopped, 6 is pending, 7 has parked again after a signal, 8 was
 * inserted by a transaction of the application.
 */
const labels = { team: "web", size: "1" }

export const scene = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const self = { pid: 1, bootId: "this boot", startTime: "1", pidNamespace: "" }
  yield* store.owners.claim({ kind, id: "owner", process: self }, Option.none())
  for (const n of [1, 2, 3, 4, 5]) yield* store.create(newRun(n, n < 4 ? { key: `key ${n}`, labels } : {}))
  yield* store.work.plan({ jobId: id(1), attempt: 1, work })
  yield* store.append({ jobId: id(1), attempt: 1, events: [event("step"), event("step")] })
  yield* store.childProcesses.open(process(1, "closed"))
  yield* store.childProcesses.close({ cookie: "closed", at: at(2) })
  yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9), result: 1 })

  yield* store.record({ type: "job.interrupted", jobId: id(2), attempt: 1, at: at(9) })

  yield* store.childProcesses.open(process(3, "crashed"))
  yield* store.append({ jobId: id(3), attempt: 1, events: [event("step")] })
  yield* store.childProcesses.close({ cookie: "crashed", at: at(2) })
  yield* crash(3, 1)
  yield* again(3, 2)
  yield* store.work.plan({ jobId: id(3), attempt: 2, work: failing })
  yield* store.childProcesses.open(process(3, "open", 2))

  for (const attempt of [1, 2, 3]) {
    if (attempt > 1) yield* again(4, attempt)
    yield* crash(4, attempt)
  }
  const error = { kind: "recovery", error: "it crashed 3 times in a row", cause: "" } as const
  yield* store.record({ type: "job.failed", jobId: id(4), attempt: 3, at: at(9), error })

  yield* store.record({ type: "job.stopping", jobId: id(5), attempt: 1, at: at(8) })
  yield* store.record({ type: "job.cancelled", jobId: id(5), attempt: 1, at: at(9) })

  const idempotency = { key: "i", request: "r" }
  yield* store.create(newRun(6, { isQueued: true, idempotency }))
  yield* store.attach({ to: { kind, of: "key", key: "key 3" }, idempotency: { ...idempotency, key: "attached" } })
  yield* store.create(newRun(7))
  const parked = new Run.Parked({ reason: "waits", signal: "go" })
  yield* store.record({ type: "job.parked", jobId: id(7), attempt: 1, at: at(8), parked })
  yield* store.signal({ kind, jobId: id(7), name: "go", payload: undefined, limit: 10, at: at(8) })
  yield* store.begin({ jobId: id(7), attempt: 2, key: undefined, at: at(9) })
  yield* store.record({ type: "job.parked", jobId: id(7), attempt: 2, at: at(9), parked })
  yield* insertedInTransaction(newRun(8))
})

const append = (n: number, seq: number, type: string) =>
  `INSERT INTO charlotte_events (cursor, job_id, seq, at, type)
   SELECT max(cursor) + 1, '${id(n)}', ${seq}, 0, '${type}' FROM charlotte_events`

const state = (n: number, unit: string, state: string) =>
  `UPDATE charlotte_units SET state = '${state}' WHERE job_id = '${id(n)}' AND unit = '${unit}'`

/** Each statement violates the first rule listed, and the others as a consequence. */
export const damages: ReadonlyArray<readonly [damage: string, ...wrong: ReadonlyArray<string>]> = [
  ["SELECT 1"],
  [`DELETE FROM charlotte_events WHERE seq = 2 AND job_id = '${id(1)}'`, "its events are not numbered 1, 2, 3 …"],
  [
    `UPDATE charlotte_events SET cursor = 1000 WHERE seq = 2 AND job_id = '${id(1)}'`,
    "its cursors do not increase with its sequence numbers"
  ],
  [
    `UPDATE charlotte_events SET type = 'job.resumed' WHERE seq = 1 AND job_id = '${id(5)}'`,
    "its first event is neither job.queued nor job.started",
    "its attempt number does not match its job.resumed events",
    "an event carries a wrong attempt number"
  ],
  [append(8, 1, "job.queued"), "it is in the outbox, but has an event"],
  [
    `DELETE FROM charlotte_events WHERE type = 'job.completed'`,
    "its status and its events disagree on whether it has ended",
    "its status does not match its last event"
  ],
  [
    append(1, 5, "job.completed"),
    "its status and its events disagree on whether it has ended",
    "an event follows its terminal event",
    "its events contain a forbidden transition"
  ],
  [append(1, 5, "step"), "an event follows its terminal event"],
  [append(2, 3, "job.interrupted"), "its events contain a forbidden transition"],
  [
    `UPDATE charlotte_runs SET status = 'running', waits_for = NULL WHERE id = '${id(2)}'`,
    "its status does not match its last event",
    "more jobs are running than allowed"
  ],
  [
    `UPDATE charlotte_runs SET attempt = 2 WHERE id = '${id(2)}'`,
    "its attempt number does not match its job.resumed events"
  ],
  [
    `UPDATE charlotte_events SET payload = '{"attempt":7}' WHERE seq = 1 AND job_id = '${id(2)}'`,
    "an event carries a wrong attempt number"
  ],
  [
    `UPDATE charlotte_events SET type = 'job.resumed', payload = '{"attempt":4}'
     WHERE type = 'job.failed' AND job_id = '${id(4)}'`,
    "it was resumed after three consecutive crashes without an event",
    "its status and its events disagree on whether it has ended",
    "its status does not match its last event",
    "its attempt number does not match its job.resumed events"
  ],
  [
    `UPDATE charlotte_events SET payload = '{"reason":"shutdown"}' WHERE seq = 2 AND job_id = '${id(4)}'`,
    "it failed for crashing three times, but crashed less often"
  ],
  [state(1, "a", "running"), "a unit was merged before one of its dependencies"],
  [
    state(3, "a", "merged"),
    "a unit is blocked without a failed dependency",
    "a unit was merged before its tasks were completed"
  ],
  [
    `INSERT INTO charlotte_units (job_id, unit, position, depends_on, state) VALUES ('${id(1)}', 'd', -1, '[]', 'pending')`,
    "a unit was merged before an earlier unit had ended",
    "it is completed, but not all of its units are",
    "the file is damaged"
  ],
  [
    `UPDATE charlotte_tasks SET state = 'pending' WHERE job_id = '${id(1)}' AND unit = 'a' AND position = 1`,
    "a unit was merged before its tasks were completed"
  ],
  [
    `UPDATE charlotte_tasks SET state = 'pending' WHERE job_id = '${id(3)}' AND unit = 'c' AND position = 0`,
    "a task started before the previous one was completed"
  ],
  [
    state(1, "c", "blocked"),
    "it is completed, but not all of its units are",
    "a unit is blocked without a failed dependency"
  ],
  [
    "UPDATE charlotte_attempts SET closed_at = NULL WHERE cookie = 'closed'",
    "it has ended, but a process of it may be left"
  ],
  [
    "UPDATE charlotte_attempts SET closed_at = NULL WHERE cookie = 'crashed'",
    "a process of an earlier attempt may be left"
  ],
  ["UPDATE charlotte_attempts SET boot_id = 'another'", "a process record of an earlier boot was never closed"],
  ["UPDATE charlotte_attempts SET boot_id = 'another', machine = 'there'"],
  [`UPDATE charlotte_runs SET key = 'key 3' WHERE id = '${id(2)}'`, "two jobs hold a key"],
  [`UPDATE charlotte_runs SET waits_for = 'key' WHERE id = '${id(2)}'`, "it waits for a key that is free"],
  ["UPDATE charlotte_attached_keys SET idempotency_key = 'i'", "its idempotency key is that of another job, too"],
  ["UPDATE charlotte_pending SET runs = 7", "the number of pending runs is wrong"],
  ["INSERT INTO charlotte_groups VALUES ('tasks', 'a', 1, 0, NULL, NULL, 0, 0)", "the row of its group is wrong"],
  [
    `UPDATE charlotte_runs SET waits_for = 'group', grp = 'a' WHERE id = '${id(2)}'`,
    "it waits for its group, which has no first run"
  ],
  ["UPDATE charlotte_finished SET runs = 70", "the number of finished runs is wrong"],
  [`UPDATE charlotte_signals SET seq = 1 WHERE job_id = '${id(7)}'`, "a signal is not in its events"],
  [
    `INSERT INTO charlotte_steps VALUES ('${id(2)}', 'a', 1, '${id(2)}', 1, 0, 0, 0, 1, NULL)`,
    "a step is not in its events"
  ],
  ["UPDATE charlotte_signals SET used = 0", "it waits for a signal that has come"],
  [
    `UPDATE charlotte_runs SET waits_for = 'child' WHERE id = '${id(7)}'`,
    "it waits for a child, and none of its children is left"
  ],
  [`UPDATE charlotte_labels SET status = 'running' WHERE run_id = '${id(1)}'`, "its label index is out of date"],
  [`DELETE FROM charlotte_labels WHERE run_id = '${id(1)}' AND name = 'team'`, "its label index is out of date"],
  [
    `INSERT INTO charlotte_labels VALUES ('name', 'value', '${id(20)}', 'tasks', 'running')`,
    "a row references a missing row"
  ],
  [`UPDATE charlotte_runs SET crashes = -1 WHERE id = '${id(2)}'`, "the file is damaged"]
]
