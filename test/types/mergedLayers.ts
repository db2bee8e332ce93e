/** Merges what another module exports, and imports nothing of Charlotte. */
// @effect-diagnostics layerMergeAllWithDependencies:off
import { Effect, Layer } from "effect"
import * as Inferred from "./inferred.js"

export const all = Layer.mergeAll(
  Inferred.server,
  Inferred.client,
  Inferred.reportClient,
  Inferred.script,
  Inferred.orchestrator
)
export const both = Effect.all([Inferred.ended, Inferred.page, Inferred.state, Inferred.listed])
