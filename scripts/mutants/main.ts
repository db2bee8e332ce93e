/**
 * `npm run mutants`: plants small bugs in sources, one at a time, runs the nearest tests, and lists the bugs that none of them notices.
 * No file of the checkout changes, so that a run can be killed at any moment, and several can run at once.
 */
import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import manifest from "../../package.json" with { type: "json" }
import { addedLines, draw } from "./draw.js"
import { mutationsOf } from "./mutations.js"
import { importersOf, modulesBelow, nearest, resolver } from "./nearest.js"
import { type Mutant, planFile, readReports, report, variable } from "./Plan.js"

const help = `npm run mutants [-- OPTIONS] [-- FILE…]

Plants small bugs in the sources, one at a time, runs the nearest tests, and lists the bugs that no test notices.
Exits with 1 if there are some.

  FILE…           files or directories of src; all, if there are none
  --since COMMIT  only in lines that are new or changed since that commit; origin/main, if there is no FILE either
  --most N        plants at most N bugs, chosen at random (100)
  --seed S        chooses the same bugs again (1)
  --only ID,…     plants only those of the chosen bugs
  --files K       runs at most K test files for each bug (8)
  --budget S      runs tests for at most S seconds of the processor for each bug, the cheapest first (60)
  --list          lists the bugs, and plants none

Tests of unit, integration and e2e are run, those that reach the bug. The sources of the page and of PostgreSQL are left out, since their
tests are in other tiers. A program that a test starts has no bug: what only such a program runs is listed as not reached.`

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "")
const tiers = ["unit", "integration", "e2e"]

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    since: { type: "string" },
    most: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    files: { type: "string", default: "8" },
    budget: { type: "string", default: "60" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})

const print = (text: string) => process.stdout.write(`${text}\n`)

const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
const projects = tiers.flatMap((name) => ["--project", name])

const testFiles = (): ReadonlyArray<string> => {
  const args = [vitest, "list", "--filesOnly", "--json", ...projects]
  const listed: ReadonlyArray<{ readonly file: string }> = JSON.parse(
    execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" })
  )
  return listed.map(({ file }) => file.slice(root.length + 1))
}

/** All mutants of the sources that are named, in a fixed order. */
const candidates = () => {
  const since = values.since ?? (positionals.length === 0 ? "origin/main" : undefined)
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 })
  const named = positionals.length === 0 ? ["src"] : positionals
  const files = git("ls-files", "--", ...named)
    .split("\n")
    .filter((file) => /^src\/(?!web\/|.*postgres).*\.ts$/.test(file) && existsSync(join(root, file)))
  const changed = since === undefined ? undefined : addedLines(git("diff", "-U0", "-M", since, "--", ...named))
  return files.flatMap((file) => {
    const isChanged = changed === undefined ? () => true : changed.get(file)
    if (isChanged === undefined) return []
    return mutationsOf(file, readFileSync(join(root, file), "utf8"))
      .filter(({ line }) => isChanged(line))
      .map((mutation) => ({ ...mutation, file }))
  })
}

