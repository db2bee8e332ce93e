/**
 * `charlotte cluster limit`: sets how many jobs all nodes together run at once.
 */
import { Effect } from "effect"
import * as Nodes from "../../cluster/Nodes.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { kind, withCluster } from "./withCluster.js"

export interface Options {
  readonly maxJobs: number
  readonly json: boolean
}

export const limit = ({ json, maxJobs }: Options) =>
  withCluster(() =>
    Effect.gen(function* () {
      yield* Nodes.setLimit({ kind, maxJobs })
      const nodes = yield* Nodes.list(kind)
      const capacity = nodes.filter(({ isAlive }) => isAlive).reduce((sum, { capacity }) => sum + capacity, 0)
      if (json) return yield* writeJson({ limit: maxJobs, capacity })
      const room = capacity < maxJobs ? `; its nodes have room for ${capacity}` : ""
      yield* writeLines([
        [StyledLine.raw("✓ ", "good"), StyledLine.raw(`the cluster runs at most ${maxJobs} jobs at once${room}`)]
      ])
    })
  )
