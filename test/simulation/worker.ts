/**
 * Runs every `stride`-th of the seeds from the first to the last, of one manager, of a cluster, of nights, of wordings, of a schedule, of groups, of
 * children or of versions of a kind, and writes the figures as one line of JSON. Stops at the first seed with a violation that matches, if
 * a pattern is given. With one seed only, it prints all that happens.
 */
import { performance } from "node:perf_hooks"
import * as Children from "./children/Simulation.js"
import * as Cluster from "./cluster/Simulation.js"
import * as Figures from "./Figures.js"
import * as Groups from "./groups/Simulation.js"
import * as Night from "./nights/Night.js"
import * as Schedules from "./schedules/Simulation.js"
import * as Simulation from "./Simulation.js"
import * as Template from "./Template.js"
import * as Wordings from "./nights/Wordings.js"
import * as Versions from "./versions/Simulation.js"

const [of = "one", ...range] = process.argv.slice(2)
const subjects = {
  one: Simulation,
  cluster: Cluster,
  nights: Night,
  wordings: Wordings,
  schedules: Schedules,
  groups: Groups,
  children: Children,
  versions: Versions
}
const isSubject = (name: string): name is Figures.Subject => name in subjects
const { run } = subjects[isSubject(of) ? of : "one"]
const [first = 1, last, stride = 1] = range.slice(0, 3).map(Number)
const pattern = range[3]
const content = Template.make()

// The fibers of a manager that has crashed are left as they are, and an `Effect.never` among them keeps a timer of the process.
const end = (text: string, code = 0) => process.stdout.write(`${text}\n`, () => process.exit(code))

if (last === undefined) {
  const { digest, trace, violations } = run(first, { content, keep: Infinity })
  const found = violations.map((violation) => `violation: ${violation}`)
  const sum = `trace ${digest}, ${violations.length} violations`
  end([...trace, ...found, sum].join("\n"), violations.length === 0 ? 0 : 1)
} else {
  const isSought = pattern === undefined ? () => false : (text: string) => new RegExp(pattern).test(text)
  let figures = Figures.none
  for (let seed = first; seed <= last; seed += stride) {
    const begun = performance.now()
    const report = run(seed, { content })
    figures = Figures.both(figures, Figures.ofOne(report, performance.now() - begun))
    if (report.violations.some(isSought)) break
  }
  end(JSON.stringify(figures))
}
