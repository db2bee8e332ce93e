/**
 * The tests, with the mutants of a plan in the sources that they load. Nothing on the disk changes. Programs that tests start from
 * sources or bundles of them have no mutants, and so only tests are run that call the product themselves.
 */
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { mergeConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import base from "../../vitest.config.js"
import { instrumented } from "./mutations.js"
import { readPlan, variable } from "./Plan.js"

const plan = readPlan(process.env[variable] ?? "")

const mutants = {
  name: "mutants",
  enforce: "pre",
  transform: (_: string, id: string) => {
    const planted = plan.mutants.filter(({ file }) => join(plan.root, file) === id)
    return planted.length === 0 ? undefined : { code: instrumented(readFileSync(id, "utf8"), planted), map: null }
  }
} as const

/** Small files first: they catch most bugs, and what is caught costs no more. */
class Sequencer extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    return files.sort((a, b) => statSync(a.moduleId).size - statSync(b.moduleId).size)
  }
}

export default mergeConfig(base, {
  root: plan.root,
  plugins: [mutants],
  test: {
    runner: join(import.meta.dirname, "Runner.ts"),
    reporters: [{}],
    sequence: { sequencer: Sequencer },
    fileParallelism: false,
    poolOptions: { forks: { isolate: false, minForks: 1, maxForks: 1 } }
  }
})
