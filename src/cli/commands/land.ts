/**
 * `charlotte land`: starts a job that lands what another has done.
 */
import * as CommandTree from "../parser/CommandTree.js"
import { job, json, units } from "./parameters.js"

const unit = units("Land only this unit and all that it depends on; may be repeated (default: all that are done).")

export const land = CommandTree.command(
  {
    description:
      "Land the work of an ended job. This is a new job without any agent, which is followed to its end: all gates of the units that land, and the baseline, pass on exactly the commit that lands.",
    example: "charlotte land latest --unit parser",
    parameters: { job, unit, json }
  },
  async () => (await import("../run/landWork.js")).landWork
)
