/**
 * The jobs of `cluster.ts`, and a node that runs them.
 */
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { ProcessRunner } from "charlotte/tasks"
import { Effect, Layer, Schema } from "effect"
import { join, resolve } from "node:path"
import { GuardProgram } from "../../src/cluster/guard/GuardProgram.js"
import { text } from "../harness/Subject.js"

export class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ does: Schema.Literal("wait", "tick", "child") }),
  events: { tick: Schema.Struct({ at: Schema.Number }) }
}) {}

export const wall = () => performance.timeOrigin + performance.now()

/** The file with the id of a child process. */
export const pidFile = (id: string) => join(text("root"), id)

const guard = [
  process.execPath,
  "--import",
  import.meta.resolve("tsx"),
  resolve("src/cluster/guard/program.ts")
] as const

export const nodeOf = (url: string, address: string) =>
  Layer.unwrapEffect(
    Effect.map(ProcessRunner.ProcessRunner, (runner) =>
      Cluster.JobKind.layerCluster(Work, {
        maxJobs: 30,
        capacity: 30,
        recover: (id) => runner.recover(id),
        run: ({ attempt, config: { does }, emit, grace, id }) => {
          if (does === "wait") return Effect.never
          if (does === "tick") {
            return Effect.forever(
              Effect.delay(
                Effect.suspend(() => emit({ type: "tick", payload: { at: wall() } })),
                20
              )
            )
          }
          return runner.run({
            jobId: id,
            attempt,
            purpose: "child",
            command: ["sh", "-c", 'echo $$ > "$FILE"; exec sleep 600'],
            cwd: text("root"),
            env: { FILE: pidFile(id) },
            output: `${pidFile(id)}.${attempt}.log`,
            grace: () => grace
          })
        }
      })
    )
  ).pipe(
    Layer.provide(Cluster.Engine.layer({ address })),
    Layer.provide(ProcessRunner.layer),
    Layer.provide(Cluster.Guard.layer()),
    Layer.provide(Layer.succeed(GuardProgram, guard)),
    Layer.provideMerge(RunStore.layer),
    Layer.provide(Database.layerPostgres({ url }))
  )

export const held = Effect.flatMap(RunStore.RunStore, ({ cluster }) => cluster.held(Work.kind))

/** The jobs with the addresses of their nodes, once there are `count` and `isSo` holds for each address. */
export const taken = (count: number, isSo: (address: string) => boolean = () => true) =>
  Effect.map(
    Effect.repeat(Effect.delay(held, 10), {
      until: (all) =>
        all.length === count && all.every(({ address = "", runner }) => runner._tag === "Some" && isSo(address))
    }),
    (all) => all.map(({ address = "", run: { id } }) => ({ id, address }))
  )

export const start = (does: "wait" | "tick" | "child", count: number) =>
  Effect.flatMap(Work, (work) => Effect.replicateEffect(work.start({ does }), count))

export const stopAll = Effect.flatMap(Work, (work) => work.stopAll)
