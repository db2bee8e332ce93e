/**
 * The text of docs/cli.md: the `--help` of every command.
 */
import type { Command, Group } from "../../src/cli/parser/CommandTree.js"
import { charlotte } from "../../src/cli/parser/commands.js"
import * as help from "../../src/cli/parser/help.js"
import * as StyledLine from "../../src/cli/terminal/StyledLine.js"

const introduction = `# The command line

<!-- Written by \`npx vitest run -u test/docs/generated.test.ts\`. -->

Written from the commands' own help. [Operations](operations.md) has the exit codes and how commands, daemon and jobs belong together.
`

const columns = 80

const sections = (path: ReadonlyArray<string>, node: Command | Group): ReadonlyArray<string> => {
  const lines = help.render(path, node, columns).map((line) => StyledLine.paint(line, false))
  return [
    `## \`${path.join(" ")}\`\n\n\`\`\`text help\n${lines.join("\n").trim()}\n\`\`\`\n`,
    ...("children" in node
      ? Object.entries(node.children).flatMap(([name, child]) => sections([...path, name], child))
      : [])
  ]
}

export const reference = [introduction, ...sections(["charlotte"], charlotte)].join("\n")
