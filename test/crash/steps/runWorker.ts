import { Effect, Layer, Logger } from "effect"

/** Runs a worker whose output is read line by line, so it logs to the standard error. */
export const runWorker = <A, E, R, E2>(worker: Effect.Effect<A, E, R>, layer: Layer.Layer<R, E2>): void =>
  void Effect.runPromise(
    Effect.provide(
      worker,
      Layer.provideMerge(layer, Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
    )
  )
