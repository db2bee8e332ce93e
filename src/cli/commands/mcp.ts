/**
 * `charlotte mcp`: an MCP server on standard input and output, for a person's own agent.
 */
import { Either } from "effect"
import { isPermission, type Permission, permissions } from "../mcp/Permission.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as Parameter from "../parser/Parameter.js"

const allow = Parameter.repeatedOption<ReadonlyArray<Permission>>(
  "allow",
  {
    placeholder: "WHAT",
    description: `What the agent may also do: ${permissions.join(", ")}; several are separated by commas, or the option is repeated.`
  },
  (text) => {
    const words = text.split(",")
    return words.every(isPermission)
      ? Either.right(words)
      : Either.left(`${permissions.join(", ")}, or several of them`)
  }
)

export const mcp = CommandTree.command(
  {
    description:
      "Serve your own agent over MCP. By the Model Context Protocol it can plan, start, follow, explain, answer, retry and stop jobs. The agent starts this command, and talks to it on standard input and output. Refused inside a job.",
    example: "charlotte mcp --allow approve,land",
    parameters: { allow: { ...allow, choices: permissions } }
  },
  async () => (await import("../mcp/serveMcp.js")).serveMcp
)
