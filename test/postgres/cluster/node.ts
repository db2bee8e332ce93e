/**
 * A process that is one node: its arguments are the URL of the database, its address, and how many jobs the cluster runs. It answers
 * requests, a line of JSON each.
 */
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Chunk, Effect, Exit, Layer, Logger, Schema, Scope, Stream } from "effect"
import { createInterface } from "node:readline"
import { Request, Response } from "./protocol.js"

const [url = "", address = "", maxJobs = "20"] = process.argv.slice(2)

class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ millis: Schema.Int }),
  events: { begun: Schema.Struct({ address: Schema.String, attempt: Schema.Int }), tick: Schema.Null }
}) {}

const layer = Cluster.JobKind.layerCluster(Work, {
  maxJobs: Number(maxJobs),
  stopGrace: "2 seconds",
  run: ({ attempt, config: { millis }, emit }) =>
    Effect.gen(function* () {
      yield* emit({ type: "begun", payload: { address, attempt } })
      const ticks = Effect.forever(Effect.zipRight(Effect.sleep(200), emit({ type: "tick", payload: null })))
      yield* Effect.raceFirst(Effect.sleep(millis), ticks)
      return null
    })
}).pipe(
  Layer.provide(Cluster.Engine.layer({ address })),
  Layer.provideMerge(RunStore.layer),
  Layer.provide(Database.layerPostgres({ url }))
)

const write = Schema.encodeSync(Schema.parseJson(Response))
const read = Schema.decodeSync(Schema.parseJson(Request))
const say = (response: typeof Response.Type) => process.stdout.write(`${write(response)}\n`)

const main = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const services = yield* Layer.buildWithScope(layer, scope)
  const answer = ({ ask }: typeof Request.Type) =>
    Effect.gen(function* () {
      const work = yield* Work
      switch (ask._tag) {
        case "Start":
          return yield* work.start({ millis: ask.millis }, { whenFull: ask.whenFull })
        case "StartMany": {
          const starts = Effect.replicateEffect(Effect.either(work.start({ millis: ask.millis })), ask.count, {
            concurrency: "unbounded"
          })
          return (yield* starts).flatMap((start) => (start._tag === "Right" ? [start.right] : []))
        }
        case "Stop":
          return yield* Effect.map(work.stop(ask.id), ({ mode, status }) => ({ mode, status }))
        case "Await":
          return yield* Effect.map(work.await(ask.id), ({ attempt, status }) => ({ attempt, status }))
        case "Events":
          return yield* Effect.map(Stream.runCollect(work.events(ask.id)), (events) =>
            Chunk.toReadonlyArray(events).map(({ payload, seq, type }) => ({ seq, type, payload }))
          )
        case "List":
          return yield* work.list
        case "Close":
          yield* Scope.close(scope, Exit.void)
          return null
      }
    }).pipe(Effect.provide(services))

  say({ n: 0, answer: "ready" })
  const lines = Stream.fromAsyncIterable(createInterface({ input: process.stdin }), String)
  yield* Stream.runForEach(lines, (line) =>
    Effect.forkDaemon(
      Effect.suspend(() => {
        const request = read(line)
        return Effect.match(answer(request), {
          onFailure: (error) => say({ n: request.n, error: error._tag }),
          onSuccess: (answer) => say({ n: request.n, answer })
        })
      })
    )
  )
})

const log = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

NodeRuntime.runMain(Effect.provide(main, log), { disablePrettyLogger: true })
