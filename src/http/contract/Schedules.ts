/**
 * Endpoints about the schedules of jobs.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { Schema } from "effect"
import { Schedule } from "../../domain/Schedule.js"
import { described } from "./described.js"
import * as errorSchemas from "./errorSchemas.js"
import { Submitted } from "./Job.js"
import * as Parameters from "./Parameters.js"

const path = Schema.Struct({ kind: Schema.NonEmptyString, name: Schema.NonEmptyString })
const urlParams = Schema.Struct({ by: Parameters.optional(Schema.String) })

export const schedules = HttpApiEndpoint.get("schedules", "/schedules")
  .addSuccess(Schema.Array(Schedule))
  .annotateContext(
    described(
      "List the schedules",
      "The schedules on this database, sorted by kind and name: the next tick of each, the last one with its job, and how many were skipped."
    )
  )

export const runSchedule = HttpApiEndpoint.post("runSchedule", "/schedules/:kind/:name/run")
  .setPath(path)
  .setUrlParams(urlParams)
  .addSuccess(Submitted, { status: 201 })
  .addError(errorSchemas.InvalidJobConfig)
  .addError(errorSchemas.JobConflict)
  .addError(errorSchemas.QueueFull)
  .addError(errorSchemas.ScheduleNotFound)
  .addError(errorSchemas.ScheduleNotLive)
  .annotateContext(
    described(
      "Start a job of a schedule now",
      "Whatever its ticks and its pause are. This process has to run the schedule. Each request starts a job."
    )
  )

export const pauseSchedule = HttpApiEndpoint.post("pauseSchedule", "/schedules/:kind/:name/pause")
  .setPath(path)
  .setUrlParams(urlParams)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.ScheduleNotFound)
  .annotateContext(
    described("Pause a schedule", "It starts no job until it is unpaused, on any node and over restarts.")
  )

export const unpauseSchedule = HttpApiEndpoint.post("unpauseSchedule", "/schedules/:kind/:name/unpause")
  .setPath(path)
  .setUrlParams(urlParams)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.ScheduleNotFound)
  .annotateContext(described("Unpause a schedule", "It starts jobs again from its next tick on."))

export const removeSchedule = HttpApiEndpoint.del("removeSchedule", "/schedules/:kind/:name")
  .setPath(path)
  .setUrlParams(urlParams)
  .addSuccess(HttpApiSchema.NoContent)
  .addError(errorSchemas.ScheduleNotFound)
  .annotateContext(
    described(
      "Remove a schedule",
      "For one that no process runs any more; a process that runs it registers it when it starts."
    )
  )
