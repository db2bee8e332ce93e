/**
 * Runs each test file once with no bug, and records which tests reach which mutants; then, for each mutant that no file has caught yet,
 * those tests again. The modules of the product are loaded once for all of that, but for those of a mutant
 * that is reached while they load.
 */
import { type File, type Suite, startTests, type Task, type Test, type VitestRunner } from "@vitest/runner"
import { relative } from "node:path"
import { VitestTestRunner } from "vitest/runners"
import { type Mutant, type Plan, readPlan, readReports, report, variable } from "./Plan.js"

declare global {
  var isPlanted: (id: number) => boolean
}

interface ModuleCache {
  readonly delete: (path: string) => boolean
  readonly invalidateDepTree: (paths: ReadonlyArray<string>) => unknown
}

const directory = process.env[variable] ?? ""
const plan: Plan = readPlan(directory)

/** Reached while a module loads: such a mutant needs the module to be loaded again. */
const whileLoading = new Set<number>()
let live = 0
let isLoading = false
/** Where the mutants that are reached now are recorded. */
let reached: Set<number> | undefined

globalThis.isPlanted = (id) => {
  if (isLoading) whileLoading.add(id)
  reached?.add(id)
  return id === live
}

const testsOf = (tasks: ReadonlyArray<Task>): ReadonlyArray<Test> =>
  tasks.flatMap((task) => (task.type === "suite" ? testsOf(task.tasks) : [task]))

const nameOf = (task: Task): string => {
  const above: Suite | undefined = task.suite
  return above === undefined || above.name === "" ? task.name : `${nameOf(above)} > ${task.name}`
}

const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e6
}

interface Known {
  readonly reached: Set<number>
  cpu: number
  wall: number
}

interface Options {
  readonly isChosen?: (id: string) => boolean
  readonly bails: boolean
}

/** Vitest and its runner declare the same configuration in two ways. */
type Config = VitestTestRunner["config"] & VitestRunner["config"]

/** Runs a test file once, whole or in part, and reports nothing to vitest. */
class Once extends VitestTestRunner {
  override config: Config
  readonly cache: ModuleCache
  readonly options: Options
  readonly tests = new Map<string, Known>()
  /** What hooks reach, and what runs between the tests. */
  readonly between = new Set<number>()
  failed: Test | undefined
  private began = { cpu: 0, wall: 0 }

  constructor(config: Config, cache: ModuleCache, options: Options) {
    super(config)
    this.config = config
    this.cache = cache
    this.options = options
  }

  override async importFile(path: string, source: "collect" | "setup") {
    if (source === "collect") this.cache.delete(path)
    isLoading = true
    try {
      return await super.importFile(path, source)
    } finally {
      isLoading = false
    }
  }

  onCollected(files: Array<File>) {
    reached = this.between
    const { isChosen } = this.options
    if (isChosen === undefined) return
    const skip = (task: Task): boolean => {
      const isSkipped = task.type === "suite" ? task.tasks.map(skip).every(Boolean) : !isChosen(task.id)
      if (isSkipped && task.mode !== "todo") task.mode = "skip"
      return isSkipped
    }
    for (const file of files) skip(file)
  }

  override async onBeforeRunTask(test: Test) {
    await super.onBeforeRunTask(test)
    this.began = { cpu: cpu(), wall: performance.now() }
    const known = { reached: new Set<number>(), cpu: 0, wall: 0 }
    this.tests.set(test.id, known)
    reached = known.reached
  }

  override onAfterRunTask(test: Test) {
    super.onAfterRunTask(test)
    reached = this.between
    const known = this.tests.get(test.id)
    if (known !== undefined) {
      known.cpu = cpu() - this.began.cpu
      known.wall = performance.now() - this.began.wall
    }
    if (test.result?.state !== "fail") return
    this.failed ??= test
    if (this.options.bails) this.cancel("test-failure")
  }
}

// oxlint-disable-next-line import/no-default-export -- vitest takes the default export
export default class Runner extends VitestTestRunner {
  /** The tests of the file are run by others, inside of `onBeforeCollect`. */
  override importFile() {}

