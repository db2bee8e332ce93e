/**
 * The conformance suite of `RunStore` implementations. The layer creates a new, empty store for each test.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { RunStore } from "charlotte"
import type { Layer } from "effect"
import { agentLimits } from "./conformance/agentLimits.js"
import { attaching } from "./conformance/attaching.js"
import { changing } from "./conformance/changing.js"
import { cluster } from "./conformance/cluster.js"
import { decisions } from "./conformance/decisions.js"
import { events } from "./conformance/events.js"
import { groups } from "./conformance/groups.js"
import { pausing } from "./conformance/pausing.js"
import { questions } from "./conformance/questions.js"
import { reading } from "./conformance/reading.js"
import { producing } from "./conformance/producing.js"
import { retrying } from "./conformance/retrying.js"
import { searching } from "./conformance/searching.js"
import { recovery } from "./conformance/recovery.js"
import { rescheduling } from "./conformance/rescheduling.js"
import { removal } from "./conformance/removal.js"
import { retention } from "./conformance/retention.js"
import { shares } from "./conformance/shares.js"
import { scheduling } from "./conformance/scheduling.js"
import { children } from "./conformance/children.js"
import { progressOfRuns } from "./conformance/progress.js"
import { steps } from "./conformance/steps.js"
import { stopping } from "./conformance/stopping.js"
import { subscribers } from "./conformance/subscribers.js"
import { vocabulary } from "./conformance/vocabulary.js"
import { watching } from "./conformance/watching.js"
import { work } from "./conformance/work.js"

export const conformance = (layer: Layer.Layer<RunStore.RunStore | SqlClient.SqlClient>): void => {
  for (const part of [
    reading,
    changing,
    attaching,
    events,
    groups,
    pausing,
    rescheduling,
    recovery,
    removal,
    retention,
    retrying,
    searching,
    vocabulary,
    watching,
    work,
    agentLimits,
    questions,
    children,
    steps,
    progressOfRuns,
    decisions,
    stopping,
    cluster,
    shares,
    producing,
    scheduling,
    subscribers
  ]) {
    part(layer)
  }
}
