/**
 * Starts a job with the options of the command, and determines whether it runs, waits, or is an earlier job.
 */
import { DateTime, Effect, Option } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { StartOptions } from "../../domain/StartOptions.js"
import type { Job } from "../../http/contract/Api.js"
import type { Submission } from "../../http/contract/Parameters.js"
import { Hinted } from "../errors/Hinted.js"
import { exitOf } from "../errors/exitOf.js"
import type { Manager } from "../target/JobSource.js"
import * as waitingText from "../list/waitingText.js"
import { withCallerSpan } from "../target/withCallerSpan.js"

export interface Started {
  readonly id: JobId
  /** Its record, if it may have to wait or may be an earlier job. */
  readonly job: Option.Option<Job>
  /** Whether it is the earlier job that has the key. */
  readonly isEarlier: boolean
}

export const start = (
  manager: Pick<Manager, "get" | "start">,
  config: Submission,
  options: Option.Option<StartOptions>
) =>
  Effect.gen(function* () {
    const submittedAt = yield* DateTime.now
    const id = yield* Effect.catchTags(withCallerSpan(manager.start(config, Option.getOrUndefined(options))), {
      MaxJobsReached: (error) => new Hinted({ error, hint: orQueue }),
      JobConflict: (error) => new Hinted({ error, hint: `${exitOf(error)[1]}; ${orWaitBehind(options)}` })
    })
    if (Option.isNone(options)) return { id, job: Option.none(), isEarlier: false }
    const job = yield* manager.get(id)
    const isEarlier = findsEarlier(options.value) && DateTime.lessThan(job.createdAt, submittedAt)
    return { id, job: Option.some(job), isEarlier }
  })

/** The clock of the server may be behind: without these options, the job is new, whenever it was created. */
const findsEarlier = ({ idempotencyKey, whenKeyTaken }: StartOptions): boolean =>
  idempotencyKey !== undefined || whenKeyTaken === "attach"

const orQueue = "add --queue to wait for a permit, or stop a job; list them with: charlotte jobs --status running"

/** `--on-key` applies to all keys of the job, including the key of its branch. */
const orWaitBehind = (options: Option.Option<StartOptions>): string => {
  const hasKey = Option.exists(options, ({ key }) => key !== undefined)
  return `to wait behind it, add ${hasKey ? "" : "--key KEY "}--on-key queue`
}

/** Why a job that was just started is not running, or that it is an earlier one. */
export const notice = ({ id, isEarlier, job }: Started, view: waitingText.View): Option.Option<string> =>
  Option.flatMapNullable(job, (job) => {
    if (isEarlier) return `no new job was started: job ${id}, which is ${job.status}, has that key`
    const waits = waitingText.predicate(job, view)
    return waits && `job ${id} ${waits}`
  })
