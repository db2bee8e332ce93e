/**
 * Endpoints of live events, as server-sent events.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { type JobEvent, statusAfter } from "../../domain/JobEvent.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { described } from "./described.js"
import * as errorSchemas from "./errorSchemas.js"
import type { EventSchema } from "./eventSchemas.js"
import * as Parameters from "./Parameters.js"

/** Whether this is the terminal event of its job. */
export const endsJob = (event: JobEvent): boolean => {
  const status = statusAfter(event)
  return status !== undefined && isTerminal(status)
}

export const contentType = "text/event-stream"

/** Response header with the position at which a stream starts: a client of `after=latest` needs it to reconnect. */
export const positionHeader = "last-event-id"

/** An event stream whose frames have this data. */
const framesOf = (data: EventSchema) =>
  Schema.parseJson(data).pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType }))

/** A browser sends it when it reconnects; it takes precedence over the query. */
const Headers = Schema.Struct({ "last-event-id": Parameters.optional(Parameters.Position) })

const ofJob = (frames: ReturnType<typeof framesOf>) =>
  HttpApiEndpoint.get("ofJob", "/jobs/:id/events")
    .setPath(Schema.Struct({ id: Parameters.JobId }))
    .setHeaders(Headers)
    .setUrlParams(Schema.Struct({ after: Parameters.optional(Parameters.Position) }))
    .addSuccess(frames)
    // Makes an EventSource stop reconnecting.
    .addSuccess(HttpApiSchema.NoContent)
    .addError(errorSchemas.CursorAhead)
    .addError(errorSchemas.JobNotFound)
    .addError(errorSchemas.ShuttingDown)
    .annotateContext(
      described(
        "Stream the events of a job",
        "Replays the events after `after` or Last-Event-ID, continues with live ones, and ends after the terminal event. 204 when the job has ended and there are no further events."
      )
    )

const ofAll = (frames: ReturnType<typeof framesOf>) =>
  HttpApiEndpoint.get("ofAll", "/events")
    .setHeaders(Headers)
    .setUrlParams(
      Schema.Struct({ after: Parameters.optional(Parameters.Cursor), kind: Parameters.optional(Parameters.Kind) })
    )
    .addSuccess(frames)
    .addError(errorSchemas.CursorAhead)
    .addError(errorSchemas.NoSuchKind)
    .addError(errorSchemas.ShuttingDown)
    .annotateContext(
      described(
        "Stream the events of all jobs",
        "Replays the events after the cursor `after` (a number, or `latest`) or Last-Event-ID, continues with live ones, and never ends."
      )
    )

/** The endpoints of event streams whose frames have this data. */
export const make = (data: EventSchema) => {
  const frames = framesOf(data)
  return HttpApiGroup.make("charlotteEvents")
    .add(ofJob(frames))
    .add(ofAll(frames))
    .addError(errorSchemas.Store)
    .addError(errorSchemas.StoreInvalid)
    .addError(errorSchemas.TooManyStreams)
    .annotateContext(
      OpenApi.annotations({
        title: "events",
        description:
          "Server-sent events. The id of a frame is the position to resume from; its data is an event as JSON."
      })
    )
}
