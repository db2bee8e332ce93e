/**
 * Begins with a job and follows it to its end: the daemon works on it if one is up, and else this process does.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/Home.js"
import type { JobId } from "../../domain/JobId.js"
import * as Jobs from "../Jobs.js"
import * as Attached from "./Attached.js"

export interface Options<E> {
  /** Starts the job, or goes on with one. */
  readonly begin: (manager: Jobs.Manager) => Effect.Effect<JobId, E>
  readonly json: boolean
}

/** Fails with a code when the job does not complete. */
export const follow = <E>({ begin, json }: Options<E>) =>
  Effect.gen(function* () {
    const daemon = yield* Jobs.daemon
    if (Option.isSome(daemon)) {
      const client = daemon.value
      return yield* Attached.follow({ host: { client, what: "daemon" }, id: yield* begin(client), json })
    }
    const [Embedded, Recorded] = yield* Effect.promise(() =>
      Promise.all([import("../Embedded.js"), import("../Recorded.js")])
    )
    yield* Embedded.follow({ begin: (manager) => Effect.flatMap(Recorded.managed(manager), begin), json })
  }).pipe(Effect.provide(Home.layerUntouched))
