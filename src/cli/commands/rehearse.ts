/**
 * `charlotte rehearse`: checks that a new version of an application decodes what the present one has recorded.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, span } from "./parameters.js"

const module = Parameter.argument("module", {
  description: "A JavaScript module that exports kinds of jobs, and does nothing else when it is imported.",
  decode: Either.right
})

const database = Parameter.textOption("database", {
  placeholder: "DATABASE",
  description:
    "The SQLite file, or a copy of it, or the postgres:// URL. It is only read, also while a manager uses it."
})

const strict = Parameter.flag("strict", {
  description:
    "Also exit with 1 if something was not rehearsed: a schema that needs services, or a kind that the module does not have."
})

const timeout = span(
  "timeout",
  "How long the module may take to be imported, and then for each 1,000 records (default: 30s)."
)

export const rehearse = CommandTree.command(
  {
    description:
      "Check recorded jobs against new kinds. Before you deploy a new version of your application, decodes the configurations, signals, events, results and errors of all jobs with the kinds of the module, in a process that may neither write nor use the network. Exits with 1 if a job that is not over would not continue.",
    example: "charlotte rehearse ./dist/kinds.js --database copy.db",
    isLocal: true,
    parameters: { module, database, strict, timeout, json }
  },
  async () => (await import("../rehearse/rehearse.js")).rehearse
)
