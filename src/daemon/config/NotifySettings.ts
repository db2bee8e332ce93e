/**
 * The commands that send notices about jobs:
 *
 * ```yaml
 * notify:
 *   phone: { run: [ntfy-send], on: [needs-answer, failed], env: [NTFY_TOKEN], reason: true }
 * ```
 */
import { Schema } from "effect"
import { Command, VariableNames } from "../../tasks/agents/Profile.js"
import type { Decoded } from "../../yaml/decodeYaml.js"
import { mapping, optional, Switch, withDefault } from "../../yaml/fields.js"

/** What a notice can be about; `parked`: a job waits for a person for another reason than a question or an approval. */
export const occasions = ["needs-answer", "needs-approval", "parked", "failed", "completed"] as const
export type Occasion = (typeof occasions)[number]

const message = `must be one of ${occasions.join(", ")}`

const Section = mapping({
  run: optional(Command),
  on: optional(
    Schema.Array(
      Schema.Literal(...occasions).annotations({ message: () => ({ message, override: true }) })
    ).annotations({ message: () => `must be a list, such as [needs-answer, failed]` })
  ),
  env: optional(VariableNames),
  reason: optional(Switch)
})

/** The key of the file that this module reads. */
export const fields = {
  notify: withDefault(
    Schema.Record({ key: Schema.String, value: Section }).annotations({
      message: () => "must be a mapping of names, each with keys and values"
    }),
    () => ({})
  )
}

export interface NotifySettings {
  readonly name: string
  readonly run: typeof Command.Type
  readonly on: ReadonlyArray<Occasion>
  /** Names of variables that the command inherits, besides the few that every process gets. */
  readonly env: ReadonlyArray<string>
  /** Whether notices say why. */
  readonly reason: boolean
}

/** Of files and subscribers. */
const namePattern = /^[a-z][a-z0-9-]{0,31}$/

/** Reads the commands, and reports what the schemas do not; do not use them if there are problems. */
export const read = ({
  isMissing,
  report,
  value
}: Decoded<Schema.Struct.Type<typeof fields>>): ReadonlyArray<NotifySettings> =>
  Object.entries(value.notify).flatMap(([name, { env = [], on = occasions, reason = false, run }]) => {
    if (!namePattern.test(name)) {
      const expected = "a lower-case letter and up to 31 further ones, digits and hyphens"
      report(`has a notify "${name}", whose name must be ${expected}`, "notify", name)
    }
    if (isMissing("notify", name, "run"))
      report(`notify.${name} has no command: add one, such as run: [ntfy-send]`, "notify", name)
    return run === undefined ? [] : [{ name, run, on, env, reason }]
  })
