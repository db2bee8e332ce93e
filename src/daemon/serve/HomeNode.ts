/**
 * Whether the daemon of a home is a node of a cluster, by its command line, or else the environment, `config.yaml` or the last command line.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Context, Effect, Option } from "effect"
import { Configuration } from "../config/Configuration.js"
import * as DatabaseChoice from "../config/DatabaseChoice.js"
import type { Home, HomeUnusable } from "../home/Home.js"
import * as HomeDatabase from "../home/HomeDatabase.js"
import { Problem } from "../Problem.js"
import { firstOf, type Node, type NodeSettings, words } from "../config/NodeSettings.js"

/** The settings from the command line of this daemon. */
export class Flags extends Context.Reference<Flags>()("charlotte/HomeNode/Flags", {
  defaultValue: (): NodeSettings => ({})
}) {}

/** The settings of the last command line. One that names an address says all that the node is to be. */
const last = Effect.flatMap(Flags, ({ advertise }) =>
  advertise === undefined ? HomeDatabase.notedNode : Effect.succeed<NodeSettings>({})
)

/** The settings of the daemon as a node, if it is one. */
export const chosen: Effect.Effect<
  Option.Option<Node>,
  HomeUnusable | Problem,
  Configuration | Home | FileSystem
> = Effect.gen(function* () {
  const flags = yield* Flags
  const { node } = yield* Configuration
  const { advertise, ...others } = firstOf(flags, node, yield* last)
  const [first] = words({ ...flags, advertise: undefined })
  if (advertise === undefined && first !== undefined) {
    return yield* new Problem({
      name: "InvalidNode",
      problem: `${first} is about a node of a cluster; add --advertise HOST:PORT, where other nodes reach this one`
    })
  }
  if (advertise === undefined) return Option.none()
  const database = yield* HomeDatabase.chosen
  if (database._tag === "Sqlite") {
    return yield* new Problem({
      name: "InvalidNode",
      problem:
        `a node of a cluster (--advertise ${advertise}) needs a PostgreSQL database, and this home has a SQLite file; ` +
        `add --database ${DatabaseChoice.example}`
    })
  }
  return Option.some({ ...others, advertise })
})

/** The settings from the command line of this daemon, or else from that of the last one. */
export const remembered = Effect.gen(function* () {
  return firstOf(yield* Flags, yield* last)
})

/** The node's part of the note for other processes. */
export const note = Effect.gen(function* () {
  const node = yield* chosen
  return Option.isNone(node) ? {} : { node: { advertise: node.value.advertise, flags: yield* remembered } }
})
