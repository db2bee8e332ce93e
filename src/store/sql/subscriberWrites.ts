/**
 * The cursors of subscribers over the session and the writer of a database.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import { type StoreError, SubscriberInUse, SubscriberNotFound } from "../../domain/errors.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { SubscriberStore } from "../port/RunStoreService.js"
import * as Page from "../rules/Page.js"
import { keepLease, makeClaim } from "../rules/subscribing.js"
import type { Connection } from "./Dialect.js"
import * as events from "./events.js"
import type { Lanes } from "./Lanes.js"
import type { Session } from "./Session.js"
import * as subscribers from "./subscribers.js"

/** What makes an instance of a subscriber the only live one. */
export interface Locking {
  /** Takes a lock of the kernel, unless another process has it. Without it, the row of the subscriber is a lease. */
  readonly lockSubscriber?: ((name: string) => Effect.Effect<boolean, StoreError, Scope.Scope>) | undefined
  /** Renews the lease of a holder outside the writer, whose queue may be long. */
  readonly renewSubscriber?: ((holder: string) => Effect.Effect<boolean, StoreError>) | undefined
}

export const make = ({
  lanes,
  lockSubscriber,
  notifier,
  renewSubscriber,
  session
}: Locking & {
  readonly session: Session
  readonly lanes: Pick<Lanes, "write">
  readonly notifier: ChangeNotifier
}): SubscriberStore => {
  const write = <A>(operation: string, body: (connection: Connection) => Effect.Effect<A, SqlError>) =>
    lanes.write<A, never>({ operation, lane: "fast", body: (batch) => Effect.flatMap(batch.connection, body) })

  const isLease = lockSubscriber === undefined
  const renew =
    renewSubscriber ??
    ((holder: string) => write("renew a subscriber", (connection) => subscribers.renew(connection, holder)))

  const tryLock: SubscriberStore["tryLock"] = (name) =>
    Effect.gen(function* () {
      if (lockSubscriber !== undefined && !(yield* lockSubscriber(name))) return Option.none()
      const holder = randomUUID()
      const isHeld = yield* write("lock a subscriber", (connection) =>
        subscribers.hold(connection, name, holder, isLease)
      )
      if (!isHeld) return Option.none()
      yield* Effect.addFinalizer(() =>
        Effect.ignoreLogged(write("release a subscriber", (connection) => subscribers.release(connection, holder)))
      )
      return Option.some(isLease ? yield* keepLease(holder, renew(holder)) : { holder, lost: Effect.never })
    }).pipe(Effect.uninterruptible)

  const requireSubscriber = (name: string) =>
    Effect.filterOrFail(
      session.read("read a subscriber", (connection) => subscribers.exists(connection, name)),
      (isThere) => isThere,
      () => new SubscriberNotFound({ subscriber: name })
    )

  return {
    claim: makeClaim(),
    tryLock,
    register: (registration) =>
      write("register a subscriber", (connection) => subscribers.register(connection, registration)),
    deliveries: ({ after, limit, ...selection }) =>
      Effect.flatMap(Page.limit("read events", { after, limit }), (limit) =>
        session.read("read events", (connection) => events.ofSelection(connection, selection, after, limit))
      ),
    progress: (query) => session.read("read a subscriber", (connection) => subscribers.progress(connection, query)),
    move: (moved) => write("move a subscriber", (connection) => subscribers.move(connection, moved)),
    failed: (failure) => write("record a failed delivery", (connection) => subscribers.failed(connection, failure)),
    putAside: (event) => write("put an event aside", (connection) => subscribers.putAside(connection, event)),
    settle: (event) => write("settle a delivery", (connection) => subscribers.settle(connection, event)),
    skipped: (name) => write("count a skipped run", (connection) => subscribers.skipped(connection, name)),
    closeGap: (gap) => write("close a gap", (connection) => subscribers.closeGap(connection, gap)),
    list: session.read("list subscribers", subscribers.list),
    retry: (retried) =>
      Effect.zipRight(
        requireSubscriber(retried.name),
        Effect.zipLeft(
          write("retry a subscriber", (connection) => subscribers.retry(connection, retried)),
          notifier.wake([])
        )
      ),
    remove: (name) =>
      Effect.gen(function* () {
        yield* requireSubscriber(name)
        if (Option.isNone(yield* tryLock(name))) return yield* new SubscriberInUse({ subscriber: name })
        yield* write("remove a subscriber", (connection) => subscribers.remove(connection, name))
      }).pipe(Effect.scoped)
  }
}
