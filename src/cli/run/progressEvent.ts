import type { JobEvent } from "../../domain/JobEvent.js"
import type { Event } from "../../progress/JobModel.js"

/** An event as the model of a job takes it. */
export const progressEvent = (event: JobEvent): Event => ({ ...event, at: event.at.epochMillis })
