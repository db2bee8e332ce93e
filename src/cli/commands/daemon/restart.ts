/**
 * `charlotte daemon restart`: replaces the daemon with one of this version, which resumes its jobs.
 */
import * as CommandTree from "../../parser/CommandTree.js"
import { json } from "../parameters.js"
import { database, node, port } from "./parameters.js"

export const restart = CommandTree.command(
  {
    description:
      "Restart the daemon, or start it. It keeps its port if it had one. Its jobs are interrupted and resumed.",
    example: "charlotte daemon restart",
    isLocal: true,
    parameters: { ...port, database, ...node, json }
  },
  async () => (await import("../../daemon/restart.js")).restart
)
