/** What holds of a database whatever has happened to it. */
import { Database } from "charlotte"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Audit from "../../src/store/Audit.js"

/** Nothing is in the database that must never be in one. */
export const isSound = (options: Audit.Options = {}) =>
  Effect.map(Audit.look(options), ({ violations }) => expect(violations).toEqual([]))

/** The same of a file that nobody has open. */
export const fileIsSound = (filename: string, options: Audit.Options = {}) =>
  Effect.provide(isSound(options), Database.layer({ filename }))
