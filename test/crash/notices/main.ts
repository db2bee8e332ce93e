/**
 * A manager on the home of the first argument that sends notices, and runs as many jobs as the second argument says; each fails. It says
 * when one has ended.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import { Effect, Layer, Logger } from "effect"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as Secrets from "../../../src/daemon/home/Secrets.js"
import * as Notices from "../../../src/daemon/notices/Notices.js"
import { config } from "../../support/jobs.js"

const [home = "", jobs = "0"] = process.argv.slice(2)

const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const services = JobManager.layer({ maxJobs: 4 }).pipe(
  Layer.provide(
    Layer.succeed(Orchestrator.Orchestrator, Orchestrator.Orchestrator.of({ run: () => Effect.fail("no") }))
  ),
  Layer.provideMerge(RunStore.layer),
  Layer.provideMerge(Database.layer({ filename: `${home}/charlotte.db` })),
  Layer.provideMerge(Secrets.layer),
  Layer.provideMerge(Configuration.layer),
  Layer.provideMerge(Home.layerAt(home)),
  Layer.provideMerge(NodeContext.layer)
)

const main = Effect.gen(function* () {
  yield* Effect.asVoid(Notices.make)
  yield* say("ready")
  const manager = yield* JobManager.JobManager
  const run = Effect.flatMap(manager.start(config, { whenFull: "queue" }), manager.await)
  yield* Effect.replicateEffect(Effect.zipRight(run, say("ended")), Number(jobs), { concurrency: 4, discard: true })
  return yield* Effect.never
})

void Effect.runPromise(
  main.pipe(
    Effect.scoped,
    Effect.provide(
      Layer.merge(services, Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
    )
  )
)
