/** Events of every type that the manager and tasks write, and of what changes their words. */
import type { Payloads, Type } from "../../src/progress/vocabulary.js"

export interface Sample {
  readonly type: Type
  readonly payload: unknown
  readonly unit?: string
  readonly task?: number
}

const sample = <T extends Type>(type: T, payload: Payloads[T]): Sample => {
  const isOfTask = type.startsWith("task.")
  return {
    type,
    payload,
    ...(isOfTask || type.startsWith("unit.") ? { unit: "api" } : {}),
    ...(isOfTask ? { task: 1 } : {})
  }
}

const commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
const log = { file: "/logs/api.log", from: 0, to: 10 }
const reason = "exited with code 1"
const until = "2026-01-31T21:05:00.000Z"
const error = { kind: "failure", error: { _tag: "TasksFailed", message: "1 unit failed" } } as const

export const samples: ReadonlyArray<Sample> = [
  sample("job.queued", { waitsFor: "permit", priority: 5 }),
  sample("job.queued", { waitsFor: "time", startAt: until }),
  sample("job.queued", { waitsFor: "key" }),
  sample("job.queued", { waitsFor: "permit", retryOf: "01ARZ3NDEKTSV4RRFFQ69G5FAV", by: "ada" }),
  sample("job.started", { attempt: 1 }),
  sample("job.stopping", {}),
  sample("job.stopping", { by: "ada", via: "socket" }),
  sample("job.resumed", { attempt: 2, by: "signal" }),
  sample("job.resumed", { attempt: 3, by: "resume", sender: "ada" }),
  sample("job.interrupted", { reason: "shutdown" }),
  sample("job.interrupted", { reason: "crash", during: ["gate of task 1 of unit api"] }),
  sample("job.parked", { reason: "claude is at its usage limit", until }),
  sample("job.parked", { reason: "claude does not reach its service", until, tentative: true }),
  sample("job.parked", { reason: "retry 1 of 5", until, retry: { n: 1, of: 5, error } }),
  sample("job.timeout", { limit: 600_000 }),
  sample("job.parked", { reason: "needs an approval", signal: "approve" }),
  sample("job.parked", { reason: "claude is not logged in", signal: "charlotte.resume" }),
  sample("job.parked", {
    reason: "a person has to approve",
    signal: "charlotte.approval",
    approval: { commit, base: commit }
  }),
  sample("job.parked", {
    reason: "the job has reached its limit of $20.00",
    signal: "charlotte.resume",
    limits: { usd: 20 }
  }),
  sample("job.parked", { reason: "waits for a child", children: 1 }),
  sample("job.parked", { reason: "waits for 3 children", children: 3 }),
  sample("job.resumed", { attempt: 2, by: "child" }),
  sample("job.signalled", { name: "charlotte.approval", payload: { commit }, by: "Ada" }),
  sample("job.signalled", { name: "charlotte.approval", payload: { commit, because: "no" } }),
  sample("job.signalled", { name: "charlotte.limits", payload: { usd: 30 }, by: "Ada" }),
  sample("job.signalled", { name: "charlotte.limits", payload: { usd: 30, tokens: 5_000_000 } }),
  sample("job.signalled", { name: "approve" }),
  sample("job.signalled", { name: "approve", by: "Ada", via: "page" }),
  sample("job.step", { name: "reserve", ok: true, millis: 1_200 }),
  sample("job.step", { name: "charge", ok: false, millis: 30 }),
  sample("job.rescheduled", { from: { priority: 0, startAt: until }, to: { priority: 5 }, by: "Ada" }),
  sample("job.rescheduled", { from: { priority: 0 }, to: { priority: 0, startAt: until } }),
  sample("job.completed", {}),
  sample("job.failed", { error }),
  sample("job.cancelled", {}),
  sample("job.cancelled", { error }),
  sample("job.cancelled", { by: "ada" }),
  sample("orch.started", {
    target: "main",
    base: commit,
    branch: "result",
    agent: "claude",
    concurrency: 4,
    units: []
  }),
  sample("orch.baseline", { commit: "9fceb02d0ae598e95dc970b74767f19372d61af8", took: 12_000 }),
  sample("orch.killed", { purpose: "task 1 of unit api", processes: [{ pid: 4711, command: "sleep" }], total: 1 }),
  sample("orch.waiting", { reason: "the disk is full" }),
  sample("orch.landing", { target: "main", attempt: 1 }),
  sample("orch.landing", { target: "main", attempt: 2 }),
  sample("orch.landed", { target: "main", commit }),
  sample("orch.landed", { target: "main", commit, units: ["api", "web"], left: ["docs"] }),
  sample("orch.proposed", {
    target: "main",
    branch: "charlotte/1/result",
    remote: "origin",
    isOpen: true,
    url: "https://github.com/acme/app/pull/7"
  }),
  sample("orch.proposed", {
    target: "main",
    branch: "charlotte/1/result",
    remote: "origin",
    isOpen: false,
    url: "https://github.com/acme/app/compare/main...charlotte/1/result?expand=1",
    problem: "gh pr create exited with code 1"
  }),
  sample("unit.started", {}),
  sample("unit.setup.started", { command: "npm ci", attempt: 1 }),
  sample("unit.setup.failed", { command: "npm ci", attempt: 1, reason, log }),
  sample("unit.waiting", { reason: "claude is not logged in" }),
  sample("unit.waiting", { reason: "claude is at its usage limit", until }),
  sample("unit.waiting", { reason: "waits for api to be merged", waitsFor: ["api"] }),
  sample("unit.asked", { task: 1, question: "Which port?" }),
  sample("unit.answered", { task: 1, answer: "Use 8080." }),
  sample("unit.answered", { task: 1, answer: "Use 8080.", by: "ada" }),
  sample("unit.completed", {}),
  sample("unit.verifying", { command: "npm test" }),
  sample("unit.merged", { commit, fastForward: true }),
  sample("unit.failed", { reason: "task 1 failed", task: 1 }),
  sample("unit.blocked", { waitsFor: ["core", "web"] }),
  sample("task.started", { title: "Add the login page", attempt: 1 }),
  sample("task.started", { title: "Add the login page", attempt: 2 }),
  sample("task.agent.started", { agent: "claude", log: "/logs/api.log" }),
  sample("task.agent.slow", { reason: "printed nothing for 16m, and is ended after 20m" }),
  sample("task.agent.ended", { class: "done", log }),
  sample("task.agent.ended", { class: "done", said: "All tests pass.", log }),
  sample("task.agent.ended", { class: "failed", reason, log }),
  sample("task.spent", {
    agent: "claude",
    cost: { input: 1_200, cached: 10_000, output: 1_100, usd: 0.41 },
    total: { input: 2_400, cached: 30_000, output: 2_100, usd: 1.2, isApproximate: true }
  }),
  sample("task.spent", {
    agent: "codex",
    cost: { input: 900, cached: 0, output: 50 },
    total: { input: 900, cached: 0, output: 50 }
  }),
  sample("task.gate.before", { command: "npm test", log: "/logs/api.log" }),
  sample("task.gate.started", { command: "npm test", log: "/logs/api.log" }),
  sample("task.gate.passed", { command: "npm test", log }),
  sample("task.gate.failed", { command: "npm test", reason, log }),
  sample("task.retry", { attempt: 1, reason, pause: 2_000 }),
  sample("task.retry", { class: "network", attempt: 1, reason, pause: 0 }),
  sample("task.noted", { note: "plan files were restored" }),
  sample("task.noted", { note: { _tag: "resolved", files: ["a.txt"], by: "claude" } }),
  sample("task.noted", { note: { _tag: "greenBefore" } }),
  sample("task.noted", { note: { _tag: "unknownBefore", reason: "ran longer than 2m" } }),
  sample("task.noted", { note: { _tag: "couldNotRunBefore", reason: "exited with code 127" } }),
  sample("task.noted", { note: { _tag: "flaky", logs: ["/logs/1.gate.log", "/logs/1.gate.2.log"] } }),
  sample("task.noted", { note: { _tag: "checkChanged", files: [{ path: "test/a.test.js", removed: 38 }] } }),
  sample("task.noted", { note: { _tag: "testsAdded", files: ["test/b.test.js"] } }),
  sample("task.noted", { note: { _tag: "protected", files: ["test/a.test.js"], patch: "/logs/1.patch" } }),
  sample("task.noted", {
    note: { _tag: "refsMoved", by: "agent of attempt 1", what: "deleted refs/tags/v1", advice: "they were reset" }
  }),
  sample("task.committed", { commit }),
  sample("task.completed", { attempt: 1, commit }),
  sample("task.failed", { attempts: 1, reason }),
  sample("task.failed", { attempts: 3, reason, log })
]
