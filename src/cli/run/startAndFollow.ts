/**
 * Starts or resumes a job and follows it to its end: through the daemon if one is running, else in this process.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as JobSource from "../target/JobSource.js"
import type * as Follow from "./Follow.js"
import * as followRemote from "./followRemote.js"
import { ringBell } from "./ringBell.js"

export interface Options<E> {
  /** Starts or resumes a job. */
  readonly begin: (manager: JobSource.Manager) => Effect.Effect<Follow.Begun, E>
  readonly json: boolean
}

/** Quits with the exit code of a job that does not complete. */
export const follow = <E>({ begin, json }: Options<E>) =>
  Effect.gen(function* () {
    const daemon = yield* JobSource.daemon
    if (Option.isSome(daemon)) {
      const host = daemon.value
      return yield* followRemote.follow({ host, ...(yield* begin(host.client)), json })
    }
    const [Embedded, Recorded] = yield* Effect.promise(() =>
      Promise.all([import("./runInProcess.js"), import("../offline/OfflineJobs.js")])
    )
    yield* Embedded.follow({ begin: (manager) => Effect.flatMap(Recorded.managed(manager), begin), json })
  }).pipe((following) => (json ? following : ringBell(following)), Effect.provide(Home.layerUntouched))
