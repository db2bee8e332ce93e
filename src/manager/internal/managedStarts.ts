/**
 * What the starts of a manager need besides a configuration: the layer of a kind may have added it to its definition, and a schedule needs
 * it, too.
 */
import type { Starts } from "../KindDefinition.js"

export const managedStarts = new WeakMap<object, Starts<never>>()
