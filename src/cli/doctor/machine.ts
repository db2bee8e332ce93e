/**
 * Whether the machine has what jobs need.
 */
import { Effect, Option } from "effect"
import { Git } from "../../git/Git.js"
import { type ProcessTable, ProcessTableRef } from "../../process/ProcessTable.js"
import { unsupported } from "../Platform.js"
import * as Finding from "./Finding.js"

const reach = ({ cgroups }: ProcessTable): string =>
  cgroups?.delegated === undefined ? "/proc" : `/proc and a control group of its own in ${cgroups.delegated}`

export const look: Effect.Effect<ReadonlyArray<Finding.Finding>, never, Git> = Effect.gen(function* () {
  const git = yield* Git
  const table = yield* ProcessTableRef
  const reason = unsupported({ node: process.versions.node, platform: process.platform })
  return [
    reason === undefined
      ? Finding.ok("node", `Node.js ${process.versions.node}`)
      : Finding.told("problem", "node", reason),
    Option.isSome(table)
      ? Finding.ok(
          "platform",
          `${process.platform}, where every process of a job is found by way of ${reach(table.value)}`
        )
      : Finding.warning(
          "platform",
          `${process.platform}, without /proc: what leaves the process group of an agent or a gate cannot be found`,
          "see that agents and gates leave nothing running, or work on Linux"
        ),
    yield* Effect.match(git.version, {
      onSuccess: (version) => Finding.ok("git", `version ${version}`),
      onFailure: ({ message }) => Finding.told("problem", "git", message)
    })
  ]
})
