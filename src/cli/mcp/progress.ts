/** How far a job is, as tools report it. */
import { Schema } from "effect"
import type * as words from "../../progress/progressText.js"
import * as Untrusted from "./Untrusted.js"

const Progress = Schema.Struct({
  done: Schema.NonNegativeInt,
  total: Schema.NonNegativeInt,
  text: Schema.optional(Untrusted.Untrusted)
})

export const field = Schema.optional(
  Progress.annotations({ description: "How far it is: as it has reported last, or by its tasks." })
)

export const of = (progress: words.Progress | undefined): typeof Progress.Type | undefined =>
  progress && {
    done: progress.done,
    total: progress.total,
    ...(progress.text !== undefined && { text: Untrusted.line(progress.text) })
  }
