/** Events of a job, numbered and dated one after another. */
import type { Event } from "../../../src/progress/JobModel.js"

export type Spec = readonly [second: number, type: string, payload?: unknown, unit?: string, task?: number]

export const start = Date.parse("2026-01-31T08:00:00Z")

export const at = (second: number): number => start + second * 1000

export const events = (...specs: ReadonlyArray<Spec>): ReadonlyArray<Event> =>
  specs.map(([second, type, payload, unit, task], index) => ({
    seq: index + 1,
    at: at(second),
    type,
    payload,
    unit,
    task
  }))

export const plan = (units: Readonly<Record<string, ReadonlyArray<string>>>) => ({
  target: "main",
  base: "0".repeat(40),
  branch: "charlotte/x",
  agent: "claude",
  concurrency: 4,
  units: Object.entries(units).map(([id, dependsOn]) => ({
    id,
    dependsOn,
    tasks: [{ number: 1, title: `Do ${id}`, status: "pending", dependsOn: [] }]
  }))
})

const log = (name: string) => ({ file: `/logs/${name}.log`, from: 0, to: 10 })

/** An attempt at a task that passes or fails at its gate. */
export const attempt = (second: number, number: number, unit: string, passes: boolean): ReadonlyArray<Spec> => [
  [second, "task.started", { attempt: number, title: `Do ${unit}` }, unit, 1],
  [second, "task.agent.started", { agent: "claude", log: `/logs/${unit}.${number}.agent.log` }, unit, 1],
  [second + 5, "task.agent.ended", { class: "success", log: log(`${unit}.${number}.agent`) }, unit, 1],
  [second + 5, "task.gate.started", { command: "npm test", log: `/logs/${unit}.${number}.gate.log` }, unit, 1],
  passes
    ? [second + 8, "task.gate.passed", { command: "npm test", log: log(`${unit}.${number}.gate`) }, unit, 1]
    : [
        second + 8,
        "task.gate.failed",
        { command: "npm test", reason: "exited with 1", log: log(`${unit}.${number}.gate`) },
        unit,
        1
      ]
]
