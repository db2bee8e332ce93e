/**
 * A process that is one node, until SIGTERM. It answers requests, a line of JSON each.
 */
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { JobsApi, Server } from "charlotte/http"
import { ProcessRunner } from "charlotte/tasks"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Chunk, Clock, Effect, Exit, Layer, Logger, Option, Schedule, Schema, Scope, Stream } from "effect"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { GuardProgram } from "../../../src/cluster/guard/GuardProgram.js"
import { Request, Response, type Seen, Settings } from "./protocol.js"

const { address, directory, guard, http, listen, maxJobs, url } = Schema.decodeUnknownSync(Settings)(process.argv[2])

class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ millis: Schema.Int, hasChild: Schema.Boolean }),
  events: {
    begun: Schema.Struct({ address: Schema.String, attempt: Schema.Int }),
    /** The attempt. */
    tick: Schema.Int,
    overlap: Schema.Null,
    /** The child process has ended by itself. */
    childless: Schema.Null
  }
}) {}

/** Holds the lock of the job for as long as it lives, whatever becomes of its parent; fails where another process holds it. */
const hold = [
  "sh",
  "-c",
  'exec 9>"$LOCK"; flock -n 9 || exit 9; trap "" TERM INT HUP; while :; do sleep 0.1; done'
] as const

const work = Layer.unwrapEffect(
  Effect.map(ProcessRunner.ProcessRunner, (runner) =>
    Cluster.JobKind.layerCluster(Work, {
      maxJobs,
      stopGrace: "1 second",
      recover: (id, attempt) => runner.recover(id, attempt),
      run: ({ attempt, config: { hasChild, millis }, emit, grace, id }) =>
        Effect.gen(function* () {
          yield* emit({ type: "begun", payload: { address, attempt } })
          const ticks = Effect.forever(Effect.zipRight(Effect.sleep(200), emit({ type: "tick", payload: attempt })))
          const child = runner.run({
            jobId: id,
            attempt,
            // Named by its attempt: a job whose manager dies three times in a row during the same command fails.
            purpose: `child of attempt ${attempt}`,
            command: hold,
            cwd: directory,
            env: { LOCK: join(directory, id) },
            output: join(directory, `${id}.${attempt}.log`),
            grace: () => grace
          })
          const overlap = child.pipe(
            Effect.flatMap(({ outcome }) =>
              emit({
                type: outcome._tag === "Exited" && outcome.code === 9 ? "overlap" : "childless",
                payload: null
              })
            ),
            // Without its database the node is about to let go of the job.
            Effect.ignore,
            Effect.zipRight(Effect.never)
          )
          yield* Effect.raceAll([Effect.sleep(millis), ticks, ...(hasChild ? [overlap] : [])])
          return null
        })
    })
  )
).pipe(
  Layer.provide(Cluster.Engine.layer({ address, listen })),
  Layer.provide(ProcessRunner.layer),
  Layer.provide(Cluster.Guard.layer())
)

const served = (socket: string) => Server.layer({ api: JobsApi.make([Work]), listen: { socket } })

const layer = (http === undefined ? Layer.empty : served(http)).pipe(
  Layer.provideMerge(work),
  Layer.provideMerge(RunStore.layer),
  Layer.provide(Database.layerPostgres({ url }))
)

const write = Schema.encodeSync(Schema.parseJson(Response))
const read = Schema.decodeSync(Schema.parseJson(Request))
const say = (response: typeof Response.Type) => process.stdout.write(`${write(response)}\n`)

const main = Effect.gen(function* () {
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
  const followers: Array<Array<typeof Seen.Type>> = []
  const services = yield* Layer.buildWithScope(layer, scope)
  const answer = ({ ask }: typeof Request.Type) =>
    Effect.gen(function* () {
      const work = yield* Work
      switch (ask._tag) {
        case "Start":
          return yield* work.start(
            { millis: ask.millis, hasChild: ask.hasChild },
            { whenFull: ask.whenFull, idempotencyKey: ask.idempotencyKey }
          )
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
        case "Follow": {
          const seen: Array<typeof Seen.Type> = []
          const { after, id } = ask
          let last = after
          // Without its database a stream fails; it is continued where it has ended.
          const events = Stream.suspend(() =>
            id === undefined ? work.allEvents({ after: last }) : work.events(id, { after: last })
          )
          const follow = Stream.runForEach(events, ({ at, cursor, jobId, seq, type }) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              last = id === undefined ? cursor : seq
              seen.push({ line: `${cursor} ${jobId} ${seq} ${type}`, late: now - at.epochMillis })
            })
          )
          yield* Effect.forkDaemon(Effect.retry(follow, Schedule.spaced("500 millis")))
          return followers.push(seen) - 1
        }
        case "Seen":
          return followers[ask.follower]?.slice(ask.from)
        case "Held": {
          const { cluster } = yield* RunStore.RunStore
          return (yield* cluster.held(Work.kind)).map(({ address, run: { attempt, id }, runner }) => ({
            id,
            attempt,
            address: Option.isSome(runner) ? address : undefined
          }))
        }
        case "Health":
          return yield* Effect.map(work.health, ({ healthy }) => ({ healthy }))
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

NodeRuntime.runMain(
  main.pipe(Effect.scoped, Effect.provide(log), Effect.provideService(GuardProgram, [process.execPath, guard])),
  {
    disablePrettyLogger: true
  }
)
