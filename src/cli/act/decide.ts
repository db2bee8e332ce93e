/**
 * `charlotte approve` and `charlotte reject`: decide about the result of a job, through the process that runs jobs, or in this process if
 * none does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import { ApprovalRefused } from "../../http/contract/errors.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
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
    const host = yield* JobSource.host
    const send = <E, R>(
      jobs: JobSource.Jobs,
      request: (
        id: JobId,
        decided: Decision & { readonly commit: string; readonly by: string }
      ) => Effect.Effect<void, E, R>
    ) =>
      Effect.gen(function* () {
        const jobId = yield* JobRef.find(jobs, job)
        const { parked, status } = yield* jobs.get(jobId)
        const commit = Option.getOrElse(named, () => (status === "parked" ? parked?.approval?.commit : undefined))
        if (commit === undefined) return yield* new ApprovalRefused({ jobId, reason: "notWaiting", status })
        yield* request(jobId, { ...decision, commit, by: sender() })
        return { jobId, commit }
      })
    const { commit, jobId } = Option.isSome(host)
      ? yield* send(host.value.client, (id, { because, ...rest }) =>
          because === undefined
            ? host.value.client.approve(id, rest)
            : host.value.client.reject(id, { ...rest, because })
        )
      : yield* Effect.gen(function* () {
          const { withManager } = yield* Effect.promise(() => import("../offline/withManager.js"))
          const { decide } = yield* Effect.promise(() => import("../../tasks/http/decide.js"))
          return yield* withManager((manager, jobs, store) =>
            send(jobs, (id, decided) =>
              decide(store, (name, payload, options) => manager.signal(id, name, payload, options), id, decided)
            )
          )
        })
    yield* json
      ? writeJson({ id: jobId, commit, approved: decision.because === undefined, ...decision })
      : writeLines([line(jobId, commit, decision, Option.isSome(host))])
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
