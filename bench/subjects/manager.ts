/**
 * A manager as in an application: with every check, constraint and event, and the default settings.
 */
import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Layer, Logger } from "effect"
import { text } from "../harness/Subject.js"

export const config = { repoPath: "/any/repository", tasksDir: "tasks", targetBranch: "main" }

export const database = Layer.suspend(() =>
  Database.layer({ filename: text("file"), synchronous: text("synchronous") === "NORMAL" ? "NORMAL" : "FULL" })
)

export const store = Layer.provideMerge(RunStore.layer, database)

/** A manager whose jobs do `run`. */
export const managerOf = (maxJobs: number, run: Parameters<typeof Orchestrator.layer<never>>[0]) =>
  JobManager.layer({ maxJobs }).pipe(Layer.provide(Orchestrator.layer(run)), Layer.provideMerge(store))

/** Standard output is for figures. */
const logsOnStderr = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

export const main = <E>(
  effect: Effect.Effect<void, E, JobManager.JobManager | RunStore.RunStore | SqlClient>,
  layer: ReturnType<typeof managerOf>
) => Effect.runPromise(Effect.provide(effect, Layer.provideMerge(layer, logsOnStderr)))
