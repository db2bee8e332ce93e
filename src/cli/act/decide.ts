/**
 * `charlotte approve` and `charlotte reject`: decide about the result of a job, through the process that runs jobs, or in this process if
 * none does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import { ApprovalRefused } from "../../http/contract/errors.js"
import * as JobRef from "../target/JobRef.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { acting } from "./acting.js"
import { outsideJob } from "./outsideJob.js"
import { sender } from "./sender.js"

interface About {
  readonly job: string
  readonly commit: Option.Option<string>
  readonly json: boolean
}

interface Decision {
  readonly unit?: string | undefined
  readonly because?: string | undefined
}

const decide = ({ commit: named, job, json }: About, decision: Decision) =>
  Effect.gen(function* () {
    yield* outsideJob
    const { commit, isHosted, jobId } = yield* acting((jobs) =>
      Effect.gen(function* () {
        const jobId = yield* JobRef.find(jobs, job)
        const { parked, status } = yield* jobs.get(jobId)
        const commit = Option.getOrElse(named, () => (status === "parked" ? parked?.approval?.commit : undefined))
        if (commit === undefined) return yield* new ApprovalRefused({ jobId, reason: "notWaiting", status })
        const { because, ...rest } = { ...decision, commit, by: sender() }
        yield* because === undefined ? jobs.approve(jobId, rest) : jobs.reject(jobId, { ...rest, because })
        return { jobId, commit, isHosted: jobs.isHosted }
      })
    )
    yield* json
      ? writeJson({ id: jobId, commit, approved: decision.because === undefined, ...decision })
      : writeLines([line(jobId, commit, decision, isHosted)])
  }).pipe(Effect.provide(Home.layerUntouched))

const line = (jobId: JobId, commit: string, { because, unit }: Decision, isHosted: boolean): StyledLine.Line => {
  const what =
    because === undefined
      ? `approved at commit ${commit.slice(0, 10)}, and lands`
      : unit === undefined
        ? "rejected, and fails"
        : `rejected: unit ${unit} continues`
  const rest = isHosted ? "" : "; it resumes when a daemon runs: charlotte daemon start"
  return [StyledLine.raw("✓ ", "good"), StyledLine.piece(`job ${jobId} is ${what}${rest}`)]
}

export const approve = (about: About) => decide(about, {})

export const reject = ({
  because,
  unit,
  ...about
}: About & { readonly unit: Option.Option<string>; readonly because: string }) =>
  decide(about, { because, unit: Option.getOrUndefined(unit) })
