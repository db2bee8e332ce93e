/**
 * Runs tests and prints what each file costs, the dearest first: `npm run costs -- --project chaos`, with the arguments of `vitest run`.
 * Processor time, not the time on the clock, so that a busy machine changes little.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Schema } from "effect"

const read = Schema.decodeSync(
  Schema.parseJson(
    Schema.Struct({ test: Schema.String, own: Schema.Number, children: Schema.Number, started: Schema.Number })
  )
)

const directory = mkdtempSync(join(tmpdir(), "charlotte-costs-"))
try {
  const file = join(directory, "costs")
  const { status } = spawnSync("vitest", ["run", ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, CHARLOTTE_TEST_COSTS: file }
  })
  const rows = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => read(line))
  const print = (own: number, children: number, started: number, test: string) =>
    process.stdout.write(
      `${own.toFixed(1).padStart(8)} ${children.toFixed(1).padStart(9)} ${String(started).padStart(8)}  ${test}\n`
    )
  process.stdout.write("\n   CPU s  children  started  file\n")
  for (const { children, own, started, test } of rows.sort((a, b) => b.own + b.children - a.own - a.children))
    print(own, children, started, test)
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0)
  print(
    sum(({ own }) => own),
    sum(({ children }) => children),
    sum(({ started }) => started),
    "together"
  )
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true })
}
