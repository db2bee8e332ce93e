/**
 * The file `IMPLEMENTATION_PLAN.md` of a unit: its name, and what it depends on.
 */
import { Either, Schema } from "effect"
import { UnitName, UnitNames } from "../../yaml/fields.js"
import * as Frontmatter from "./Frontmatter.js"
import { Diagnostic } from "../../yaml/Diagnostic.js"
import * as Yaml from "../../yaml/Yaml.js"

export const fileName = "IMPLEMENTATION_PLAN.md"

/** What was found in it, with stand-ins for what is wrong. */
export interface UnitFile {
  /** Relative to the repository; the unit's directory where there is no such file. */
  readonly file: string
  readonly id: string
  /** The line on which the name stands. */
  readonly line: number
  readonly dependsOn: ReadonlyArray<{ readonly to: string; readonly line: number }>
  readonly planText: string | undefined
  readonly problems: ReadonlyArray<Diagnostic>
}

/** Stands for a file that is missing or could not be read. */
export const absent = (file: string, name: string, problem?: Diagnostic): UnitFile => ({
  file,
  id: name,
  line: 1,
  dependsOn: [],
  planText: undefined,
  problems: [...checkName(file, name), ...(problem === undefined ? [] : [problem])]
})

/** Reads the text; `name` is that of the directory, which is the unit's unless the file says another. */
export const parse = (file: string, name: string, text: string): UnitFile =>
  Either.match(Frontmatter.split(text), {
    onLeft: (reason) =>
      reason === "missing"
        ? { ...absent(file, name), planText: text.replace(/^\uFEFF/, "") }
        : absent(file, name, Frontmatter.problem(file, reason)),
    onRight: ({ body, yaml: source }) => {
      const yaml = Yaml.parse(file, source, Frontmatter.firstLine)
      const said = yaml.get("unit", UnitName, undefined)
      const dependsOn = yaml.get("depends_on", UnitNames, [])
      return {
        file,
        id: said ?? name,
        line: yaml.line("unit"),
        dependsOn: dependsOn.map((to, index) => ({ to, line: yaml.line("depends_on", index) })),
        planText: body,
        problems: [...(said === undefined ? checkName(file, name) : []), ...yaml.problems]
      }
    }
  })

/** The name of the directory, where it has to do. */
const checkName = (file: string, name: string): ReadonlyArray<Diagnostic> =>
  Schema.is(UnitName)(name)
    ? []
    : [
        new Diagnostic({
          file,
          line: 1,
          message: `cannot take its name from the directory "${name}", which cannot be part of a branch's name: say unit: NAME in the frontmatter of ${fileName}`
        })
      ]
