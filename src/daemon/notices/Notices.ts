/**
 * Sends notices about jobs by the commands under `notify:` in `config.yaml`. Each is a durable subscriber, so that a notice outlives a crash,
 * and no job waits for one.
 */
import { type DateTime, Deferred, Duration, Effect, ExecutionStrategy, Exit, Option, Scope } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import * as background from "../../internal/background.js"
import { now } from "../../internal/now.js"
import { poll } from "../../internal/RealClock.js"
import { subscribe } from "../../manager/internal/subscribe.js"
import { JobManager } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import { Configuration } from "../config/Configuration.js"
import type { NotifySettings } from "../config/NotifySettings.js"
import * as LockOwner from "../home/LockOwner.js"
import { Home } from "../home/Home.js"
import { Secrets } from "../home/Secrets.js"
import * as Notice from "./Notice.js"
import { NoticeCommands } from "./NoticeCommand.js"
import { remove, subscriberOf } from "./noticeSubscribers.js"

/** After so many failures, or so long, a notice is skipped. */
const mostTries = 10
const longestTry = Duration.hours(1)

/** A command that has only failed for so long is switched off until the next start. */
const switchedOffAfter = Duration.hours(24)

/** How long a run is kept for its notices: later, they are no news. */
const hold = Duration.hours(24)

/** Where the page is served, as the process that holds the home has published. */
const origin = Effect.map(LockOwner.note, Option.match({ onNone: () => undefined, onSome: ({ page }) => page?.origin }))

/** Counts the failures of a command. */
const makeTries = () => {
  let current: { readonly id: string; readonly since: DateTime.Utc; n: number } | undefined
  let failingSince: DateTime.Utc | undefined
  const isLonger = (since: DateTime.Utc, at: DateTime.Utc, than: Duration.Duration) =>
    at.epochMillis - since.epochMillis >= Duration.toMillis(than)
  return {
    succeeded: () => {
      current = undefined
      failingSince = undefined
    },
    failed: (id: string, at: DateTime.Utc): "again" | "skip" | "switch off" => {
      if (current?.id !== id) current = { id, since: at, n: 0 }
      current.n += 1
      failingSince ??= at
      if (current.n < mostTries && !isLonger(current.since, at, longestTry)) return "again"
      return isLonger(failingSince, at, switchedOffAfter) ? "switch off" : "skip"
    }
  }
}

const begin = (settings: NotifySettings) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const home = yield* Home
    const secrets = yield* Secrets
    const command = yield* (yield* NoticeCommands)(settings, "notices")
    const { name, on, reason } = settings
    const options = { on, hasReason: reason, hide: secrets.text, origin: Effect.provideService(origin, Home, home) }
    const subscriber = subscriberOf(settings)
    const isOff = yield* Deferred.make<void>()
    const tries = makeTries()

    const tell = (event: JobEvent) =>
      Effect.gen(function* () {
        const notice = yield* Notice.of(store, event, options)
        if (notice === undefined) return
        const sent = yield* Effect.exit(command.send(notice))
        if (Exit.isSuccess(sent)) return tries.succeeded()
        const next = tries.failed(notice.id, yield* now)
        if (next === "again") return yield* sent
        yield* Effect.logWarning(
          `the notice to ${name} that job ${notice.job} is ${notice.status} is skipped`,
          sent.cause
        )
        yield* store.subscribers.skipped(subscriber)
        if (next === "skip") return
        yield* Deferred.succeed(isOff, undefined)
        return yield* Effect.never
      })

    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    yield* subscribe(store, {
      name: subscriber,
      kinds: [JobManager.kind],
      types: [...new Set(on.map((occasion) => Notice.eventTypes[occasion]))],
      from: "now",
      concurrency: 1,
      // A notice is skipped long before.
      giveUp: hold,
      hold,
      handler: (item) => (item._tag === "Gap" ? Effect.void : tell(item.event))
    }).pipe(Scope.extend(scope))

    yield* background.fork(
      Effect.gen(function* () {
        yield* Deferred.await(isOff)
        yield* Scope.close(scope, Exit.void)
        yield* Effect.logError(
          `notices to ${name} are switched off until the next start: its command has failed for a day; try it with: charlotte notify test ${name}`
        )
        yield* remove(subscriber)
      })
    )
    return subscriber
  })

/** How long the end of a foreground run waits for its notices. */
const lastNotices = "10 seconds"

/**
 * Sends notices until the scope closes. Returns an effect that waits until those of all events so far are sent or skipped, and for 10
 * seconds at most.
 */
export const make = Effect.gen(function* () {
  const { notify } = yield* Configuration
  const store = yield* RunStore
  const names = yield* Effect.forEach(notify, begin)
  return Effect.gen(function* () {
    const latest = yield* store.latestCursor
    yield* poll(store.subscribers.list, {
      until: (all) =>
        all.every(({ cursor, failing, name }) => !names.includes(name) || (cursor >= latest && failing === 0)),
      pause: "20 millis",
      atMost: lastNotices
    })
  }).pipe(Effect.ignoreLogged)
}).pipe(Effect.annotateLogs("module", "Notices"))
