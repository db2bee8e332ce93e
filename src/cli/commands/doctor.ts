/**
 * `charlotte doctor`: whether all that jobs need is there.
 */
import * as Command from "@effect/cli/Command"
import type { Effect, Option } from "effect"
import { about, json, repo } from "./parameters.js"

export interface Given {
  readonly repo: Option.Option<string>
  readonly json: boolean
}

export const make = <E, R>(doctor: (given: Given) => Effect.Effect<void, E, R>) =>
  Command.make("doctor", { repo, json }, doctor).pipe(
    Command.withDescription(
      about("Checks that all which jobs need is there, and says what to do about what is not.", "charlotte doctor")
    )
  )
