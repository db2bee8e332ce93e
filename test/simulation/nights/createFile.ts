/**
 * Stands in for a part of `src/process/createFile.ts` in the bundle of the simulation, whose files have no links.
 */
import { Effect } from "effect"
import type * as createFile from "../../../src/process/createFile.js"

export const removeDetour: typeof createFile.removeDetour = () => Effect.succeed(undefined)
