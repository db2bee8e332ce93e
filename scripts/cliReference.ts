/**
 * Writes docs/cli.md: the `--help` text of every command, found by following the commands that each help lists. With `--print`, it
 * only prints the page. Run it with `npx tsx scripts/cliReference.ts`.
 */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { copyFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { bundle } from "../test/support/bundle.js"
import * as TemporaryDirectory from "../test/support/TemporaryDirectory.js"

const root = fileURLToPath(new URL("..", import.meta.url))

const introduction = `# The command line

<!-- Written by \`npx tsx scripts/cliReference.ts\`. -->

Written from the commands' own help. [Operations](operations.md) has the exit codes and how commands, daemon and jobs belong together.
`

/** The names in the section "Commands" of a help text. */
const childrenIn = (help: string): ReadonlyArray<string> => {
  const [, section = ""] = /^Commands\n((?: {2}.*\n|\n(?= {2}))+)/m.exec(help) ?? []
  return [...section.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name = ""]) => name)
}

const sections = async (program: string, path: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...path, "--help"], {
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "80" }
  })
  const own = `## \`${["charlotte", ...path].join(" ")}\`\n\n\`\`\`text help\n${stdout.trim()}\n\`\`\`\n`
  const others: Array<string> = []
  for (const name of childrenIn(stdout)) others.push(...(await sections(program, [...path, name])))
  return [own, ...others]
}

const reference = Effect.scoped(
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const program = yield* bundle(directory, join(root, "src", "cli", "bin.ts"))
    copyFileSync(join(root, "package.json"), join(directory, "package.json"))
    const all = yield* Effect.promise(() => sections(program, []))
    return [introduction, ...all].join("\n")
  })
)

const text = await Effect.runPromise(reference)
if (process.argv.includes("--print")) process.stdout.write(text)
else writeFileSync(join(root, "docs", "cli.md"), text)
