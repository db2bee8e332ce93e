/**
 * Checks of a database that hold after any fault.
 */
import { Database } from "charlotte"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Audit from "../../src/store/Audit.js"

/** The audit finds no violations. */
export const isSound = (options: Audit.Options = {}) =>
  Effect.map(Audit.run(options), ({ violations }) => expect(violations).toEqual([]))

/** The same for a file that is not open. */
export const fileIsSound = (filename: string, options: Audit.Options = {}) =>
  Effect.provide(isSound(options), Database.layer({ filename }))
