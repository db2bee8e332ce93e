/**
 * The agents and gates of a configuration file:
 *
 * ```yaml
 * agents:
 *   claude: { timeout: 2 hours } # overrides one field of a preset
 *   mine: { command: [my-agent, --task, "{prompt}"], prompt: file, env: [MY_KEY] }
 * gates: { env: [DATABASE_URL], timeout: 2 hours }
 * ```
 */
import { Either, ParseResult, Schema } from "effect"
import { basename } from "node:path"
import type { Gates } from "../Agents.js"
import type { Decoded } from "../../yaml/decodeYaml.js"
import { Count, mapping, optional, Span, withDefault } from "../../yaml/fields.js"
import { presets } from "./Presets.js"
import {
  Command,
  defaults,
  Format,
  LimitPattern,
  ModelWords,
  placeholder,
  Prices,
  Profile,
  ProfileName,
  PromptWay,
  script,
  sessionPlaceholder,
  VariableNames
} from "./Profile.js"

const Section = mapping({
  command: optional(Command),
  resume: optional(Command),
  model: optional(ModelWords),
  prompt: optional(PromptWay),
  format: optional(Format),
  wrap: optional(Command),
  env: optional(VariableNames),
  timeout: optional(Span),
  silence: optional(Span),
  concurrency: optional(Count),
  prices: optional(Prices),
  limits: optional(
    Schema.Array(LimitPattern).annotations({ message: () => "must be a list of mappings with a class and a pattern" })
  )
})

type Section = typeof Section.Type

/** The keys of the file that this module reads. */
export const fields = {
  agents: withDefault(
    Schema.Record({ key: Schema.String, value: Section }).annotations({
      message: () => "must be a mapping of names, each with keys and values"
    }),
    () => ({})
  ),
  gates: withDefault(mapping({ env: optional(VariableNames), timeout: optional(Span) }), () => ({}))
}

export interface Profiles {
  /** Unordered; includes the presets. */
  readonly profiles: ReadonlyArray<Profile>
  readonly gates: Gates
}

type File = Decoded<Schema.Struct.Type<typeof fields>>

/** Reads profiles and gates, and reports what the schemas do not; do not use them if there are problems. */
export const read = (file: File): Profiles => {
  const { agents, gates } = file.value
  const profiles = new Map(presets.map((profile) => [profile.name, profile]))
  for (const [name, section] of Object.entries(agents)) {
    const profile = readProfile(name, section, profiles.get(name), file)
    if (profile !== undefined) profiles.set(name, profile)
  }
  return { profiles: [...profiles.values()], gates: { env: [], ...gates } }
}

const readProfile = (
  name: string,
  {
    command: configured,
    concurrency,
    env,
    format,
    limits,
    model,
    prices,
    prompt,
    resume: configuredResume,
    silence,
    timeout,
    wrap
  }: Section,
  preset: Profile | undefined,
  file: File
): Profile | undefined => {
  const report: File["report"] = (message, ...path) => file.report(message, "agents", name, ...path)
  if (name === script) report(`has an agent "${script}", which is a built-in name: choose another name`)
  const misnamed = Either.flip(Schema.decodeEither(ProfileName)(name))
  if (Either.isRight(misnamed)) {
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(misnamed.right)
    report(`has an agent "${name}", whose name ${issue?.message}`)
    return undefined
  }

  if (file.isMissing("agents", name, "command")) {
    if (preset === undefined) report(`agents.${name} has no command: add one, such as command: [${name}, -p]`)
    // The command of a preset only fits the preset's way of passing the prompt.
    else if (prompt !== undefined) report(`agents.${name} sets prompt, but no command: set both`, "prompt")
  }
  const command = configured ?? preset?.command
  if (command === undefined) return undefined
  // The command of a preset that resumes a session fits only the preset's own command.
  const resume = configuredResume ?? (configured === undefined ? preset?.resume : undefined)

  const profile = new Profile({
    name,
    command,
    ...(resume !== undefined && { resume }),
    // The words of a preset only fit its command.
    model: model ?? (configured === undefined ? preset?.model : undefined),
    prompt: prompt ?? preset?.prompt ?? defaults.prompt,
    format: format ?? preset?.format ?? defaults.format,
    ...(wrap !== undefined && { wrap }),
    env: env ?? preset?.env ?? defaults.env,
    timeout: timeout ?? preset?.timeout ?? defaults.timeout,
    silence: silence ?? preset?.silence,
    concurrency: concurrency ?? preset?.concurrency,
    prices,
    ...(limits !== undefined && { limits })
  })
  checkPlaceholder(profile, "command", report)
  checkPlaceholder(profile, "resume", report)
  if (configuredResume !== undefined) checkSession(profile, report)
  checkWrap(profile, report)
  return profile
}

/** Otherwise the agent would receive the placeholder itself. */
const checkPlaceholder = (profile: Profile, key: "command" | "resume", report: File["report"]) => {
  const { name, prompt } = profile
  for (const [index, word] of (profile[key] ?? []).entries()) {
    if (!word.includes(placeholder)) continue
    if (word !== placeholder) {
      report(
        `agents.${name}.${key} has ${placeholder} inside a word: it is replaced only if it is a separate word`,
        key,
        index
      )
    } else if (prompt === "stdin") {
      report(
        `agents.${name}.${key} has ${placeholder}, but the prompt goes to stdin: set prompt to file or argument`,
        key,
        index
      )
    }
  }
}

/** Without it, what is in the sandbox would outlive bubblewrap. */
const checkWrap = ({ name, wrap }: Profile, report: File["report"]) => {
  if (wrap === undefined) return
  const [program] = wrap
  if (basename(program) === "bwrap" && !wrap.includes("--die-with-parent"))
    report(`agents.${name}.wrap has no --die-with-parent: add it after ${program}`, "wrap")
}

/** Only a format with records names the session that is to be resumed. */
const checkSession = ({ format, name, resume }: Profile, report: File["report"]) => {
  if (resume?.includes(sessionPlaceholder) !== true)
    report(`agents.${name}.resume does not have the word ${sessionPlaceholder}, which becomes the session`, "resume")
  if (format === "text")
    report(
      `agents.${name} sets resume, but text names no session: set format to claude-stream-json or codex-json`,
      "resume"
    )
}
