/** An application's own code, as its compiler sees it: every module that the package exports. */
import * as Charlotte from "charlotte"
import * as Database from "charlotte/Database"
import type * as errors from "charlotte/errors"
import * as http from "charlotte/http"
import * as JobManager from "charlotte/JobManager"
import * as Orchestrator from "charlotte/Orchestrator"
import * as RunStore from "charlotte/RunStore"
import * as tasks from "charlotte/tasks"
import * as testing from "charlotte/testing"
import { Effect, Layer } from "effect"

const Jobs = JobManager.layer().pipe(
  Layer.provide([Orchestrator.layer(() => Effect.succeed("done")), RunStore.layer]),
  Layer.provide(Database.layer({ filename: ":memory:" }))
)

/** The application's Effect is Charlotte's: its layer would be of another type otherwise. */
export const program: Effect.Effect<number, errors.StoreError | errors.AlreadyManaged> = Effect.provide(
  Effect.flatMap(Charlotte.JobManager.JobManager, (manager) => manager.activeCount),
  Jobs
)

export const modules: ReadonlyArray<object> = [http, tasks, testing]
