/**
 * `charlotte cluster drain`: keeps new jobs from a node, until it leaves the cluster or the drain is undone.
 */
import { Effect, Schedule } from "effect"
import type { ClusterStore } from "../../store/ClusterStore.js"
import * as format from "../terminal/format.js"
import { Output, writeLines } from "../terminal/Output.js"
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
      const { address, id } = yield* find(yield* cluster.nodes(kind), named)
      yield* cluster.drain(id, !undo)
      const ofNode = Effect.map(runningOn(cluster), ({ on }) => on(address))
      const running = yield* wait && !undo ? untilIdle(cluster, id, ofNode) : ofNode
      yield* json
        ? Effect.flatMap(Output, ({ write }) =>
            write(`${JSON.stringify({ node: address, draining: !undo, running })}\n`)
          )
        : writeLines([
            [StyledLine.raw("✓ ", "good"), StyledLine.piece(address, "strong"), StyledLine.raw(said(undo, running))]
          ])
    })
  )

const said = (undo: boolean, running: number): string =>
  undo
    ? " takes jobs again"
    : ` takes no new jobs; it runs ${running === 0 ? "none" : format.count(running, "job")}; undo that with --undo`

/** Returns once the node runs no job, or has left. */
const untilIdle = <E>(cluster: ClusterStore, id: string, running: Effect.Effect<number, E>) =>
  Effect.gen(function* () {
    const isThere = (yield* cluster.nodes(kind)).some((node) => node.id === id)
    return isThere ? yield* running : 0
  }).pipe(Effect.repeat({ until: (running) => running === 0, schedule: Schedule.spaced("500 millis") }), Effect.as(0))
