/**
 * A worker, or a producer that starts jobs until it is killed, on the database of the second argument. A producer says each start that
 * was acknowledged, and why another was not.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Logger } from "effect"
import { performance } from "node:perf_hooks"
import { Mail } from "./Mail.js"

const [role = "", filename = "", name = ""] = process.argv.slice(2)

/** How many starts of a producer run at the same time. */
const concurrency = 4

/** Writing to a pipe returns once the text is in the pipe. */
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const worker = Effect.zipRight(say("ready"), Effect.never).pipe(
  Effect.provide(
    Layer.provide(Mail.layer({ maxJobs: 20, run: ({ config: { to } }) => Effect.succeed({ sentTo: to }) }), store)
  )
)

const producer = Effect.gen(function* () {
  const mails = yield* Mail.Producer
  let next = 0
  yield* say("ready")
  const start = Effect.gen(function* () {
    const to = `${name}-${(next += 1)}`
    const begun = performance.now()
    yield* Effect.matchEffect(mails.start({ to }), {
      onSuccess: (id) => say(`started ${id} ${to}`),
      onFailure: (error) => say(`refused ${Math.round(performance.now() - begun)} ${error._tag} ${error.message}`)
    })
  })
  yield* Effect.all(
    Array.from({ length: concurrency }, () => Effect.forever(start)),
    { concurrency: "unbounded" }
  )
}).pipe(Effect.provide(Layer.provide(Mail.producer, store)))

void Effect.runPromise(
  (role === "worker" ? worker : producer).pipe(
    Effect.scoped,
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
  )
)
