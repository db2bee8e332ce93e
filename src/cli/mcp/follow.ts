/** The tool that follows a job. */
import { Duration, Effect, Schema, Stream } from "effect"
import { type JobEvent, statusAfter } from "../../domain/JobEvent.js"
import { JobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import type { Job } from "../../http/contract/Api.js"
import { eventText, isKnown } from "../../progress/eventText.js"
import { progressEvent } from "../run/progressEvent.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import * as format from "../terminal/format.js"
import { timeZone } from "../terminal/timeZone.js"
import * as inputs from "./inputs.js"
import { needsPerson } from "./needsPerson.js"
import * as page from "./page.js"
import * as progress from "./progress.js"
import * as Tool from "./Tool.js"
import * as Untrusted from "./Untrusted.js"

/** Many clients give up on a call after a minute. */
const defaultSeconds = 45
const defaultLimit = 50

/** How long to wait for what is recorded already. */
const soon = Duration.seconds(1)

/** Whether nothing happens until a person acts: a question may be open while other units are at work. */
const isIdle = (job: Job): boolean => (job.status === "parked" || job.status === "interrupted") && needsPerson(job)

/** Whether the job no longer runs or waits for its start, or an agent asks a question. */
const isTurn = (event: JobEvent): boolean =>
  event.type === "unit.asked" || !["running", "pending"].includes(statusAfter(event) ?? "running")

export const follow = Tool.make({
  name: "follow",
  description:
    "Follow a job: wait until it has ended, is parked or has a question, or so many events or seconds have passed; then return the events since the last call. Call it again with after: next; it returns at once while the job waits for a person. The job does not notice; cancelling this call only ends the waiting.",
  hints: Tool.reads,
  input: Schema.Struct({
    job: inputs.job,
    after: inputs.optional(
      inputs.number(0, Number.MAX_SAFE_INTEGER, "next of the call before; 0 by default, for all events.")
    ),
    seconds: inputs.optional(
      inputs.number(
        1,
        600,
        `How long to wait at most; ${defaultSeconds} by default, since many clients cancel a call after 60.`
      )
    ),
    limit: inputs.optional(inputs.number(1, 200, `How many events at most; ${defaultLimit} by default.`))
  }),
  output: Schema.Struct({
    id: JobId,
    status: RunStatus,
    isOver: Schema.Boolean.annotations({
      description: "Whether the job has ended, so that no event follows the last one."
    }),
    needsPerson: Schema.Boolean.annotations({ description: "Whether to call explain for what a person has to do." }),
    progress: progress.field,
    events: Schema.Array(
      Schema.Struct({
        seq: Schema.Int,
        at: Schema.DateTimeUtc,
        type: Schema.String,
        unit: Schema.optional(Schema.String),
        task: Schema.optional(Schema.Int),
        text: Schema.optional(Untrusted.Untrusted)
      })
    ),
    next: Schema.Int.annotations({ description: "The value of after for the next call." })
  }),
  run: ({ after = 0, job: name, limit = defaultLimit, seconds = defaultSeconds }) =>
    Effect.gen(function* () {
      const jobs = yield* JobSource.read
      const id = yield* JobRef.find(jobs, yield* inputs.reference(name))
      const wait = isIdle(yield* jobs.get(id)) ? soon : Duration.seconds(seconds)
      const seen: Array<JobEvent> = []
      yield* jobs.events(id, { after, patience: Duration.seconds(seconds) }).pipe(
        Stream.takeUntil((event) => seen.push(event) >= limit || isTurn(event)),
        Stream.runDrain,
        Effect.timeoutOption(wait)
      )
      const zone = yield* timeZone
      const rows = page.fitting(
        seen.map((event) => ({
          seq: event.seq,
          at: event.at,
          type: event.type,
          unit: event.unit,
          task: event.task,
          ...(isKnown(event.type) && {
            text: Untrusted.line(eventText(progressEvent(event), (at) => format.dateTime(at, zone)).text)
          })
        }))
      )
      const job = yield* jobs.get(id)
      const isOver = job.endedAt !== undefined
      return {
        id,
        status: job.status,
        isOver,
        needsPerson: needsPerson(job),
        progress: progress.of(job.progress),
        events: rows,
        next: rows.at(-1)?.seq ?? after
      }
    })
})
