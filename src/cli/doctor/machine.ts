/**
 * Checks Node.js, the platform and git.
 */
import { Effect, Option } from "effect"
import { Git } from "../../git/Git.js"
import { type ProcessTable, ProcessTableRef } from "../../process/ProcessTable.js"
import { unsupported } from "../Platform.js"
import * as Finding from "./Finding.js"

const reach = ({ cgroups }: ProcessTable): string =>
  cgroups?.delegated === undefined ? "/proc" : `/proc and a cgroup in ${cgroups.delegated}`

export const check: Effect.Effect<ReadonlyArray<Finding.Finding>, never, Git> = Effect.gen(function* () {
  const git = yield* Git
  const table = yield* ProcessTableRef
  const reason = unsupported({ node: process.versions.node, platform: process.platform })
  return [
    reason === undefined
      ? Finding.ok("node", `Node.js ${process.versions.node}`)
      : Finding.fromMessage("problem", "node", reason),
    Option.isSome(table)
      ? Finding.ok("platform", `${process.platform}; all processes of a job are found through ${reach(table.value)}`)
      : Finding.warning(
          "platform",
          `${process.platform}, without /proc: processes that leave the process group of an agent or gate cannot be found`,
          "use agents and gates that leave nothing running, or Linux"
        ),
    yield* Effect.match(git.version, {
      onSuccess: (version) => Finding.ok("git", `version ${version}`),
      onFailure: ({ message }) => Finding.fromMessage("problem", "git", message)
    })
  ]
})
