/**
 * A task file, `NN-name.md`.
 *
 * @since 0.1.0
 */
import { Either, type Option } from "effect"
import { decodeYaml } from "../../yaml/decodeYaml.js"
import {
  GateBefore,
  mapping,
  optional,
  ShellCommand,
  TaskNumber,
  TaskNumbers,
  TaskStatus,
  withDefault
} from "../../yaml/fields.js"
import * as AgentChoice from "./AgentChoice.js"
import * as Frontmatter from "./Frontmatter.js"
import * as FrontmatterEdit from "./FrontmatterEdit.js"
import * as Markdown from "./Markdown.js"
import { Protection } from "./Protection.js"
import * as Settings from "./Settings.js"
import type { Diagnostic } from "../../yaml/Diagnostic.js"

/**
 * The contents of a task file. Invalid values are replaced by defaults, so that the rest of the plan can be checked; do not
 * use them if there are problems.
 *
 * @since 0.1.0
 */
export interface TaskFile {
  /** Relative to the repository. */
  readonly file: string
  /** From the frontmatter, or else from the file name. */
  readonly number: number
  /** The line of the task number. */
  readonly line: number
  readonly title: string
  readonly status: TaskStatus
  readonly backpressure: string
  /** What the gate has to say before any work. */
  readonly before?: typeof GateBefore.Type | undefined
  readonly dependsOn: ReadonlyArray<{ readonly to: number; readonly line: number }>
  /** The agents that it names itself. */
  readonly agents: AgentChoice.Level
  /** Overrides the `session` of the settings. */
  readonly session?: typeof Settings.SessionMode.Type | undefined
  /** Replaces the `protect` of the settings. */
  readonly protect?: Protection | undefined
  readonly prompt: string
  readonly scripts: ReadonlyArray<string>
  readonly problems: ReadonlyArray<Diagnostic>
}

const Keys = mapping({
  task: optional(TaskNumber),
  backpressure: optional(ShellCommand),
  before: optional(GateBefore),
  status: withDefault(TaskStatus, () => "pending" as const),
  depends_on: withDefault(TaskNumbers, () => []),
  ...AgentChoice.fields,
  session: optional(Settings.SessionMode),
  protect: optional(Protection)
})

const pattern = /^(\d+)-(.+)\.md$/

/**
 * Whether this is the name of a task file.
 *
 * @since 0.1.0
 */
export const isName = (name: string): boolean => pattern.test(name)

/**
 * A placeholder for a file that could not be read.
 *
 * @since 0.1.0
 */
export const unreadable = (file: string, problem: Diagnostic): TaskFile => ({
  file,
  number: Number(matchName(file)?.[1] ?? 0),
  line: 1,
  title: titleOf(file),
  status: "pending",
  backpressure: "",
  dependsOn: [],
  agents: { file, agents: [] },
  prompt: "",
  scripts: [],
  problems: [problem]
})

/**
 * Parses the text of a task file.
 *
 * @since 0.1.0
 */
export const parse = (file: string, text: string): TaskFile =>
  Either.match(Frontmatter.split(text), {
    onLeft: (reason) => unreadable(file, Frontmatter.problem(file, reason)),
    onRight: ({ body, yaml: source }) => {
      const decoded = decodeYaml(Keys, { file, source, firstLine: Frontmatter.firstLine })
      const { isMissing, line, problems, report, value } = decoded
      const { scripts, title } = Markdown.parse(body)
      const fileNumber = matchName(file)?.[1]
      const { backpressure = "", depends_on, status, task: number = Number(fileNumber ?? 0) } = value
      if (isMissing("task")) report("has no task number: add a line such as task: 1", "task")
      if (isMissing("backpressure")) {
        report("has no backpressure: add the command that must pass before the task counts as done", "backpressure")
      }
      if (fileNumber !== undefined && Number(fileNumber) !== number)
        report(`is task ${number}, but its file name has ${fileNumber}: make them match`, "task")
      return {
        file,
        number,
        line: line("task"),
        title: title ?? titleOf(file),
        status,
        backpressure,
        dependsOn: depends_on.map((to, index) => ({ to, line: line("depends_on", index) })),
        agents: AgentChoice.levelOf(file, decoded),
        ...(value.before !== undefined && { before: value.before }),
        ...(value.session !== undefined && { session: value.session }),
        ...(value.protect !== undefined && { protect: value.protect }),
        prompt: body,
        scripts,
        problems
      }
    }
  })

const matchName = (file: string) => pattern.exec(baseName(file))

const baseName = (file: string): string => file.slice(file.lastIndexOf("/") + 1)

const titleOf = (file: string): string => matchName(file)?.[2] ?? baseName(file).replace(/\.md$/, "")

/**
 * The text with another status and every other byte unchanged; none if the frontmatter cannot be edited safely.
 *
 * @since 0.1.0
 */
export const withStatus = (text: string, status: TaskStatus): Option.Option<string> =>
  FrontmatterEdit.set(text, "status", status)
