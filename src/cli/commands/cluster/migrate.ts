/**
 * `charlotte cluster migrate`: brings the database up to this version.
 */
import * as CommandTree from "../../parser/CommandTree.js"
import { dryRun, json } from "../parameters.js"

export const migrate = CommandTree.command(
  {
    description:
      "Bring the tables of the PostgreSQL database up to this version of Charlotte, which the first daemon of this version does otherwise.",
    example: "charlotte cluster migrate --dry-run",
    isLocal: true,
    parameters: { dryRun, json }
  },
  async () => (await import("../../cluster/migrate.js")).migrate
)
