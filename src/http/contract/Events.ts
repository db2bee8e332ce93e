/**
 * Events as they happen, as server-sent events.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import { isTerminal } from "../../domain/RunStatus.js"
import * as Failure from "./errorSchemas.js"
import { EventData } from "./eventSchemas.js"
import * as Parameters from "./Parameters.js"

/** Nothing comes after this event of its job. */
export const endsJob = ({ type }: JobEvent): boolean =>
  Object.entries(lifecycle).some(([name, status]) => name === type && isTerminal(status))

export const contentType = "text/event-stream"

/** The position at which a stream starts, which a client of `after=latest` cannot know otherwise. */
export const positionHeader = "last-event-id"

/** The data of each frame. */
const Frames = Schema.parseJson(EventData).pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType }))

/** What a browser sends when it connects again; it stands above the query. */
const Headers = Schema.Struct({ "last-event-id": Parameters.optional(Parameters.Position) })

const ofJob = HttpApiEndpoint.get("ofJob", "/jobs/:id/events")
  .setPath(Schema.Struct({ id: Parameters.JobId }))
  .setHeaders(Headers)
  .setUrlParams(Schema.Struct({ after: Parameters.optional(Parameters.Position) }))
  .addSuccess(Frames)
  // An EventSource that gets this does not connect again.
  .addSuccess(HttpApiSchema.NoContent)
  .addError(Failure.CursorAhead)
  .addError(Failure.JobNotFound)
  .addError(Failure.ShuttingDown)
  .annotateContext(
    OpenApi.annotations({
      summary: "Follows the events of a job",
      description:
        "Those after the number `after`, or after Last-Event-ID, then the live ones, to the terminal event; then it ends. 204 when the job is over and nothing comes after."
    })
  )

const ofAll = HttpApiEndpoint.get("ofAll", "/events")
  .setHeaders(Headers)
  .setUrlParams(Schema.Struct({ after: Parameters.optional(Parameters.Cursor) }))
  .addSuccess(Frames)
  .addError(Failure.CursorAhead)
  .addError(Failure.ShuttingDown)
  .annotateContext(
    OpenApi.annotations({
      summary: "Follows the events of all jobs",
      description: "Those after the cursor `after` (a number, or `latest`), or after Last-Event-ID; it never ends."
    })
  )

export const group = HttpApiGroup.make("charlotteEvents")
  .add(ofJob)
  .add(ofAll)
  .addError(Failure.StoreFull)
  .addError(Failure.StoreAway)
  .addError(Failure.StoreBroken)
  .addError(Failure.StoreInvalid)
  .addError(Failure.TooMany)
  .annotateContext(
    OpenApi.annotations({
      title: "events",
      description: "Server-sent events. The id of a frame is where to go on: its data is an event as JSON."
    })
  )
