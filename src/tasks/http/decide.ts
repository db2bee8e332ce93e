/**
 * Approves or rejects the result of a job that waits for it. What counts is the first decision that is recorded about a commit, so two people
 * who decide at once get the same answer, or one of them learns that the other came first.
 */
import { Effect, Option } from "effect"
import { JobNotFound, type SignalError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { approvalSignal } from "../../domain/Run.js"
import { ApprovalRefused } from "../../http/contract/errors.js"
import type { Decision as Requested } from "../../http/server/Extension.js"
import type { SignalOptions } from "../../manager/JobManager.js"
import type { Reads } from "../../store/Runs.js"
import * as Decisions from "../Decisions.js"

type Send = (name: string, payload: unknown, options: SignalOptions) => Effect.Effect<void, SignalError>

export const decide = (
  store: Pick<Reads, "signals" | "withWork">,
  send: Send,
  jobId: JobId,
  { because, by, commit: named, unit }: Requested
) =>
  Effect.gen(function* () {
    const refused = (fields: Omit<ConstructorParameters<typeof ApprovalRefused>[0], "jobId">) =>
      new ApprovalRefused({ jobId, ...fields })
    const found = yield* store.withWork(jobId)
    if (Option.isNone(found)) return yield* new JobNotFound({ jobId })
    const { run, work } = found.value
    const { status } = run
    const waiting = status === "parked" ? run.parked?.approval?.commit : undefined
    const commit = waiting !== undefined && waiting.startsWith(named ?? "") ? waiting : named
    if (commit === undefined) return yield* refused({ reason: "notWaiting", status })
    if (waiting !== undefined && commit !== waiting) return yield* refused({ reason: "otherCommit", result: waiting })
    const decision = new Decisions.Decision({ commit, because, unit })
    const first = Effect.map(Decisions.read(store, jobId), (all) => all.find((other) => other.commit === commit))

    const before = yield* first
    if (before === undefined) {
      if (waiting === undefined) return yield* refused({ reason: "notWaiting", status })
      if (unit !== undefined && !work.units.some((record) => record.unit === unit)) {
        return yield* refused({ reason: "noSuchUnit", unit })
      }
      yield* send(approvalSignal, Decisions.encode(decision), { by, isReserved: true }).pipe(
        Effect.catchTags({
          InvalidSignal: Effect.die,
          JobEnded: ({ status }) => refused({ reason: "notWaiting", status })
        })
      )
    }
    const counted = before ?? (yield* first)
    if (counted?.because !== because || counted?.unit !== unit)
      return yield* refused({ reason: "decided", result: commit })
  })
