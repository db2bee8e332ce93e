/** The tools that act on a job. */
import { Array, Duration, Effect, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { StopReport } from "../../domain/StopReport.js"
import { answerJob } from "../act/answerJob.js"
import * as removeJobs from "../act/removeJobs.js"
import { sender } from "../act/sender.js"
import * as stopJobs from "../act/stopJobs.js"
import * as JobRef from "../target/JobRef.js"
import { captured } from "./captured.js"
import * as host from "./host.js"
import * as inputs from "./inputs.js"
import * as Tool from "./Tool.js"
import * as Untrusted from "./Untrusted.js"

const Answered = Schema.Struct({ id: JobId, unit: Schema.String, task: Schema.Int, question: Schema.String })

export const answer = Tool.make({
  name: "answer",
  description:
    "Answer the open question of an agent, as explain shows it; its unit continues with the answer. Answer with what the person has said, not with what you assume.",
  hints: Tool.adds,
  input: Schema.Struct({
    job: inputs.job,
    unit: inputs.optional(inputs.text("The unit that waits for the answer; needed if several do.")),
    text: inputs.text("The answer: at most 64 KiB.")
  }),
  output: Schema.Struct({ ...Answered.fields, question: Untrusted.Untrusted }),
  run: ({ job, text, unit }) =>
    Effect.gen(function* () {
      const reference = yield* inputs.reference(job)
      yield* host.any
      const words =
        unit === undefined ? { unitOrText: text, text: Option.none() } : { unitOrText: unit, text: Option.some(text) }
      const answered = yield* captured(Answered, answerJob({ job: reference, ...words, json: true }))
      return { ...answered, question: Untrusted.lines(answered.question) }
    })
})

export const retry = Tool.make({
  name: "retry",
  description:
    "Continue a job that has not completed. An interrupted or parked one continues under its id; a failed or cancelled one is retried by a new job, which starts from what the old one has completed. Fix the cause first, as explain shows it.",
  hints: Tool.adds,
  input: Schema.Struct({
    job: inputs.job,
    fresh: inputs.flag("Begin units that were not merged from the start; only for a failed or cancelled job.")
  }),
  output: Schema.Struct({
    id: JobId.annotations({ description: "The job that continues the work." }),
    isNew: Schema.Boolean
  }),
  run: ({ fresh = false, job }) =>
    Effect.gen(function* () {
      const reference = yield* inputs.reference(job)
      const { client } = yield* host.daemon
      const id = yield* JobRef.find(client, reference)
      const { status } = yield* client.get(id)
      if (status === "interrupted" || status === "parked") {
        yield* client.resume(id, { by: sender() })
        return { id, isNew: false }
      }
      return { id: yield* client.retry(id, { fresh, by: sender() }), isNew: true }
    })
})

export const stop = Tool.make({
  name: "stop",
  description:
    "Stop a job, and wait until it has ended. What it has done is kept, and retry continues it. The status is cancelled then.",
  hints: Tool.decides,
  input: Schema.Struct({
    job: inputs.job,
    graceSeconds: inputs.optional(
      inputs.number(0, 86_400, "How long it may take to end by itself before it is killed; as configured by default.")
    )
  }),
  output: Schema.Struct({
    id: JobId,
    status: RunStatus,
    mode: StopReport.fields.mode,
    killed: Schema.Int.annotations({ description: "How many of its processes had to be killed." })
  }),
  run: ({ graceSeconds, job }) =>
    Effect.gen(function* () {
      const grace = Option.map(Option.fromNullable(graceSeconds), Duration.seconds)
      const { jobId, killed = [], mode, status } = yield* stopJobs.one(yield* inputs.reference(job), { grace })
      return { id: jobId, status, mode, killed: killed.length }
    })
})

export const remove = Tool.make({
  name: "remove",
  description:
    "Remove a job that is over, for good, with the jobs that it retries and that retry it, and all that is recorded of them. Remove only what the person has named.",
  hints: { ...Tool.decides, idempotentHint: true },
  input: Schema.Struct({
    job: inputs.job,
    stop: inputs.flag("Stop the job first if it is not over."),
    pinned: inputs.flag("Also remove a pinned job.")
  }),
  output: Schema.Struct({ id: JobId }),
  run: ({ job, pinned = false, stop = false }) =>
    Effect.gen(function* () {
      return { id: yield* removeJobs.one(yield* inputs.reference(job), { stop, pinned }) }
    })
})

export const land = Tool.make({
  name: "land",
  description:
    "Land the units that are done of an ended job. Starts a new job without any agent, and returns its id at once: it verifies the units together, and advances the target branch if all checks pass. Follow it.",
  hints: Tool.decides,
  input: Schema.Struct({
    job: inputs.job,
    units: inputs.optional(
      Schema.Array(Schema.String).annotations({
        description: "Only these units, and all that they depend on; all that are done by default."
      })
    )
  }),
  output: Schema.Struct({ id: JobId }),
  run: ({ job, units = [] }) =>
    Effect.gen(function* () {
      const reference = yield* inputs.reference(job)
      const { client } = yield* host.daemon
      const id = yield* JobRef.find(client, reference)
      return { id: yield* client.land(id, Array.isNonEmptyReadonlyArray(units) ? { units } : {}) }
    })
})
