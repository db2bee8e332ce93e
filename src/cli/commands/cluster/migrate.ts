/**
 * `charlotte cluster migrate`: migrates the database to this version.
 */
import * as CommandTree from "../../parser/CommandTree.js"
import * as Parameter from "../../parser/Parameter.js"
import { json } from "../parameters.js"

const dryRun = Parameter.flag("dry-run", {
  description: "Print the SQL that would be run, as input for psql, without running it."
})

export const migrate = CommandTree.command(
  {
    description:
      "Migrate the PostgreSQL database. Brings its tables up to this version of Charlotte; otherwise the first daemon of this version does.",
    example: "charlotte cluster migrate --dry-run",
    isLocal: true,
    parameters: { dryRun, json }
  },
  async () => (await import("../../cluster/migrate.js")).migrate
)
