/** Jobs to look at: what their orchestrators emit, and the logs that their events name. */
import type { JobId } from "charlotte"
import { type ScriptedOrchestrator, Step } from "charlotte/testing"
import { Deferred, Effect } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

export type Emitted = Parameters<typeof Step.emit>[0]

export const config = (fields: object = {}) => ({
  repoPath: "/home/ada/src/greeter",
  tasksDir: "tasks/greetings",
  targetBranch: "main",
  ...fields
})

export interface PlannedUnit {
  readonly id: string
  readonly dependsOn?: ReadonlyArray<string>
  readonly tasks: ReadonlyArray<string>
}

export const planned = (units: ReadonlyArray<PlannedUnit>): Emitted => ({
  type: "orch.started",
  payload: {
    target: "main",
    base: "1234567890".repeat(4),
    branch: "charlotte/job",
    agent: "claude",
    concurrency: 4,
    units: units.map(({ dependsOn = [], id, tasks }) => ({
      id,
      dependsOn,
      tasks: tasks.map((title, at) => ({ number: at + 1, title, status: "pending", dependsOn: [] }))
    }))
  }
})

const commit = "abcdef1234567890abcdef1234567890abcdef12"

/** What happens at a task, in a directory of logs. */
export const makeTask = (logs: string) => {
  const file = (unit: string, task: number, attempt: number, what: string): string =>
    `${logs}/${unit}/${task}-${attempt}.${what}.log`
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const at = (unit: string, task: number) => ({ unit, task })
  return {
    write,
    file,
    agent: (unit: string, task: number, attempt: number, title: string, text: string): ReadonlyArray<Emitted> => {
      const log = file(unit, task, attempt, "agent")
      write(log, text)
      return [
        { type: "task.started", ...at(unit, task), payload: { title, attempt } },
        { type: "task.agent.started", ...at(unit, task), payload: { agent: "claude", log } }
      ]
    },
    agentEnded: (unit: string, task: number, attempt: number): Emitted => ({
      type: "task.agent.ended",
      ...at(unit, task),
      payload: { class: "success", log: { file: file(unit, task, attempt, "agent"), from: 0, to: 1e9 } }
    }),
    spent: (unit: string, task: number, usd: number): Emitted => {
      const cost = { input: 1_000, cached: 10_000, output: 500, usd }
      return { type: "task.spent", ...at(unit, task), payload: { agent: "claude", cost, total: cost } }
    },
    gate: (unit: string, task: number, attempt: number, text: string, reason?: string): ReadonlyArray<Emitted> => {
      const log = file(unit, task, attempt, "gate")
      write(log, text)
      const range = { file: log, from: 0, to: Buffer.byteLength(text) }
      const command = "npm test"
      return [
        { type: "task.gate.started", ...at(unit, task), payload: { command, log } },
        reason === undefined
          ? { type: "task.gate.passed", ...at(unit, task), payload: { command, log: range } }
          : { type: "task.gate.failed", ...at(unit, task), payload: { command, reason, log: range } }
      ]
    },
    retry: (unit: string, task: number, attempt: number, reason: string): Emitted => ({
      type: "task.retry",
      ...at(unit, task),
      payload: { attempt, reason, pause: 0 }
    }),
    done: (unit: string, task: number, attempt: number): ReadonlyArray<Emitted> => [
      { type: "task.committed", ...at(unit, task), payload: { commit } },
      { type: "task.completed", ...at(unit, task), payload: { attempt, commit } }
    ],
    failed: (unit: string, task: number, attempts: number, reason: string): ReadonlyArray<Emitted> => [
      { type: "task.failed", ...at(unit, task), payload: { attempts, reason } },
      { type: "unit.failed", unit, payload: { reason: `task ${task} failed`, task } }
    ],
    begin: (unit: string): Emitted => ({ type: "unit.started", unit, payload: {} }),
    merged: (unit: string): ReadonlyArray<Emitted> => [
      { type: "unit.completed", unit, payload: {} },
      { type: "unit.merged", unit, payload: { commit, fastForward: true } }
    ]
  }
}

/** What an agent that is known prints. */
export const agentLog = [
  { type: "system", subtype: "init", model: "claude-opus-4" },
  {
    type: "assistant",
    message: { content: [{ type: "text", text: "I will look at how greetings are made, then add the shout." }] }
  },
  {
    type: "assistant",
    message: { content: [{ type: "tool_use", name: "Read", input: { file_path: "src/greet.ts" } }] }
  },
  {
    type: "user",
    message: {
      content: [{ type: "tool_result", content: "export const greet = (name: string) =>\n  `Hello, ${name}`" }]
    }
  },
  {
    type: "assistant",
    message: { content: [{ type: "tool_use", name: "Bash", input: { command: "npm test -- --run greet" } }] }
  }
]
  .map((record) => `${JSON.stringify(record)}\n`)
  .join("")

