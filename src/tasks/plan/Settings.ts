/**
 * The settings of a plan, from `charlotte.yaml` in its directory.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Conflicts, Landing } from "../../domain/JobConfig.js"
import { type Decoded, decodeYaml } from "../../yaml/decodeYaml.js"
import {
  Count,
  mustBeMapping,
  optional,
  RelativePath,
  RelativePaths,
  ShellCommand,
  ShellCommands,
  Span,
  Switch,
  Tokens,
  Usd,
  withDefault
} from "../../yaml/fields.js"
import * as AgentChoice from "./AgentChoice.js"
import { Protection } from "./Protection.js"

/** @since 0.1.0 */
export const fileName = "charlotte.yaml"

/** @since 0.2.0 */
export const SessionMode = Schema.Literal("resume", "fresh").annotations({
  message: () => ({ message: "must be resume or fresh", override: true })
})

/** @since 0.2.0 */
export const QuestionMode = Schema.Literal("ask", "fail").annotations({
  message: () => ({ message: "must be ask or fail", override: true })
})

const Title = Schema.String.pipe(
  Schema.filter((title) => title.trim() !== "" && title.length <= 200 && !/\p{Cc}/u.test(title))
).annotations({
  message: () => ({ message: "must be a line of text of at most 200 characters", override: true })
})

const Flaky = Schema.Literal("note", "fail").annotations({
  message: () => ({ message: "must be note or fail", override: true })
})

const Setup = Schema.Union(
  ShellCommand,
  Schema.Struct({ run: ShellCommand, inputs: optional(Schema.NonEmptyArray(RelativePath)) })
).annotations({
  message: () => ({
    message: "must be a shell command in quotes, or a mapping such as { run: npm ci, inputs: [package-lock.json] }",
    override: true
  })
})

const Baseline = Schema.Union(
  ShellCommands,
  Schema.Struct({ run: ShellCommands, before: optional(Switch) })
).annotations({
  message: () => ({
    message: "must be a list of shell commands, or a mapping such as { run: [npm test], before: false }",
    override: true
  })
})

const limits = {
  /** Limit on agent invocations of the whole job. */
  agentCalls: optional(Count),
  /** Time limit of the whole job. */
  duration: optional(Span),
  /** How long a unit waits for the answer to a question. */
  answer: optional(Span),
  /** How much the turns of the whole job may cost: no turn begins once that is reached. */
  usd: optional(Usd),
  /** The same in tokens of all kinds. */
  tokens: optional(Tokens)
}

/** @since 0.1.0 */
export class Limits extends Schema.Class<Limits>("charlotte/Limits")(limits, [
  undefined,
  undefined,
  mustBeMapping(limits)
]) {}

const gates = {
  /** How long the gate of a task may run before any work, 2 minutes by default; longer, and it is unknown whether it passes then. */
  before: optional(Span),
  /** Whether a gate that has passed always runs a second time. */
  twice: optional(Switch),
  /** What two answers of a gate on the same files are: a note, the default, or a failed attempt. */
  flaky: optional(Flaky)
}

/** @since 0.2.0 */
export class Gates extends Schema.Class<Gates>("charlotte/Gates")(gates, [
  undefined,
  undefined,
  mustBeMapping(gates)
]) {}

/** @since 0.1.0 */
export class Settings extends Schema.Class<Settings>("charlotte/Settings")({
  /** The name of the job, for people. */
  title: optional(Title),
  /**
   * A command to run in each new worktree, and again where other work is merged into it, such as `npm ci`; with `inputs`, again only
   * if one of these files or directories, relative to the repository, differs from when it was last set up.
   */
  setup: optional(Setup),
  /** Untracked files to copy into each worktree, such as `.env`; relative to the repository. */
  copy: withDefault(RelativePaths, () => []),
  /**
   * Commands that must pass on the merged result, and unless `before` is false on the target, too, before the first turn of an agent.
   */
  baseline: withDefault(Baseline, () => []),
  /** Files and keys that are what they were when a task began before its gate runs, unless the task says. */
  protect: withDefault(Protection, () => []),
  /** The agents of tasks that name none, unless the job names one, and their model. */
  ...AgentChoice.fields,
  /** What lands, unless the job says. */
  land: optional(Landing),
  /** What happens to a unit that conflicts with the units merged before it, unless the job says. */
  conflicts: optional(Conflicts),
  /** The number of attempts at a task. */
  attempts: withDefault(Count, () => 3),
  /** Whether a turn resumes the session of the last turn at its task, or begins a fresh one. */
  session: withDefault(SessionMode, () => "resume" as const),
  /** Whether the question of an agent waits for a person, or is an attempt as any other. */
  questions: withDefault(QuestionMode, () => "ask" as const),
  limits: withDefault(Limits, () => new Limits({})),
  gates: withDefault(Gates, () => new Gates({}))
}) {}

/** The commands of the baseline, and whether they run before any work, too. */
export const baselineOf = ({
  baseline
}: Settings): { readonly run: ReadonlyArray<string>; readonly before: boolean } =>
  "run" in baseline ? { run: baseline.run, before: baseline.before ?? true } : { run: baseline, before: true }

/** The settings if there is no such file. */
export const defaults = Schema.decodeSync(Settings)({})

export const parse = (file: string, source: string): Decoded<Settings> => decodeYaml(Settings, { file, source })
