/**
 * `charlotte subscribers`: the subscribers of applications to the events of jobs.
 */
import { Either } from "effect"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"
import { json } from "./parameters.js"

const name = Parameter.argument("name", {
  description: "The name of the subscriber, as shown by charlotte subscribers list.",
  decode: Either.right
})

const list = CommandTree.command(
  {
    description:
      "Show the subscribers. Shows how far behind each is, and the events that its handler fails on or that were put aside.",
    example: "charlotte subscribers list",
    parameters: { json }
  },
  async () => (await import("../subscribers/listSubscribers.js")).listSubscribers
)

const retry = CommandTree.command(
  {
    description: "Handle the events of a subscriber again that were put aside.",
    example: "charlotte subscribers retry invoices",
    parameters: { name, json }
  },
  async () => (await import("../subscribers/changeSubscriber.js")).retrySubscriber
)

const remove = CommandTree.command(
  {
    description:
      "Remove a subscriber that no process runs. Its cursor and the events that were put aside are lost, and retention keeps no job for it any more.",
    example: "charlotte subscribers remove invoices",
    parameters: { name, json }
  },
  async () => (await import("../subscribers/changeSubscriber.js")).removeSubscriber
)

export const subscribers: CommandTree.Group = {
  description: "Manage the subscribers to events of jobs.",
  children: { list, retry, remove },
  synonyms: { ls: ["list"], show: ["list"], status: ["list"], rm: ["remove"], delete: ["remove"], resume: ["retry"] }
}
