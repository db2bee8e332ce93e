/** Whether a repository can be written, according to the system and without writing. */
import { Option } from "effect"
import { constants } from "node:fs"
import { access } from "node:fs/promises"
import { step } from "./GitCommand.js"
import type { Repository } from "./Repository.js"

/** Where commits and branches are written. */
const written = ["", "/objects", "/refs", "/refs/heads"]

const reasons = new Map([
  ["EROFS", "it is on a read-only file system"],
  ["EACCES", "permission denied"],
  ["EPERM", "it is immutable"]
])

/** Why it cannot be written, as a clause; none if it can. */
export const unwritable = ({ commonDir }: Repository) =>
  step(`see whether ${commonDir} can be written`, async () => {
    for (const path of written.map((name) => commonDir + name)) {
      const reason = await access(path, constants.W_OK).then(
        () => undefined,
        (cause: unknown) => (cause instanceof Error && "code" in cause ? reasons.get(String(cause.code)) : undefined)
      )
      if (reason !== undefined) return Option.some(`${path} cannot be written: ${reason}`)
    }
    return Option.none<string>()
  })
