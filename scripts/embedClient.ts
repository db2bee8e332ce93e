/**
 * Copies the client of `@effect/sql-sqlite-node` into `dist`, in place of the module that re-exports it, so that an application
 * gets one better-sqlite3, and compiles nothing.
 */
import { readFile, rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

const source = new URL("../node_modules/@effect/sql-sqlite-node/", import.meta.url)
const target = new URL("../dist/store/sqlite/", import.meta.url)

const licence = await readFile(new URL("LICENSE", source), "utf8")
const notice = `/*\n * From @effect/sql-sqlite-node.\n *\n${licence.trim().replaceAll(/^/gm, " * ").replaceAll(/ +$/gm, "")}\n */\n`

const embed = async (from: string, to: string) => {
  const code = await readFile(new URL(from, source), "utf8")
  const local = /from "(\.[^"]*)"/.exec(code)
  if (local !== null) throw new Error(`${fileURLToPath(new URL(from, source))} imports ${local[1]}: embed that, too`)
  await writeFile(new URL(to, target), notice + code.replace(/^\/\/# sourceMappingURL=.*$/m, ""))
  await rm(new URL(`${to}.map`, target), { force: true })
}

await embed("dist/esm/SqliteClient.js", "SqliteClient.js")
await embed("dist/dts/SqliteClient.d.ts", "SqliteClient.d.ts")
