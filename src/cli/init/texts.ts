/**
 * The files that `charlotte init` and `charlotte task new` write.
 */
import { Option } from "effect"
import type { Project } from "./Project.js"

/** A scalar of YAML. */
export const scalar = (text: string): string =>
  /^[A-Za-z][\w./&=,() -]*$/.test(text) && !/ $|^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text)

const list = (items: ReadonlyArray<string>): string =>
  `[${items.map((item) => (/[,[\]{}]/.test(item) ? JSON.stringify(item) : scalar(item))).join(", ")}]`

/** `charlotte.yaml`. */
export const settings = (
  { gates, others, setup }: Project,
  { agent, hasEnv }: { readonly agent: string; readonly hasEnv: boolean }
): string =>
  [
    "# Settings of all tasks in this directory; each of them is optional.",
    `agent: ${scalar(agent)}`,
    "",
    ...Option.match(setup, {
      onNone: () => [],
      onSome: ({ inputs, run }) => [
        "# Run in each worktree, which is a fresh checkout, before its first task.",
        `setup: { run: ${list([run]).slice(1, -1)}, inputs: ${list(inputs)} }`,
        ""
      ]
    }),
    ...(hasEnv ? ["# A worktree has only what git has. Agents can read what is copied.", "# copy: [.env]", ""] : []),
    "# Must pass on the merged result before it lands.",
    gates.length === 0 ? "# baseline: [the command that runs the tests]" : `baseline: ${list(gates)}`,
    ...(others.length === 0 ? [] : [`# There are also: ${others.join(", ")}`]),
    ""
  ].join("\n")

export interface NewTask {
  readonly number: number
  /** One line of text. */
  readonly title: string
  /** Left to the user if there is none: the plan then names the line. */
  readonly gate: string | undefined
  readonly body: string
}

/** A task file. */
export const task = ({ body, gate, number, title }: NewTask): string =>
  [
    "---",
    `task: ${number}`,
    "# The gate: the task is done only when this command passes. Before the work it should fail.",
    gate === undefined ? "backpressure: # such as: npm test" : `backpressure: ${scalar(gate)}`,
    "---",
    "",
    heading(title),
    "",
    ...(body === "" ? [] : [body, ""])
  ].join("\n")

/** A heading that reads as this title: `#` at its end would be taken for the end of the heading. */
const heading = (title: string): string => (/(^|\s)#+$/.test(title) ? `# ${title} #` : `# ${title}`)

const maxSlug = 40

/** The part of a file name that stands for a title. */
export const slug = (title: string): string =>
  title
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, maxSlug)
    .replace(/^-+|-+$/g, "") || "task"

/** The name of the file that the first task writes. */
const hello = (isTaken: (name: string) => boolean): string => {
  let name = "HELLO.md"
  for (let n = 2; isTaken(name); n++) name = `HELLO-${n}.md`
  return name
}

/** The first task: any agent does it in a minute, in any project, and `script` does it by its `sh` block. */
export const first = (
  { gates }: Project,
  { isScript, isTaken }: { readonly isScript: boolean; readonly isTaken: (name: string) => boolean }
): string => {
  const file = hello(isTaken)
  return task({
    number: 1,
    title: "Say hello",
    gate: [`test -s ${file}`, ...gates].join(" && "),
    body: isScript
      ? `Write \`${file}\`. The agent \`script\` runs the blocks of a task that are marked \`sh\`:\n\n\`\`\`sh\necho "Hello from a first job." > ${file}\n\`\`\``
      : `Write \`${file}\`: what this project is for, and how its tests are run, in a few sentences. Change nothing else.`
  })
}
