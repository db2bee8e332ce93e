/**
 * Runs every `stride`-th of the seeds from the first to the last, of one manager or of a cluster, and writes what came of them as one
 * line of JSON. Stops at the first of which something is said that matches, if a pattern is given.
 */
import { performance } from "node:perf_hooks"
import * as Cluster from "./cluster/Simulation.js"
import * as Figures from "./Figures.js"
import * as Simulation from "./Simulation.js"
import * as Template from "./Template.js"

const { run } = process.argv[2] === "cluster" ? Cluster : Simulation
const [first = 1, last = 1, stride = 1] = process.argv.slice(3, 6).map(Number)
const pattern = process.argv[6]
const isSought = pattern === undefined ? () => false : (text: string) => new RegExp(pattern).test(text)
const content = Template.make()
let figures = Figures.none

for (let seed = first; seed <= last; seed += stride) {
  const begun = performance.now()
  const report = run(seed, { content })
  figures = Figures.both(figures, Figures.ofOne(report, performance.now() - begun))
  if (report.violations.some(isSought)) break
}

// The fibers of a manager that has crashed are left as they are, and an `Effect.never` among them keeps a timer of the process.
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit())
