/**
 * The file `IMPLEMENTATION_PLAN.md` of a unit, with its name and its dependencies.
 */
import { Either, Schema } from "effect"
import { decodeYaml } from "../../yaml/decodeYaml.js"
import { mapping, optional, UnitName, UnitNames, withDefault } from "../../yaml/fields.js"
import * as AgentChoice from "./AgentChoice.js"
import * as Frontmatter from "./Frontmatter.js"
import { Diagnostic } from "../../yaml/Diagnostic.js"

export const fileName = "IMPLEMENTATION_PLAN.md"

const Keys = mapping({ unit: optional(UnitName), depends_on: withDefault(UnitNames, () => []), ...AgentChoice.fields })

/** The contents of the file, with defaults for invalid values. */
export interface UnitFile {
  /** Relative to the repository; the directory of the unit if there is no such file. */
  readonly file: string
  readonly id: string
  /** The line of the name. */
  readonly line: number
  readonly dependsOn: ReadonlyArray<{ readonly to: string; readonly line: number }>
  readonly planText: string | undefined
  /** The agents of its tasks, unless they name others. */
  readonly agents: AgentChoice.Level
  readonly problems: ReadonlyArray<Diagnostic>
}

/** A placeholder for a file that is missing or could not be read. */
export const absent = (file: string, name: string, problem?: Diagnostic): UnitFile => ({
  file,
  id: name,
  line: 1,
  dependsOn: [],
  planText: undefined,
  agents: { file, agents: [] },
  problems: [...checkName(file, name), ...(problem === undefined ? [] : [problem])]
})

/** Parses the text; `name` is the name of the directory, and of the unit unless the file has another. */
export const parse = (file: string, name: string, text: string): UnitFile =>
  Either.match(Frontmatter.split(text), {
    onLeft: (reason) =>
      reason === "missing"
        ? { ...absent(file, name), planText: text.replace(/^\uFEFF/, "") }
        : absent(file, name, Frontmatter.problem(file, reason)),
    onRight: ({ body, yaml: source }) => {
      const decoded = decodeYaml(Keys, { file, source, firstLine: Frontmatter.firstLine })
      const { line, problems, value } = decoded
      const { depends_on, unit } = value
      return {
        file,
        id: unit ?? name,
        line: line("unit"),
        dependsOn: depends_on.map((to, index) => ({ to, line: line("depends_on", index) })),
        planText: body,
        agents: AgentChoice.levelOf(file, decoded),
        problems: [...(unit === undefined ? checkName(file, name) : []), ...problems]
      }
    }
  })

/** Whether the directory name is valid as the name of the unit. */
const checkName = (file: string, name: string): ReadonlyArray<Diagnostic> =>
  Schema.is(UnitName)(name)
    ? []
    : [
        new Diagnostic({
          file,
          line: 1,
          message: `cannot take its name from the directory "${name}", which is not a valid part of a branch name: set unit: NAME in the frontmatter of ${fileName}`
        })
      ]
