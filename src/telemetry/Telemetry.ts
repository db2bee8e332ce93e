/**
 * Exports traces, metrics and logs by OTLP if the standard `OTEL_*` variables are set; otherwise, none of this is loaded.
 */
import { Context, Effect } from "effect"
import * as Metrics from "../http/server/Metrics.js"
import { ParentEnvironment } from "../process/ChildEnvironment.js"
import type * as Otlp from "./Otlp.js"
import * as Settings from "./Settings.js"

/** Whether logs are exported. */
export class ExportsLogs extends Context.Reference<ExportsLogs>()("charlotte/telemetry/ExportsLogs", {
  defaultValue: (): boolean => false
}) {}

export interface Options extends Otlp.Options {
  /** Receives a line for each unusable variable. */
  readonly onProblem: (problem: string) => Effect.Effect<void>
}

/** Exports the telemetry of an effect, and sends the rest at its end. */
export const exported =
  (options: Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const { problems, settings } = Settings.read(yield* ParentEnvironment)
      yield* Effect.forEach(problems, options.onProblem, { discard: true })
      if (settings === undefined) return yield* effect
      const { layer } = yield* Effect.promise(() => import("./Otlp.js"))
      return yield* effect.pipe(
        Effect.provideService(Metrics.RefreshInterval, settings.targets.metrics && settings.intervals.metrics),
        Effect.provideService(ExportsLogs, settings.targets.logs !== undefined),
        Effect.provide(layer(settings, options))
      )
    })
