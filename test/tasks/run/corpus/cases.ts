/** What an agent does at a task, and the gate of the task. */
import type { ProjectName } from "./projects.js"

export interface Case {
  readonly name: string
  readonly project: ProjectName
  readonly gate: string
  /** The work of the agent, in shell. */
  readonly work: string
  /** What the gate has to say before any work. */
  readonly before?: "green"
  /** Whether the gate is to run twice. */
  readonly twice?: true
}

/** A file that is written, in shell. */
export const write = (file: string, content: string): string =>
  `mkdir -p "$(dirname ${file})"\ncat > ${file} <<'END'\n${content.trimEnd()}\nEND`

/** The same, at the end of a file. */
export const append = (file: string, content: string): string => `cat >> ${file} <<'END'\n${content.trimEnd()}\nEND`

/** The test of a function of the library. */
export const testOf = (name: string, checks: ReadonlyArray<string>): string => `import { test } from "node:test"
import assert from "node:assert/strict"
import { ${name} } from "../src/${name}.js"

${checks.map((check, at) => `test("${name}, case ${at + 1}", () => {\n  ${check}\n})`).join("\n\n")}
`

/** A new function of the library. */
export const moduleOf = (name: string, body: string): string =>
  `${write(`src/${name}.js`, `export const ${name} = ${body}`)}\n${append("src/index.js", `export { ${name} } from "./${name}.js"`)}`
