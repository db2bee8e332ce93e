/**
 * A trip of four bookings on the database of the first argument, which is stopped once it waits to be confirmed, and then undoes them. It
 * notes in the file of the second argument what it undoes, and kills itself as the third says:
 *
 * - `stop`: the stop is recorded, and nothing is undone
 * - `4:before`: it undoes booking 4; `4:after`: it has undone it, and that is not recorded
 * - `end`: everything is undone, and the end of the workflow is not recorded
 * - `exit`: the end of the workflow is recorded, and that of its job perhaps not
 *
 * It ends once the trip is over.
 */
import { Activity, DurableDeferred, Workflow } from "@effect/workflow"
import { Database, RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Effect, Layer, Schema } from "effect"
import { appendFileSync } from "node:fs"
import { runWorker } from "../steps/runWorker.js"

const [filename = "", noted = "", kill = ""] = process.argv.slice(2)

const die = Effect.sync(() => void process.kill(process.pid, "SIGKILL"))

const killAt = (point: string) => (point === kill ? die : Effect.void)

const Trip = Workflow.make({ name: "Trip", payload: { id: Schema.String }, idempotencyKey: ({ id }) => id })

const Confirmed = DurableDeferred.make("confirmed")

const book = (booking: number) => Activity.make({ name: `book ${booking}`, execute: Effect.void })

const undo = (booking: number) =>
  Activity.make({
    name: `undo ${booking}`,
    execute: Effect.gen(function* () {
      // It comes to nothing before the kill.
      if (kill === "stop") return yield* Effect.never
      yield* killAt(`${booking}:before`)
      yield* Effect.sync(() => appendFileSync(noted, `${booking}\n`))
      yield* killAt(`${booking}:after`)
    })
  })

const TripLayer = Trip.toLayer(() =>
  Effect.gen(function* () {
    yield* Workflow.addFinalizer(() => killAt("end"))
    for (const booking of [1, 2, 3, 4]) yield* book(booking).pipe(Trip.withCompensation(() => undo(booking)))
    yield* DurableDeferred.await(Confirmed)
  })
)

const program = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  yield* Trip.execute({ id: "a" }, { discard: true })
  const [run] = yield* store.list({ kind: "workflow.Trip" })
  if (run === undefined) return yield* Effect.dieMessage("there is no run")
  const { changed, version } = yield* store.changes(run.id)

  /** Waits until something is true of the run and its events. */
  const until = (isReached: (status: string, events: ReadonlyArray<string>) => boolean) =>
    Effect.gen(function* () {
      for (;;) {
        const seen = yield* version
        const { status } = yield* Effect.flatten(store.get(run.id))
        const { events } = yield* Effect.flatten(
          store.events({ kind: run.kind, jobId: run.id, after: 0, limit: 1_000 })
        )
        if (
          isReached(
            status,
            events.map(({ payload, type }) => `${type} ${JSON.stringify(payload)}`)
          )
        )
          return
        yield* changed(seen)
      }
    })

  if (kill === "stop" || kill === "exit") {
    const pattern = kill === "stop" ? /^job\.stopping / : /^job\.step .*"name":"exit"/
    yield* Effect.forkScoped(
      Effect.zipRight(
        until((_, events) => events.some((event) => pattern.test(event))),
        die
      )
    )
  }
  yield* until((status) => status === "parked" || status === "cancelled")
  yield* Workflows.stop(run.id)
  // The watcher above may be about to do so.
  if (kill === "exit") yield* die
})

const storeLayer = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

runWorker(Effect.scoped(program), TripLayer.pipe(Layer.provideMerge(Workflows.layer()), Layer.provideMerge(storeLayer)))
