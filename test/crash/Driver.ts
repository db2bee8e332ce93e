/**
 * Whoever uses the manager of the child: starts, stops, awaits and watches jobs at random, and tells what it was told.
 */
import { type JobEvent, type JobId, JobManager, RunStatus, RunStore } from "charlotte"
import { Effect, Option, Random, type Scope, Stream } from "effect"
import { config, type Tell } from "./Workload.js"

type Failure = { readonly _tag: string; readonly message: string; readonly reason?: string }

/** What a manager may say to whoever asks too much of it, or asks while it closes. */
const isAnswer = ({ _tag, reason }: Failure) =>
  ["MaxJobsReached", "JobConflict", "ShuttingDown"].includes(_tag) || (_tag === "StoreError" && reason === "closed")

/** Starts, stops, awaits and watches, for ever. */
export const use = (tell: Tell) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const store = yield* RunStore.RunStore
    const known = (yield* store.list({ limit: 20 })).map(({ id }) => id)
    const from = Math.max(0, (yield* store.latestCursor) - (yield* Random.nextIntBetween(0, 100)))

    const ended = ({ id, status }: { readonly id: JobId.JobId; readonly status: RunStatus.RunStatus }) =>
      RunStatus.isTerminal(status) ? tell({ _tag: "Ended", id, status }) : Effect.void

    const start = Effect.gen(function* () {
      const id = yield* manager.start(yield* config)
      yield* tell({ _tag: "Started", id })
      known.unshift(id)
    })

    const show = <E>(of: "job" | "all", from: number, events: Stream.Stream<JobEvent.JobEvent, E>) => {
      let after = from
      return Stream.runForEach(events, (event) => {
        const { cursor, jobId: id, seq, type } = event
        const shown = tell({ _tag: "Shown", of, after, id, seq, cursor, type })
        after = of === "job" ? seq : cursor
        return shown
      })
    }

    const withJob = (id: JobId.JobId): ReadonlyArray<Effect.Effect<void, Failure>> => [
      Effect.flatMap(manager.stop(id), ({ status }) => ended({ id, status })),
      Effect.flatMap(manager.await(id), ended),
      Effect.flatMap(Random.nextIntBetween(0, 5), (after) => show("job", after, manager.events(id, { after })))
    ]

    const pick = (ids: ReadonlyArray<JobId.JobId>) =>
      Effect.map(Random.nextIntBetween(0, Math.max(1, ids.length)), (i) => Option.fromNullable(ids[i]))

    const step: Effect.Effect<void, never, Scope.Scope> = Effect.gen(function* () {
      const active = yield* manager.list
      const some = yield* pick((yield* Random.nextBoolean) ? active : known.slice(0, 30))
      const choices = [start, start, start, ...Option.match(some, { onNone: () => [], onSome: withJob })]
      const choice = choices[yield* Random.nextIntBetween(0, choices.length)] ?? start
      yield* Effect.catchAll(choice, (failure: Failure) =>
        isAnswer(failure) ? Effect.void : tell({ _tag: "Violation", message: failure.message })
      ).pipe(Effect.forkScoped)
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 5))
    })

    yield* Effect.forkScoped(show("all", from, manager.allEvents({ after: from })))
    return yield* Effect.forever(step)
  })
