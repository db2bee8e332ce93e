/**
 * `charlotte summary`: what needs a person, and what has happened.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import * as StartTime from "../start/StartTime.js"
import type { Since } from "../summary/summary.js"
import { durationOf, json } from "./parameters.js"

const all = Parameter.flag("all", { description: "The jobs of other repositories, too." })

const since = Parameter.option(
  "since",
  {
    placeholder: "TIME",
    description: "From when on to report what has ended, such as 12h, 22:00 or 2026-01-31T08:00 (default: 24h)."
  },
  (text): Either.Either<Since, string> => {
    const duration = durationOf(text, ["min", "h", "d", "w"])
    return duration === undefined
      ? Either.mapLeft(
          StartTime.parse(text),
          () => "a duration such as 12h, or a time such as 22:00 or 2026-01-31T08:00"
        )
      : Either.right(duration)
  }
)

export const summary = CommandTree.command(
  {
    description:
      "Show what needs you and what has happened. First come the jobs of any age that need you, with the command that helps; then what has landed or failed in the last 24 hours, and what runs and waits. Inside a repository, this is about its jobs; there, charlotte alone on a terminal shows the same.",
    example: "charlotte summary --since 22:00",
    parameters: { since, all, json }
  },
  async () => (await import("../summary/summary.js")).summary
)
