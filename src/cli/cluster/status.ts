/**
 * `charlotte cluster status`: the nodes, and what they run.
 */
import { Effect, Option } from "effect"
import type { Node } from "../../store/port/RunStoreService.js"
import * as ExitCode from "../errors/ExitCode.js"
import { columns, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Table from "../terminal/Table.js"
import { kind, runningOn, withCluster } from "./withCluster.js"

interface Row extends Pick<Node, "address" | "capacity" | "machine" | "pid"> {
  readonly state: "alive" | "dead" | "draining"
  /** Jobs that run there. */
  readonly running: number
  /** The version of the kind that it has; null if it has recorded none. */
  readonly version: string | null
}

const stateOf = ({ isAlive, isDraining }: Node): Row["state"] =>
  isAlive ? (isDraining ? "draining" : "alive") : "dead"

const styles: { readonly [S in Row["state"]]: StyledLine.Style } = { alive: "good", draining: "warn", dead: "bad" }

export const status = ({ json }: { readonly json: boolean }) =>
  withCluster((cluster) =>
    Effect.gen(function* () {
      const nodes = yield* cluster.nodes(kind)
      const running = yield* runningOn(cluster)
      const limit = Option.getOrNull(yield* cluster.currentLimit(kind))
      const rows = nodes.map((node): Row => {
        const { address, capacity, machine, pid, version = null } = node
        return { address, state: stateOf(node), running: running.on(address), capacity, version, machine, pid }
      })
      yield* json
        ? writeJson({ active: running.active, limit, nodes: rows })
        : writeLines([...table(rows, yield* columns), [StyledLine.raw(summary(running.active, limit))]])
      if (!nodes.some(({ isAlive }) => isAlive)) return yield* new ExitCode.Quit({ code: ExitCode.unavailable })
    })
  )

const table = (rows: ReadonlyArray<Row>, room: number): ReadonlyArray<StyledLine.Line> => {
  if (rows.length === 0) {
    return [[StyledLine.raw("no nodes; start one with: charlotte daemon start --advertise HOST:PORT")]]
  }
  const column = (title: string, cell: (row: Row) => StyledLine.Piece, more: Partial<Table.Column> = {}) => ({
    title,
    cells: rows.map(cell),
    ...more
  })
  return Table.render(
    [
      column("NODE", ({ address }) => StyledLine.piece(address, "strong")),
      column("STATE", ({ state }) => StyledLine.raw(state, styles[state])),
      column("JOBS", ({ capacity, running }) => StyledLine.raw(`${running}/${capacity}`), { align: "right" }),
      column("VERSION", ({ version }) => StyledLine.piece(version ?? "unknown"), { least: 8, rank: 3 }),
      column("MACHINE", ({ machine }) => StyledLine.piece(machine.replace(/\/.*/, "")), { least: 8, rank: 2 }),
      column("PID", ({ pid }) => StyledLine.raw(String(pid)), { align: "right", rank: 1 })
    ],
    room
  )
}

const summary = (active: number, limit: number | null): string =>
  limit === null
    ? `${active} active`
    : `${active} active of at most ${limit}; change that with: charlotte cluster limit N`