const withTests = (drawn: ReadonlyArray<Omit<Mutant, "tests">>): ReadonlyArray<Mutant> => {
  const exported = Object.entries(manifest.exports).flatMap(([name, target]) =>
    typeof target === "string"
      ? []
      : [[`charlotte${name.slice(1)}`, target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts")] as const]
  )
  const importers = importersOf(modulesBelow(root, ["src", "test", "examples"]), resolver(root, new Map(exported)))
  const tests = new Set(testFiles())
  const known = new Map<string, ReadonlyArray<string>>()
  return drawn.map((mutant) => {
    const near = known.get(mutant.file) ?? nearest(mutant.file, importers, (file) => tests.has(file))
    known.set(mutant.file, near)
    return { ...mutant, tests: near.slice(0, Number(values.files)) }
  })
}

const lineOf = ({ change, file, id, kind, line }: Mutant) => `${file}:${line}: ${kind} [${id}]: ${change}`

const run = async (directory: string, mutants: ReadonlyArray<Mutant>) => {
  const began = Date.now()
  const tests = [...new Set(mutants.flatMap(({ tests }) => tests))]
  const finished = new Set<string>()
  const caught = new Set<number>()
  let shown = 0
  const progress = () => {
    const reports = readReports(directory)
    for (const one of reports.slice(shown)) {
      if (one._tag === "Loaded" && one.failing.length > 0)
        print(`fails without a bug, and is not counted: ${one.test}: ${one.failing.join("; ")}`)
      if (one._tag === "Caught") caught.add(one.id)
      if (one._tag !== "Finished") continue
      finished.add(one.test)
      const seconds = Math.round((Date.now() - began) / 1_000)
      const left = `${mutants.length - caught.size} of ${mutants.length} bugs not caught yet`
      print(`${finished.size} of ${tests.length} test files, ${left}, ${seconds} s`)
    }
    shown = reports.length
    return reports
  }
  /** Ends a process that has not answered for long, such as one in an endless loop: that is noticed, too. */
  const attempt = async (files: ReadonlyArray<string>) => {
    const args = [vitest, "run", "--config", join(import.meta.dirname, "vitest.config.ts"), ...projects, ...files]
    const env = { ...process.env, [variable]: directory }
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "ignore", "pipe"], detached: true })
    let errors = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-4_000)))
    const end = () => child.pid !== undefined && child.exitCode === null && process.kill(-child.pid, "SIGKILL")
    process.once("exit", end)
    let last = { count: -1, at: Date.now() }
    while (child.exitCode === null && child.signalCode === null) {
      await sleep(500)
      const reports = progress()
      if (reports.length !== last.count) last = { count: reports.length, at: Date.now() }
      const latest = reports.at(-1)
      if (latest?._tag === "Begun" && Date.now() - last.at > 3 * latest.limit) {
        report(directory, { _tag: "Caught", id: latest.id, test: latest.test, by: "the time limit" })
        end()
        await sleep(500)
        break
      }
    }
    process.removeListener("exit", end)
    return errors
  }
  for (;;) {
    const before = readReports(directory)
    const left = tests.filter((test) => !before.some((one) => one._tag === "Finished" && one.test === test))
    if (left.length === 0) break
    const errors = await attempt(left)
    if (progress().length === before.length) throw new Error(`the tests do not run:\n${errors}`)
  }
}

const summary = (directory: string, mutants: ReadonlyArray<Mutant>): boolean => {
  const reports = readReports(directory)
  const caught = new Set(reports.flatMap((one) => (one._tag === "Caught" ? [one.id] : [])))
  const passed = (id: number) =>
    reports.flatMap((one) => (one._tag === "Passed" && one.id === id && one.ran > 0 ? [one] : []))
  const left = mutants.filter(({ id }) => !caught.has(id))
  const survivors = left.filter(({ id }) => passed(id).length > 0)
  const unreached = left.filter(({ id }) => passed(id).length === 0)
  print("")
  for (const kind of new Set(mutants.map(({ kind }) => kind))) {
    const all = mutants.filter((mutant) => mutant.kind === kind)
    print(`${kind}: ${all.filter(({ id }) => caught.has(id)).length} of ${all.length} caught`)
  }
  if (survivors.length > 0) print("\nNoticed by no test:")
  for (const mutant of survivors) {
    const ran = passed(mutant.id).map(({ ran, test }) => `${test} (${ran})`)
    print(`${lineOf(mutant)}\n    ran ${ran.join(", ")}`)
  }
  if (unreached.length > 0) print("\nReached by none of the nearest tests:")
  for (const mutant of unreached) print(lineOf(mutant))
  print(
    `\n${mutants.length} bugs: ${caught.size} caught, ${survivors.length} not noticed, ${unreached.length} not reached`
  )
  return left.length === 0
}

const main = async () => {
  if (values.help) return print(help)
  const all = candidates()
  const drawn = draw(all, Number(values.most), Number(values.seed)).map((mutation, i) => ({ ...mutation, id: i + 1 }))
  const only = values.only?.split(",").map(Number)
  const mutants = withTests(only === undefined ? drawn : drawn.filter(({ id }) => only.includes(id)))
  print(`${mutants.length} of ${all.length} bugs, seed ${values.seed}`)
  if (values.list) return mutants.forEach((mutant) => print(`${lineOf(mutant)}\n    ${mutant.tests.join(", ")}`))
  const directory = mkdtempSync(join(tmpdir(), "charlotte-mutants-"))
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(planFile(directory), JSON.stringify({ root, mutants, budget: Number(values.budget) }))
  await run(directory, mutants)
  if (!summary(directory, mutants)) process.exitCode = 1
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
await main()
