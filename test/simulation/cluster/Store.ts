/**
 * The store of a node on the database that all nodes share, and the notices of what others have committed: these come late, or not at
 * all, and then a poll makes up for them.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Layer } from "effect"
import type { StoreError } from "../../../src/domain/errors.js"
import { JobId } from "../../../src/domain/JobId.js"
import * as ChangeNotifier from "../../../src/store/port/ChangeNotifier.js"
import * as RunStore from "../../../src/store/RunStore.js"
import { unguarded } from "../../../src/store/sql/Guard.js"
import { openSession } from "../../../src/store/openSession.js"
import * as SqlRunStore from "../../../src/store/sql/SqlRunStore.js"
import type { Life } from "../Life.js"
import type { Machine } from "../Machine.js"

export interface Notices {
  readonly listen: (life: Life, notifier: ChangeNotifier.ChangeNotifier) => void
  /** A process has committed events of jobs. */
  readonly send: (from: Life, jobIds: ReadonlyArray<string>) => void
}

const pollInterval = 1_000

export const makeNotices = ({ random }: Machine): Notices => {
  const listeners = new Map<Life, { readonly notifier: ChangeNotifier.ChangeNotifier; hasMissed: boolean }>()

  const poll = (life: Life): void =>
    void life.after(pollInterval, () => {
      const listener = listeners.get(life)
      if (listener?.hasMissed === true) {
        listener.hasMissed = false
        life.fork(listener.notifier.wakeAll)
      }
      poll(life)
    })

  return {
    listen: (life, notifier) => {
      listeners.set(life, { notifier, hasMissed: false })
      poll(life)
    },
    send: (from, jobIds) => {
      for (const [life, listener] of listeners) {
        if (!life.isAlive()) listeners.delete(life)
        else if (life === from) continue
        else if (random.chance(0.2)) listener.hasMissed = true
        else {
          const delay = random.chance(0.5) ? 0 : random.between(0, 300)
          life.after(delay, () => life.fork(listener.notifier.wake(jobIds.map((id) => JobId.make(id)))))
        }
      }
    }
  }
}

/** As that on PostgreSQL. */
export const layer = (notices: Notices, life: Life): Layer.Layer<RunStore.RunStore, StoreError, SqlClient.SqlClient> =>
  Layer.scoped(
    RunStore.RunStore,
    Effect.gen(function* () {
      const session = yield* openSession
      const notifier = yield* ChangeNotifier.make
      notices.listen(life, notifier)
      return yield* SqlRunStore.make({
        session,
        application: session,
        notifier,
        guard: unguarded,
        isWritable: false,
        isShared: true,
        spansMachines: true,
        watch: () => Effect.void,
        watchChanges: () => Effect.void,
        acquire: () => () => Effect.dieMessage("the jobs of a cluster have no owner")
      })
    })
  )
