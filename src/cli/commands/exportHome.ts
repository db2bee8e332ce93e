/**
 * `charlotte export-home`: writes all records of a home to a file.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json } from "./parameters.js"

const file = Parameter.argument("file", { description: "The file to write; it must not exist.", decode: Either.right })

export const exportHome = CommandTree.command(
  {
    description:
      "Write the records of this home to a file. With import-home they can be loaded into a PostgreSQL database. Ids, keys and cursors are kept; logs and worktrees stay in the home. No daemon may be running.",
    example: "charlotte export-home records.gz",
    isLocal: true,
    parameters: { file, json }
  },
  async () => (await import("../home/exportHome.js")).exportHome
)
