/**
 * `charlotte cluster`: the nodes of a cluster.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json } from "./parameters.js"

const status = CommandTree.command(
  {
    description:
      "Show the nodes of the cluster. Shows whether each is alive, dead or draining, how many jobs it runs and may run, which version of the kind it has, and how many jobs the cluster may run. Exits with 69 if no node is alive.",
    example: "charlotte cluster status",
    isLocal: true,
    parameters: { json }
  },
  async () => (await import("../cluster/status.js")).status
)

const node = Parameter.argument("node", {
  description: "The address of the node, as shown by charlotte cluster status, or its host.",
  decode: Either.right
})

const wait = Parameter.flag("wait", { description: "Wait until the node runs no jobs." })

const undo = Parameter.flag("undo", { description: "Let the node take jobs again." })

const drain = CommandTree.command(
  {
    description:
      "Keep new jobs from a node until it is restarted. Other nodes begin them, also those that wait. Jobs that it runs continue there to their end; those of a node that is shut down continue on others.",
    example: "charlotte cluster drain 10.0.0.5:7440 --wait",
    isLocal: true,
    parameters: { node, wait, undo, json }
  },
  async () => (await import("../cluster/drain.js")).drain
)

const maxJobs = Parameter.argument("limit", {
  description: "A whole number, 1 or more.",
  decode: (text) =>
    /^[1-9]\d{0,5}$/.test(text)
      ? Either.right(Number(text))
      : Either.left({ problem: `invalid limit "${text}": expected a whole number, 1 or more` })
})

const limit = CommandTree.command(
  {
    description:
      "Limit how many jobs the cluster runs at once. The limit applies at once, to all nodes together; running jobs continue. It starts as the maxJobs of the node that joined first.",
    example: "charlotte cluster limit 40",
    isLocal: true,
    parameters: { maxJobs, json }
  },
  async () => (await import("../cluster/limit.js")).limit
)

const dryRun = Parameter.flag("dry-run", {
  description: "Print the SQL that would be run, as input for psql, without running it."
})

const migrate = CommandTree.command(
  {
    description:
      "Migrate the PostgreSQL database. Brings its tables up to this version of Charlotte; otherwise the first daemon of this version does.",
    example: "charlotte cluster migrate --dry-run",
    isLocal: true,
    parameters: { dryRun, json }
  },
  async () => (await import("../cluster/migrate.js")).migrate
)

export const cluster: CommandTree.Group = {
  description: "Manage the nodes of a cluster. Nodes are daemons that share one PostgreSQL database.",
  children: {
    status,
    drain,
    limit,
    migrate
  },
  synonyms: { ls: ["status"], list: ["status"], nodes: ["status"], cordon: ["drain"], uncordon: ["drain"] }
}
