/**
 * The conformance suite of the engine of workflows: the behaviour of which the tests of `@effect/workflow` and of the engine of
 * `@effect/cluster` speak, and what `charlotte/workflow` promises besides. The layer creates a new, empty store for each test.
 */
import type { RunStore } from "charlotte"
import type { Layer } from "effect"
import { children } from "./conformance/children.js"
import { compensating } from "./conformance/compensating.js"
import { executing } from "./conformance/executing.js"
import { modules } from "./conformance/modules.js"
import { waiting } from "./conformance/waiting.js"

export const conformance = (layer: Layer.Layer<RunStore.RunStore>): void => {
  for (const part of [executing, waiting, compensating, children, modules]) part(layer)
}
