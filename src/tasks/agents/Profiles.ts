/**
 * What a configuration file says about agents and gates:
 *
 * ```yaml
 * agents:
 *   claude: { timeout: 2 hours } # a preset, but for this
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

/** The keys that are read here. */
export const keys = ["agents", "gates"]

export interface Profiles {
  /** In no order; presets among them. */
  readonly profiles: ReadonlyArray<Profile>
  readonly gates: Gates
}

const fields = ["command", "prompt", "env", "timeout", "silence"]

const anything = Schema.Record({ key: Schema.String, value: Schema.Unknown }).annotations({
  message: () => ({ message: "must be a list of names, each with keys and values", override: true })
})

/** What is wrong in the file is among the problems, and nothing is to be made of the rest while there are any. */
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
  if (name === script) section.report(`has an agent "${script}", which is built in: give yours another name`)
  const misnamed = Either.flip(Schema.decodeEither(ProfileName)(name))
  if (Either.isRight(misnamed)) {
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(misnamed.right)
    section.report(`has an agent "${name}", whose name ${issue?.message}`)
  }

  const given = section.get("command", Command)
  const prompt = section.get("prompt", PromptWay)
  const env = section.get("env", VariableNames)
  const timeout = section.get("timeout", Span)
  const silence = section.get("silence", Span)
  if (!section.has("command")) {
    if (preset === undefined) section.report(`agents.${name} has no command: add one, such as command: [${name}, -p]`)
    // The preset's command is made for its own way.
    else if (prompt !== undefined) section.report(`agents.${name} sets prompt, but no command: set both`, "prompt")
  }
  const command = given ?? preset?.command
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

/** A placeholder that is not replaced would reach the agent as it is, without a word. */
const checkPlaceholder = ({ command, name, prompt }: Profile, { report }: YamlSection.YamlSection) => {
  for (const [index, word] of command.entries()) {
    if (!word.includes(placeholder)) continue
    if (word !== placeholder) {
      report(
        `agents.${name}.command has ${placeholder} inside of a word: it is replaced only as a word of its own`,
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
