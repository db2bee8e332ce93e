/**
 * The agents and gates of a configuration file:
 *
 * ```yaml
 * agents:
 *   claude: { timeout: 2 hours } # overrides one field of a preset
 *   mine: { command: [my-agent, --task, "{prompt}"], prompt: file, env: [MY_KEY] }
 * gates: { env: [DATABASE_URL] }
 * ```
 */
import { Either, ParseResult, Schema } from "effect"
import type { Gates } from "../Agents.js"
import { Span } from "../../yaml/fields.js"
import type { Diagnostic } from "../../yaml/Diagnostic.js"
import type { Yaml } from "../../yaml/Yaml.js"
import { presets } from "./Presets.js"
import { Command, defaults, placeholder, Profile, ProfileName, PromptWay, script, VariableNames } from "./Profile.js"
import * as YamlSection from "../../yaml/YamlSection.js"

/** The top-level keys that this module reads. */
export const keys = ["agents", "gates"]

export interface Profiles {
  /** Unordered; includes the presets. */
  readonly profiles: ReadonlyArray<Profile>
  readonly gates: Gates
}

const fields = ["command", "prompt", "env", "timeout", "silence"]

const anything = Schema.Record({ key: Schema.String, value: Schema.Unknown }).annotations({
  message: () => ({ message: "must be a mapping of names, each with keys and values", override: true })
})

/** Reads profiles and gates. Do not use them if there are problems. */
export const read = (file: string, yaml: Yaml): Profiles & { readonly problems: ReadonlyArray<Diagnostic> } => {
  const profiles = new Map(presets.map((profile) => [profile.name, profile]))
  const problems: Array<Diagnostic> = []
  for (const [name, value] of Object.entries(yaml.get("agents", anything, {}))) {
    const section = YamlSection.read(file, yaml, ["agents", name], value, fields)
    const profile = readProfile(name, section, profiles.get(name))
    if (profile !== undefined) profiles.set(name, profile)
    problems.push(...section.problems)
  }
  const gates = YamlSection.read(file, yaml, ["gates"], yaml.get("gates", Schema.Unknown, undefined), ["env"])
  const env = gates.get("env", VariableNames) ?? []
  problems.push(...gates.problems)
  return { profiles: [...profiles.values()], gates: { env }, problems }
}

const readProfile = (
  name: string,
  section: YamlSection.YamlSection,
  preset: Profile | undefined
): Profile | undefined => {
  if (name === script) section.report(`has an agent "${script}", which is a built-in name: choose another name`)
  const misnamed = Either.flip(Schema.decodeEither(ProfileName)(name))
  if (Either.isRight(misnamed)) {
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(misnamed.right)
    section.report(`has an agent "${name}", whose name ${issue?.message}`)
  }

  const configured = section.get("command", Command)
  const prompt = section.get("prompt", PromptWay)
  const env = section.get("env", VariableNames)
  const timeout = section.get("timeout", Span)
  const silence = section.get("silence", Span)
  if (!section.has("command")) {
    if (preset === undefined) section.report(`agents.${name} has no command: add one, such as command: [${name}, -p]`)
    // The command of a preset only fits the preset's way of passing the prompt.
    else if (prompt !== undefined) section.report(`agents.${name} sets prompt, but no command: set both`, "prompt")
  }
  const command = configured ?? preset?.command
  if (command === undefined || section.problems.length > 0) return undefined

  const profile = new Profile({
    name,
    command,
    prompt: prompt ?? preset?.prompt ?? defaults.prompt,
    env: env ?? preset?.env ?? defaults.env,
    timeout: timeout ?? preset?.timeout ?? defaults.timeout,
    silence: silence ?? preset?.silence
  })
  checkPlaceholder(profile, section)
  return profile
}

/** Otherwise the agent would receive the placeholder itself. */
const checkPlaceholder = ({ command, name, prompt }: Profile, { report }: YamlSection.YamlSection) => {
  for (const [index, word] of command.entries()) {
    if (!word.includes(placeholder)) continue
    if (word !== placeholder) {
      report(
        `agents.${name}.command has ${placeholder} inside a word: it is replaced only if it is a separate word`,
        "command",
        index
      )
    } else if (prompt === "stdin") {
      report(
        `agents.${name}.command has ${placeholder}, but the prompt goes to stdin: set prompt to file or argument`,
        "command",
        index
      )
    }
  }
}
