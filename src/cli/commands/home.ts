/**
 * `charlotte export-home` and `charlotte import-home`: write all records of a home to a file, and fill an empty PostgreSQL database from
 * it.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { database } from "./daemon.js"
import { json } from "./parameters.js"

const newFile = Parameter.argument("file", {
  description: "The file to write; it must not exist.",
  decode: Either.right
})

export const exportHome = CommandTree.command(
  {
    description:
      "Write the records of this home to a file. With import-home they can be loaded into a PostgreSQL database. Ids, keys and cursors are kept; logs and worktrees stay in the home. No daemon may be running.",
    example: "charlotte export-home records.gz",
    isLocal: true,
    parameters: { file: newFile, json }
  },
  async () => (await import("../home/exportHome.js")).exportHome
)

const file = Parameter.argument("file", { description: "The file that export-home wrote.", decode: Either.right })

export const importHome = CommandTree.command(
  {
    description:
      "Load records into an empty database. It is one of PostgreSQL. The file is one that export-home has written; all of its records are loaded, or none.",
    example: "charlotte import-home records.gz --database postgres://app@db.internal/app",
    isLocal: true,
    parameters: { file, database, json }
  },
  async () => (await import("../home/importHome.js")).importHome
)
