/**
 * Options of `charlotte start` and `charlotte run` for jobs that may have to wait: for a permit, for a time, or behind a key.
 */
import { Either } from "effect"
import * as StartTime from "../start/StartTime.js"
import * as Parameter from "../parser/Parameter.js"
import { durationOf } from "./parameters.js"

const queue = Parameter.flag("queue", {
  description: "If all permits are in use, wait for one instead of failing."
})

const maxPriority = 1_000_000

/** `otherwise`: the priority without the option. */
export const priority = (otherwise: string) =>
  Parameter.option(
    "priority",
    {
      placeholder: "N",
      description: `Of the jobs that wait for a permit, higher numbers start first: -${maxPriority} to ${maxPriority} (default: ${otherwise}).`
    },
    (text) =>
      /^-?\d{1,7}$/.test(text) && Math.abs(Number(text)) <= maxPriority
        ? Either.right(Number(text))
        : Either.left(`a whole number from -${maxPriority} to ${maxPriority}`)
  )

/** Only for `charlotte start`: a foreground run would just wait. */
export const at = Parameter.option(
  "at",
  {
    placeholder: "TIME",
    description: "Start no earlier: at 22:00 (today or tomorrow), 2026-01-31T08:00 or 2026-01-31T08:00:00Z."
  },
  StartTime.parse
)

const delay = Parameter.option(
  "delay",
  { placeholder: "DURATION", description: "Start no earlier than so long from now, such as 30s, 10min, 2h or 3d." },
  (text) =>
    Either.fromNullable(durationOf(text, ["s", "min", "h", "d", "w"]), () => "a duration, such as 30s, 10min, 2h or 3d")
)

const key = Parameter.textOption("key", {
  placeholder: "KEY",
  description:
    "At most one job holds a key, from its start to its end; the branch that receives the result is always one."
})

const onKey = Parameter.choiceOption(
  "on-key",
  "ACTION",
  ["refuse", "attach", "replace", "queue"],
  "If another job holds the key: refuse (the default), attach to that job, replace it (stop it, and start when it has ended), or queue behind it."
)

const idempotencyKey = Parameter.option(
  "idempotency-key",
  { placeholder: "KEY", description: "Make it safe to retry: the same key always means the same job." },
  (text) =>
    /^[\x21-\x7e]{1,200}$/.test(text) ? Either.right(text) : Either.left("1 to 200 visible characters of ASCII")
)

export const waiting = { queue, priority: priority("0"), delay, key, onKey, idempotencyKey }
