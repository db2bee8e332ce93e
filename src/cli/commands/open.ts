/**
 * `charlotte open`: opens the page in a browser.
 */
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json, optionalJob } from "./parameters.js"

const print = Parameter.flag("print", {
  description: "Print the address of the page, which works only once and within a minute, instead of opening it."
})

const revoke = Parameter.flag("revoke", {
  description: "End the sessions of all browsers that have opened the page."
})

export const open = CommandTree.command(
  {
    description:
      "Open the page in the browser. With a job, opens the view of that job. Starts the daemon if nothing holds the home, and opens a port on 127.0.0.1 if none is open. Uses $BROWSER if it is set.",
    example: "charlotte open latest",
    isLocal: true,
    parameters: { job: optionalJob, print, revoke, json }
  },
  async () => (await import("../page/open.js")).open
)
