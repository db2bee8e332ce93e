/**
 * One file `NN-name.md`: a task as people write it.
 *
 * @since 0.1.0
 */
import { Either, type Option } from "effect"
import { ShellCommand, TaskNumber, TaskNumbers, TaskStatus } from "../../yaml/fields.js"
import * as Frontmatter from "./Frontmatter.js"
import * as FrontmatterEdit from "./FrontmatterEdit.js"
import * as Markdown from "./Markdown.js"
import { Diagnostic } from "../../yaml/Diagnostic.js"
import * as Yaml from "../../yaml/Yaml.js"

/**
 * What was found in it. Where something is wrong a stand-in is in its place, so that the rest of the plan can still be
 * checked; nothing is to be made of it while there are problems.
 *
 * @since 0.1.0
 */
export interface TaskFile {
  /** Relative to the repository. */
  readonly file: string
  /** That of the file's name, if the file does not say. */
  readonly number: number
  /** The line on which the number stands. */
  readonly line: number
  readonly title: string
  readonly status: TaskStatus
  readonly backpressure: string
  readonly dependsOn: ReadonlyArray<{ readonly to: number; readonly line: number }>
  readonly prompt: string
  readonly scripts: ReadonlyArray<string>
  readonly problems: ReadonlyArray<Diagnostic>
}

const pattern = /^(\d+)-(.+)\.md$/

/**
 * Whether a file of this name is a task.
 *
 * @since 0.1.0
 */
export const isName = (name: string): boolean => pattern.test(name)

/**
 * Stands for a file that could not be read.
 *
 * @since 0.1.0
 */
export const unreadable = (file: string, problem: Diagnostic): TaskFile => ({
  file,
  number: Number(named(file)?.[1] ?? 0),
  line: 1,
  title: titleOf(file),
  status: "pending",
  backpressure: "",
  dependsOn: [],
  prompt: "",
  scripts: [],
  problems: [problem]
})

/**
 * Reads the text of a task file.
 *
 * @since 0.1.0
 */
export const parse = (file: string, text: string): TaskFile =>
  Either.match(Frontmatter.split(text), {
    onLeft: (reason) => unreadable(file, Frontmatter.problem(file, reason)),
    onRight: ({ body, yaml: source }) => {
      const yaml = Yaml.parse(file, source, Frontmatter.firstLine)
      const { scripts, title } = Markdown.parse(body)
      const inName = named(file)?.[1]
      const number = yaml.get("task", TaskNumber, Number(inName ?? 0), "has no task number: add a line such as task: 1")
      const backpressure = yaml.get(
        "backpressure",
        ShellCommand,
        "",
        "has no backpressure: add the command that must pass before the task counts as done"
      )
      const status = yaml.get("status", TaskStatus, "pending")
      const dependsOn = yaml.get("depends_on", TaskNumbers, [])
      const line = yaml.line("task")
      const misnamed =
        inName !== undefined && Number(inName) !== number
          ? [new Diagnostic({ file, line, message: `is task ${number}, but its name says ${inName}: make them agree` })]
          : []
      return {
        file,
        number,
        line,
        title: title ?? titleOf(file),
        status,
        backpressure,
        dependsOn: dependsOn.map((to, index) => ({ to, line: yaml.line("depends_on", index) })),
        prompt: body,
        scripts,
        problems: [...misnamed, ...yaml.problems]
      }
    }
  })

const named = (file: string) => pattern.exec(baseName(file))

const baseName = (file: string): string => file.slice(file.lastIndexOf("/") + 1)

const titleOf = (file: string): string => named(file)?.[2] ?? baseName(file).replace(/\.md$/, "")

/**
 * The text with another status, and not a byte else changed; none if its frontmatter is not one that can be changed.
 *
 * @since 0.1.0
 */
export const withStatus = (text: string, status: TaskStatus): Option.Option<string> =>
  FrontmatterEdit.set(text, "status", status)
