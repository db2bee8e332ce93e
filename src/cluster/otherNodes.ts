/**
 * Stops a job that another node runs: the intent is recorded and the node is called, but the row is authoritative.
 */
import { Duration, Effect, Option } from "effect"
import { type StopError, StopTimedOut } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { Run } from "../domain/Run.js"
import { isTerminal } from "../domain/RunStatus.js"
import { StopReport } from "../domain/StopReport.js"
import * as race from "../internal/race.js"
import type { Others } from "../manager/internal/Core.js"
import { afterGrace, since } from "../manager/internal/stopJob.js"
import type { Service as Store } from "../store/port/RunStoreService.js"
import { atMost, type Service as Engine } from "./Engine.js"

/** Maximum number of concurrent stop requests to other nodes: those nodes find further stops in the rows, at little cost. */
const maxAsking = 64

/** How long to wait for the node's report once the row shows that the job has ended. */
const reportDelay = Duration.millis(500)

export const make = (kind: string, store: Store, engine: Engine): Omit<Others, "refuse"> => {
  /** Returns the record once the run is no longer running. */
  const rested = (id: JobId) =>
    Effect.gen(function* () {
      const changes = yield* store.changes(id)
      for (;;) {
        const version = yield* changes.version
        const run = Option.getOrUndefined(yield* store.get(id))
        if (run === undefined || run.status !== "running") return run
        yield* changes.changed(version)
      }
    }).pipe(Effect.scoped)

  const reportOf = ({ id: jobId, status }: Run, begun: number) =>
    Effect.map(since(begun), (elapsed) =>
      isTerminal(status)
        ? Option.some(new StopReport({ jobId, status, mode: "graceful", elapsed }, { disableValidation: true }))
        : Option.none()
    )

  const limited = atMost(maxAsking)

  return {
    ids: Effect.map(store.cluster.held(kind), (held) => held.map(({ run }) => run.id)),

    stop: ({ attempt, id }, { begun, grace, sender }) =>
      Effect.gen(function* () {
        const at = yield* store.now
        yield* (
          store
            .record({ type: "job.stopping", jobId: id, attempt, at, sender })
            // The run is being stopped already, or has just stopped running.
            .pipe(Effect.catchTag("Superseded", () => Effect.void))
        )
        const ask = Effect.gen(function* () {
          const address = Option.map(yield* store.cluster.heldRun(id), ({ address }) => address)
          return yield* engine.ask(kind, Option.getOrUndefined(address)).stop(id, grace)
        })
        const asked = Effect.matchEffect(limited(ask), {
          onSuccess: (report): Effect.Effect<Option.Option<StopReport>, StopError> =>
            Effect.map(since(begun), (elapsed) => {
              // It was running when the stop began.
              const mode = report.mode === "alreadyEnded" ? "graceful" : report.mode
              return Option.some(new StopReport({ ...report, mode, elapsed }, { disableValidation: true }))
            }),
          // The node will find the intent in the row.
          onFailure: (error) => (error._tag === "Unrouted" || error._tag === "Busy" ? Effect.never : Effect.fail(error))
        })
        const seen = Effect.flatMap(rested(id), (run) =>
          Effect.delay(
            run === undefined ? Effect.succeed(Option.none<StopReport>()) : reportOf(run, begun),
            reportDelay
          )
        )
        const late = Effect.zipRight(
          Effect.sleep(Duration.sum(grace, afterGrace)),
          Effect.flatMap(since(begun), (elapsed) => new StopTimedOut({ jobId: id, elapsed }))
        )
        return yield* race.first<Option.Option<StopReport>, StopError, never>([asked, seen, late])
      })
  }
}
