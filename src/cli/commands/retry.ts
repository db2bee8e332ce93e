/**
 * `charlotte retry`: starts a new job from what another has completed.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { job, json, retryTarget } from "./parameters.js"

export const retry = CommandTree.command(
  {
    description: "Start a new job from what a failed or cancelled one has completed, to do the rest, and follow it.",
    example: "charlotte retry latest",
    parameters: { job, target: retryTarget, json }
  },
  async () => (await import("../run/retryJob.js")).retryJob
)
