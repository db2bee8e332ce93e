/**
 * The settings of a plan, from `charlotte.yaml` in its directory.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Count, Name, RelativePath, RelativePaths, ShellCommand, ShellCommands, Span } from "../../yaml/fields.js"
import { Diagnostic } from "../../yaml/Diagnostic.js"
import * as Yaml from "../../yaml/Yaml.js"

/** @since 0.1.0 */
export const fileName = "charlotte.yaml"

/** @since 0.1.0 */
export class Limits extends Schema.Class<Limits>("charlotte/Limits")(
  {
    /** Limit on agent invocations of the whole job. */
    agentCalls: Schema.optionalWith(Count, { exact: true }),
    /** Time limit of the whole job. */
    duration: Schema.optionalWith(Span, { exact: true })
  },
  [undefined, undefined, { message: () => "must be a mapping with the keys agentCalls and duration" }]
) {}

/** @since 0.1.0 */
export class Settings extends Schema.Class<Settings>("charlotte/Settings")({
  /** A command to run in each new worktree, such as `npm ci`. */
  setup: Schema.optional(ShellCommand),
  /** Untracked files to copy into each worktree, such as `.env`; relative to the repository. */
  copy: Schema.Array(RelativePath),
  /** Commands that must pass on the merged result. */
  baseline: Schema.Array(ShellCommand),
  /** The name of the agent profile, unless the job names one. */
  agent: Schema.optional(Name),
  /** The number of attempts at a task. */
  attempts: Count,
  limits: Limits
}) {}

const keys = ["setup", "copy", "baseline", "agent", "attempts", "limits"]

/** The settings if there is no such file. */
export const defaults = new Settings({ copy: [], baseline: [], attempts: 3, limits: new Limits({}) })

/** Reads the text of the file. */
export const parse = (
  file: string,
  text: string
): { readonly settings: Settings; readonly problems: ReadonlyArray<Diagnostic> } => {
  const yaml = Yaml.parse(file, text)
  // A misspelt key would silently disable a check.
  const unknown = yaml.keys
    .filter((key) => !keys.includes(key))
    .map(
      (key) =>
        new Diagnostic({
          file,
          line: yaml.line(key),
          message: `has the unknown key "${key}": expected one of ${keys.join(", ")}`
        })
    )
  const settings = new Settings({
    setup: yaml.get("setup", ShellCommand, undefined),
    copy: yaml.get("copy", RelativePaths, []),
    baseline: yaml.get("baseline", ShellCommands, []),
    agent: yaml.get("agent", Name, undefined),
    attempts: yaml.get("attempts", Count, defaults.attempts),
    limits: yaml.get("limits", Limits, defaults.limits)
  })
  return { settings, problems: [...unknown, ...yaml.problems] }
}
