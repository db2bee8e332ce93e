/**
 * A worker that starts jobs until it is killed, or a subscriber, on the database of the second argument. Each says what its handler
 * gets, before the handler ends; that of the subscriber takes as many milliseconds as the third argument says.
 */
import { Database, JobKind, RunStore, Subscriber } from "charlotte"
import { Effect, Layer, Logger, Schema } from "effect"

const [role = "", filename = "", pause = "0"] = process.argv.slice(2)

class Note extends JobKind.Tag<Note>()("note", { config: Schema.Struct({ n: Schema.Int }) }) {}

/** Writing to a pipe returns once the text is in the pipe. */
const say = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const notes = Note.layer({
  maxJobs: 4,
  run: ({ config: { n }, emit }) =>
    Effect.zipRight(emit({ type: "note.written" }), n % 3 === 0 ? Effect.fail("no") : Effect.void),
  onEnd: ({ id }) => say(`ended ${id}`)
})

const worker = Effect.gen(function* () {
  const work = yield* Note
  yield* say("ready")
  for (let n = 0; ; n++) yield* work.await(yield* work.start({ n }, { whenFull: "queue" }))
}).pipe(Effect.provide(Layer.provide(notes, store)))

/** Its jobs are over, and it starts none. */
const rest = Effect.zipRight(say("ready"), Effect.never).pipe(Effect.provide(Layer.provide(notes, store)))

const subscriber = Effect.zipRight(say("ready"), Effect.never).pipe(
  Effect.provide(
    Subscriber.layer("all", { from: "start" }, (received) =>
      Effect.delay(say(received._tag === "Gap" ? "gap" : `handled ${received.event.cursor}`), Number(pause))
    ).pipe(Layer.provide(store))
  )
)

const roles: { readonly [role: string]: Effect.Effect<never, unknown> } = { worker, rest, subscriber }

void Effect.runPromise(
  (roles[role] ?? Effect.dieMessage(`no role ${role}`)).pipe(
    Effect.scoped,
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
  )
)
