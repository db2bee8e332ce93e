/**
 * `charlotte cluster drain`: keeps new jobs from a node, until it leaves the cluster or the drain is undone.
 */
import { Effect } from "effect"
import * as Nodes from "../../cluster/Nodes.js"
import * as format from "../terminal/format.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { find, kind, runningOn, withCluster } from "./withCluster.js"

export interface Options {
  readonly node: string
  readonly wait: boolean
  readonly undo: boolean
  readonly json: boolean
}

export const drain = ({ json, node: named, undo, wait }: Options) =>
  withCluster((cluster) =>
    Effect.gen(function* () {
      const { address } = yield* find(yield* Nodes.list(kind), named)
      yield* Nodes.drain({ kind, address }, { undo })
      if (wait && !undo) yield* Nodes.untilIdle({ kind, address })
      const running = yield* Effect.map(runningOn(cluster), ({ on }) => on(address))
      yield* json
        ? writeJson({ node: address, draining: !undo, running })
        : writeLines([
            [StyledLine.raw("✓ ", "good"), StyledLine.piece(address, "strong"), StyledLine.raw(said(undo, running))]
          ])
    })
  )

const said = (undo: boolean, running: number): string =>
  undo
    ? " takes jobs again"
    : ` takes no new jobs; it runs ${running === 0 ? "none" : format.count(running, "job")}; undo that with --undo`
