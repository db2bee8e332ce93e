/**
 * How the job of the scenario ends, as it is recorded.
 */
import { DateTime } from "effect"
import { Run, RunError } from "../../../src/domain/Run.js"
import type { RunStatus } from "../../../src/domain/RunStatus.js"
import { TaskRecord, UnitRecord, Work } from "../../../src/domain/Work.js"
import { commit, jobId, noon } from "./scenario.js"

export const branch = `charlotte/${jobId}/result`
export const diff = `git -C /home/me/barn diff main...${branch}`

const at = (second: number) => DateTime.unsafeMake(noon + second * 1000)

export const run = (
  status: RunStatus,
  more: { readonly result?: unknown; readonly error?: unknown; readonly config?: object } = {}
) =>
  new Run({
    id: jobId,
    kind: "tasks",
    status,
    attempt: 1,
    config: { repoPath: "/home/me/barn", tasksDir: "tasks", targetBranch: "main", ...more.config },
    labels: {},
    createdAt: at(0),
    endedAt: status === "interrupted" ? undefined : at(75),
    result: more.result,
    error:
      more.error === undefined
        ? undefined
        : new RunError({ kind: "failure", error: more.error, cause: "Error: as it was rendered" })
  })

const unit = (unit: string, position: number, state: UnitRecord["state"], more: Partial<UnitRecord> = {}) =>
  new UnitRecord({ unit, position, dependsOn: [], state, ...more })

const task = (unit: string, number: number, state: TaskRecord["state"], more: Partial<TaskRecord> = {}) =>
  new TaskRecord({
    unit,
    task: number,
    position: number - 1,
    title: `Task ${number} of ${unit}`,
    state,
    failures: 0,
    calls: 0,
    notes: [],
    ...(state === "completed" ? { commit } : {}),
    ...more
  })

export const allDone = new Work({
  units: [unit("silk", 0, "merged"), unit("words", 1, "merged")],
  tasks: [task("silk", 1, "completed"), task("silk", 2, "completed"), task("words", 1, "skipped")]
})

export const someFailed = new Work({
  units: [
    unit("silk", 0, "failed", {
      base: commit,
      reason: "task 2 (Lay the rings) failed 2 times: ended with exit code 1"
    }),
    unit("words", 1, "merged"),
    unit("frame", 2, "failed", { reason: "unit frame conflicts with the units merged before it in a.txt" }),
    unit("barn", 3, "blocked")
  ],
  tasks: [
    task("silk", 1, "completed"),
    task("silk", 2, "failed", {
      title: "Lay the rings",
      failures: 2,
      reason: "the gate (npm test) ended with exit code 1",
      log: "/home/me/.charlotte/logs/silk-2.log"
    }),
    task("words", 1, "completed", { notes: ["the agent changed tasks/a.md: plan files were restored"] }),
    task("frame", 1, "completed"),
    task("barn", 1, "pending")
  ]
})
