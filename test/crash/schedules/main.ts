/**
 * A process with a schedule, on the database of the second argument: the manager of its jobs, a node of several, or a process beside them.
 * The jobs say their ticks. From the time in the third argument on, an hour of the schedule passes in 0.6 seconds; unless the fourth
 * argument is 0, its clock is set an hour ahead or back again and again.
 */
import { Database, JobKind, Runs, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { type DateTime, Duration, Effect, Layer, Logger, Schedule, Schema } from "effect"
import * as schedule from "../../../src/manager/internal/schedule.js"
import * as Random from "../../simulation/Random.js"
import { clockOf } from "../../support/clockOf.js"

const [role = "", database = "", origin = "0", seed = "0", address = ""] = process.argv.slice(2)

const starts = {
  config: Schema.Struct({ tick: Schema.Number }),
  // The jobs of other ticks do not wait for the job of a node that is killed.
  key: ({ tick }: { readonly tick: number }) => String(tick)
}

class Report extends JobKind.Tag<Report>()("report", starts) {}

/** Writing to a pipe returns once the text is in the pipe. */
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const speed = 6_000
const hour = 3_600_000

const random = Random.make(Number(seed))
let ahead = 0
const setClock = () => {
  ahead = random.pick([-hour, 0, hour])
  setTimeout(setClock, random.between(100, 1_500))
}
if (seed !== "0") setClock()

const now = () => Number(origin) + (Date.now() - Number(origin)) * speed + ahead

const clock = clockOf(now, (duration) =>
  Effect.async((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Duration.toMillis(duration) / speed)
    return Effect.sync(() => clearTimeout(timer))
  })
)

const often = {
  cron: "*/10 * * * *",
  timeZone: "Europe/Berlin",
  overlap: "queue",
  config: ({ epochMillis }: DateTime.Utc) => ({ tick: epochMillis })
} as const

const options = {
  run: ({ config: { tick }, id }: { readonly config: { readonly tick: number }; readonly id: string }) =>
    say(`ran ${tick} ${id}`),
  retention: { completed: 0 }
}

/** Prunes the jobs that have ended. */
const pruning = Layer.scopedDiscard(
  Effect.flatMap(Runs.Runs, ({ prune }) =>
    Effect.forkScoped(Effect.repeat(prune({ kind: Report.kind }), Schedule.spaced("200 millis")))
  )
)

/** The schedule has the hurried clock, and the manager the clock of the machine. */
const ticking = <E, R>(schedule: Layer.Layer<never, E, R>) =>
  Layer.scopedContext(Effect.withClock(Layer.build(schedule), clock))

const scheduled = Layer.merge(ticking(Report.schedule("often", often)), pruning)

const roles = {
  manager: Layer.provide(scheduled, Report.layer(options)),
  node: Layer.provide(scheduled, Cluster.JobKind.layerCluster(Report, options)).pipe(
    Layer.provide(Cluster.Engine.layer({ address }))
  ),
  beside: ticking(Layer.scopedDiscard(schedule.make({ kind: Report.kind, ...starts }, "often", often)))
}

const stored = RunStore.layer.pipe(
  Layer.provideMerge(
    database.startsWith("postgres") ? Database.layerPostgres({ url: database }) : Database.layer({ filename: database })
  )
)

const lived = (layer: (typeof roles)[keyof typeof roles]) =>
  Effect.zipRight(say("ready"), Effect.never).pipe(Effect.provide(Layer.provide(layer, stored)))

void Effect.runPromise(
  (role === "manager" ? lived(roles.manager) : role === "node" ? lived(roles.node) : lived(roles.beside)).pipe(
    Effect.scoped,
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
  )
)