  private get cache(): ModuleCache {
    const { moduleCache }: { readonly moduleCache: ModuleCache } = Reflect.get(this, "workerState")
    return moduleCache
  }

  private async once(path: string, options: Options, limit: number, id = 0) {
    const config = {
      ...this.config,
      name: this.config.name ?? "",
      testNamePattern: this.config.testNamePattern ?? /(?:)/,
      chaiConfig: this.config.chaiConfig ?? {},
      includeTaskLocation: this.config.includeTaskLocation ?? false,
      testTimeout: limit,
      hookTimeout: limit,
      bail: 0
    }
    const runner = new Once(config, this.cache, options)
    Object.defineProperty(runner, "__vitest_executor", { value: Reflect.get(this, "__vitest_executor") })
    live = id
    try {
      const [file] = await startTests([path], runner)
      return { runner, file }
    } finally {
      live = 0
      reached = undefined
    }
  }

  async onBeforeCollect([path]: Array<string>) {
    if (path === undefined) return
    const test = relative(plan.root, path)
    const before = readReports(directory)
    if (before.some((report) => report._tag === "Finished" && report.test === test)) return
    const mine = plan.mutants.filter(
      ({ id }) =>
        !before.some(
          (report) =>
            (report._tag === "Caught" && report.id === id) ||
            (report._tag === "Passed" && report.id === id && report.test === test)
        )
    )
    if (mine.length > 0) {
      const { file, runner } = await this.once(path, { bails: false }, 300_000)
      const all = testsOf(file?.tasks ?? [])
      const failing = all.filter(({ result }) => result?.state === "fail")
      const usable = all.filter(({ result }) => result?.state === "pass")
      report(directory, { _tag: "Loaded", test, failing: failing.map(nameOf) })
      for (const mutant of mine) await this.tried(path, test, mutant, usable, runner)
    }
    report(directory, { _tag: "Finished", test })
  }

  private async tried(path: string, test: string, mutant: Mutant, usable: ReadonlyArray<Test>, known: Once) {
    const { id } = mutant
    const isStatic = whileLoading.has(id)
    const isReached = (task: Test) =>
      isStatic || known.between.has(id) || known.tests.get(task.id)?.reached.has(id) === true
    const spent = readReports(directory).reduce(
      (sum, report) => (report._tag === "Passed" && report.id === id ? sum + report.cpu : sum),
      0
    )
    const costs = (task: Test) => known.tests.get(task.id) ?? { cpu: 0, wall: 0 }
    // Half of it is for the nearest ones.
    let left = plan.budget / (mutant.tests.includes(test) ? 1 : 2) - spent
    let wall = 0
    const chosen = new Set<string>()
    for (const task of usable.filter(isReached).sort((a, b) => costs(a).cpu - costs(b).cpu)) {
      left -= costs(task).cpu
      if (left < 0) break
      chosen.add(task.id)
      wall += costs(task).wall
    }
    const limit = 20_000 + 8 * wall
    const run = async (chosen: ReadonlySet<string>, id: number) => {
      const source = [`${plan.root}/${mutant.file}`]
      if (isStatic) this.cache.invalidateDepTree(source)
      const ran = await this.once(path, { isChosen: (task) => chosen.has(task), bails: true }, limit, id)
      if (isStatic) this.cache.invalidateDepTree(source)
      return ran
    }
    if (chosen.size === 0) return
    while (chosen.size > 0) {
      report(directory, { _tag: "Begun", id, test, limit })
      const began = cpu()
      const { file, runner } = await run(chosen, id)
      const { failed } = runner
      if (failed === undefined && file?.result?.state !== "fail")
        return report(directory, { _tag: "Passed", id, test, ran: chosen.size, cpu: cpu() - began })
      // What fails without the bug as well proves nothing: a test before it has left something behind.
      const again = await run(failed === undefined ? chosen : new Set([failed.id]), 0)
      if (again.file?.result?.state !== "fail")
        return report(directory, {
          _tag: "Caught",
          id,
          test,
          by: failed === undefined ? "while it loads" : nameOf(failed)
        })
      if (failed === undefined) break
      chosen.delete(failed.id)
    }
    report(directory, { _tag: "Passed", id, test, ran: 0, cpu: 0 })
  }
}