export const gateLog = `
\u001b[1m\u001b[7m RUN \u001b[0m v3.2.7 /home/ada/src/greeter

 \u001b[32m✓\u001b[0m test/greet.test.ts \u001b[2m(4 tests) 12ms\u001b[0m
 \u001b[31m❯\u001b[0m test/shout.test.ts \u001b[2m(2 tests | \u001b[31m1 failed\u001b[0m\u001b[2m) 8ms\u001b[0m
   \u001b[31m×\u001b[0m shouts a name in capitals
     \u001b[31m→ expected 'Hello, ADA' to be 'HELLO, ADA!'\u001b[0m

\u001b[41m FAIL \u001b[0m  test/shout.test.ts > shouts a name in capitals
\u001b[31mAssertionError: expected 'Hello, ADA' to be 'HELLO, ADA!'\u001b[0m
 \u001b[36m❯\u001b[0m test/shout.test.ts:\u001b[2m9:23\u001b[0m

 Test Files  \u001b[31m1 failed\u001b[0m | \u001b[32m1 passed\u001b[0m (2)
      Tests  \u001b[31m1 failed\u001b[0m | \u001b[32m5 passed\u001b[0m (6)
`

/** A job in the midst of its work: units that are merged, at work, failed, blocked and not begun. */
export const busyJob = (logs: string): ReadonlyArray<Emitted> => {
  const { agent, agentEnded, begin, done, failed, gate, merged, retry } = makeTask(logs)
  const whole = (unit: string, task: number, title: string): ReadonlyArray<Emitted> => [
    ...agent(unit, task, 1, title, agentLog),
    agentEnded(unit, task, 1),
    ...gate(unit, task, 1, "ok\n"),
    ...done(unit, task, 1)
  ]
  return [
    planned([
      { id: "core", tasks: ["Move greetings into a module", "Add a registry of languages"] },
      { id: "api", dependsOn: ["core"], tasks: ["Serve greetings", "Validate names"] },
      { id: "web", dependsOn: ["core"], tasks: ["Show a form", "Remember the last name", "Translate the labels"] },
      { id: "cli", dependsOn: ["core"], tasks: ["Parse options", "Print in colour"] },
      { id: "docs", dependsOn: ["api", "web"], tasks: ["Describe the API"] },
      { id: "release", dependsOn: ["api", "web", "cli", "docs"], tasks: ["Bump the version"] }
    ]),
    begin("core"),
    ...whole("core", 1, "Move greetings into a module"),
    ...whole("core", 2, "Add a registry of languages"),
    ...merged("core"),
    ...["api", "web", "cli"].map(begin),
    ...whole("web", 1, "Show a form"),
    ...agent("cli", 1, 1, "Parse options", agentLog),
    agentEnded("cli", 1, 1),
    ...gate("cli", 1, 1, gateLog, "exited with 1"),
    retry("cli", 1, 1, "the gate exited with 1"),
    ...agent("cli", 1, 2, "Parse options", agentLog),
    agentEnded("cli", 1, 2),
    ...gate("cli", 1, 2, gateLog, "exited with 1"),
    ...failed("cli", 1, 2, "the gate exited with 1: 1 of 6 tests failed"),
    { type: "unit.blocked", unit: "release", payload: { waitsFor: ["cli"] } },
    ...whole("api", 1, "Serve greetings"),
    ...agent("api", 2, 1, "Validate names", agentLog),
    ...agent("web", 2, 1, "Remember the last name", agentLog)
  ]
}

/** 500 units in layers: some merged, some at work, most to come. */
export const largeJob = (logs: string): ReadonlyArray<Emitted> => {
  const { agent, begin, done, merged } = makeTask(logs)
  const ids = Array.from({ length: 500 }, (_, at) => `unit-${String(at).padStart(3, "0")}`)
  const units = ids.map((id, at) => ({
    id,
    dependsOn: at < 20 ? [] : at < 480 ? [ids[at % 20] ?? ""] : ids.slice(20 + (at - 480) * 23, 43 + (at - 480) * 23),
    tasks: [`First of ${id}`, `Second of ${id}`]
  }))
  return [
    planned(units),
    ...ids.slice(0, 60).flatMap((unit) => [begin(unit), ...done(unit, 1, 1), ...done(unit, 2, 1), ...merged(unit)]),
    ...ids.slice(60, 64).flatMap((unit) => [begin(unit), ...agent(unit, 1, 1, `First of ${unit}`, agentLog)])
  ]
}

/** Has a job emit these events, and returns once all are recorded. */
export const happen = (script: ScriptedOrchestrator.Service, id: JobId.JobId, events: ReadonlyArray<Emitted>) =>
  Effect.gen(function* () {
    const done = yield* Deferred.make<void>()
    yield* script.send(id, ...emitAll(events), () => Effect.asVoid(Deferred.succeed(done, undefined)))
    yield* Deferred.await(done)
  })

export const emitAll = (events: ReadonlyArray<Emitted>): ReadonlyArray<Step.Step> =>
  events.map((event) => Step.emit(event))
