/**
 * What a node defines under names that other nodes may have, too.
 */
import { Context } from "effect"
import type { Definitions } from "../store/port/RunStoreService.js"

export class NodeDefinitions extends Context.Reference<NodeDefinitions>()("charlotte/NodeDefinitions", {
  defaultValue: (): Definitions | undefined => undefined
}) {}
