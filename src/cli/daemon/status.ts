/**
 * `charlotte daemon status`: what holds the home, where it listens, and whether it is ready.
 */
import { Effect, Option } from "effect"
import * as DatabaseChoice from "../../daemon/config/DatabaseChoice.js"
import * as HomeDatabase from "../../daemon/home/HomeDatabase.js"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import * as Home from "../../daemon/home/Home.js"
import * as JobClient from "../../http/client/JobClient.js"
import { ensureResponding } from "./ensureResponding.js"
import * as render from "./render.js"
import * as ExitCode from "../errors/ExitCode.js"

export const status = (manner: render.Manner) =>
  Effect.gen(function* () {
    const holder = yield* LockOwner.find
    const { code, problems } = Option.isSome(holder) ? yield* check(holder.value) : none
    const database = yield* databaseOf(holder)
    yield* render.status({ database, holder, problems, token: (yield* Home.Home).token }, manner)
    if (code !== ExitCode.completed) return yield* new ExitCode.Quit({ code })
  }).pipe(Effect.provide(Home.layerUntouched))

const databaseOf = (holder: Option.Option<LockOwner.LockOwner>) =>
  Option.match(holder, {
    onNone: () => Effect.option(HomeDatabase.chosenToRead),
    onSome: ({ database = "sqlite" }) => Effect.option(DatabaseChoice.parse(database))
  })

interface Condition {
  /** Why it is not ready. */
  readonly problems: ReadonlyArray<string>
  readonly code: number
}

const none: Condition = { problems: [], code: ExitCode.unavailable }

const notReady = (...problems: ReadonlyArray<string>): Condition => ({ problems, code: ExitCode.failed })

const check = (holder: LockOwner.LockOwner) =>
  Effect.gen(function* () {
    if (holder.ending === true) return notReady("shutting down; not listening any more")
    if (holder.addresses === undefined) return notReady("starting; not listening yet")
    const { socket } = yield* Home.Home
    const client = yield* JobClient.make({ socket })
    yield* ensureResponding(holder, client)
    return yield* Effect.timeoutTo(client.ready, {
      duration: responseTimeout,
      onSuccess: (): Condition => ({ problems: [], code: ExitCode.completed }),
      onTimeout: () => notReady("its checks take longer than 5 seconds; see: charlotte doctor")
    })
  }).pipe(
    Effect.scoped,
    Effect.catchTags({
      NotResponding: ({ problem }) => Effect.succeed<Condition>({ problems: [problem], code: ExitCode.busy }),
      NotReady: ({ problems }) => Effect.succeed(notReady(...problems)),
      DaemonNotRunning: ({ address }) =>
        Effect.succeed(notReady(`not listening on ${address} any more; restart it with: charlotte daemon restart`))
    }),
    Effect.catchAll(({ message }) => Effect.succeed(notReady(message)))
  )

const responseTimeout = "5 seconds"
