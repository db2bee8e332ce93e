/**
 * `charlotte import-home`: fills an empty PostgreSQL database from a file.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { database } from "./daemon.js"
import { json } from "./parameters.js"

const file = Parameter.argument("file", { description: "The file that export-home wrote.", decode: Either.right })

export const importHome = CommandTree.command(
  {
    description:
      "Load records into an empty PostgreSQL database. The file is one that export-home has written; all of its records are loaded, or none.",
    example: "charlotte import-home records.gz --database postgres://app@db.internal/app",
    isLocal: true,
    parameters: { file, database, json }
  },
  async () => (await import("../home/importHome.js")).importHome
)
