/**
 * A process that is one node: its arguments are the URL of the database, its address, how many jobs the cluster runs, a directory for
 * locks that the child processes of its jobs hold, and the program of the guard. It answers requests, a line of JSON each.
 */
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { ProcessRunner } from "charlotte/tasks"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Chunk, Effect, Exit, Layer, Logger, Option, Schema, Scope, Stream } from "effect"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { GuardProgram } from "../../../src/cluster/guard/GuardProgram.js"
import { Request, Response } from "./protocol.js"

const [url = "", address = "", maxJobs = "20", directory = "/nonexistent", guard = ""] = process.argv.slice(2)

class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ millis: Schema.Int, hasChild: Schema.Boolean }),
  events: {
    begun: Schema.Struct({ address: Schema.String, attempt: Schema.Int }),
    tick: Schema.Null,
    overlap: Schema.Null
  }
}) {}

/** Holds the lock of the job for as long as it lives, whatever becomes of its parent; fails where another process holds it. */
const hold = [
  "sh",
  "-c",
  'exec 9>"$LOCK"; flock -n 9 || exit 9; trap "" TERM INT HUP; while :; do sleep 0.1; done'
] as const

const layer = Layer.unwrapEffect(
  Effect.map(ProcessRunner.ProcessRunner, (runner) =>
    Cluster.JobKind.layerCluster(Work, {
      maxJobs: Number(maxJobs),
      stopGrace: "1 second",
      recover: (id) => runner.recover(id),
      run: ({ attempt, config: { hasChild, millis }, emit, grace, id }) =>
        Effect.gen(function* () {
          yield* emit({ type: "begun", payload: { address, attempt } })
          const ticks = Effect.forever(Effect.zipRight(Effect.sleep(200), emit({ type: "tick", payload: null })))
          const child = runner.run({
            jobId: id,
            attempt,
            purpose: "child",
            command: hold,
            cwd: directory,
            env: { LOCK: join(directory, id) },
            output: join(directory, `${id}.${attempt}.log`),
            grace: () => grace
          })
          const overlap = Effect.flatMap(Effect.orDie(child), ({ outcome }) =>
            outcome._tag === "Exited" && outcome.code === 9 ? emit({ type: "overlap", payload: null }) : Effect.never
          )
          yield* Effect.raceAll([Effect.sleep(millis), ticks, ...(hasChild ? [overlap] : [])])
          return null
        })
    })
  )
).pipe(
  Layer.provide(Cluster.Engine.layer({ address })),
  Layer.provide(ProcessRunner.layer),
  Layer.provide(Cluster.Guard.layer()),
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
          return yield* work.start({ millis: ask.millis, hasChild: ask.hasChild }, { whenFull: ask.whenFull })
        case "StartMany": {
          const starts = Effect.replicateEffect(
            Effect.either(work.start({ millis: ask.millis, hasChild: false })),
            ask.count,
            {
              concurrency: "unbounded"
            }
          )
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
        case "Held": {
          const { cluster } = yield* RunStore.RunStore
          return (yield* cluster.held(Work.kind)).map(({ address, run: { attempt, id }, runner }) => ({
            id,
            attempt,
            address: Option.isSome(runner) ? address : undefined
          }))
        }
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

NodeRuntime.runMain(main.pipe(Effect.provide(log), Effect.provideService(GuardProgram, [process.execPath, guard])), {
  disablePrettyLogger: true
})
