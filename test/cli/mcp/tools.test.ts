import { expect, it } from "@effect/vitest"
import { stringify } from "yaml"
import { type Permission, permissions } from "../../../src/cli/mcp/Permission.js"
import * as tools from "../../../src/cli/mcp/tools.js"

const listed = (allowed: ReadonlyArray<Permission>) =>
  tools
    .all(new Set(allowed))
    .map(({ call: _, ...tool }) => stringify([tool], { aliasDuplicateObjects: false, lineWidth: 0 }))

it("the MCP server lists the tools of test/snapshots/mcp-tools.yaml", () => {
  const all = listed(permissions)
  const others = listed([]).filter((tool) => !all.includes(tool))
  return expect(`# With all permissions\n${all.join("")}# Without permissions\n${others.join("")}`).toMatchFileSnapshot(
    "../../snapshots/mcp-tools.yaml"
  )
})
