/**
 * `npm run simulate -- --seeds 100000 [--from SEED]` runs many seeds, `npm run simulate -- --seed SEED` one, and tells all of
 * it. With `--cluster`, the seeds are those of several nodes.
 */
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import * as Bundle from "./Bundle.js"
import * as Cluster from "./cluster/Simulation.js"
import * as Figures from "./Figures.js"
import * as Simulation from "./Simulation.js"
import * as Template from "./Template.js"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    cluster: { type: "boolean", default: false },
    processes: { type: "string", default: String(availableParallelism()) }
  }
})

const of: Figures.Subject = values.cluster ? "cluster" : "one"

const say = (text: string) => process.stdout.write(`${text}\n`)

const number = (name: keyof typeof values): number => {
  const value = Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is a whole number`)
  return value
}

/** So many seeds at a time, that a long run is heard of. */
const portion = 2_000

const many = async (): Promise<boolean> => {
  const [from, seeds, processes] = [number("from"), number("seeds"), number("processes")]
  const figures = await Bundle.withBundle([], async (bundle) => {
    let all = Figures.none
    for (let done = 0; done < seeds; done += portion) {
      const part = { of, from: from + done, seeds: Math.min(portion, seeds - done), processes }
      const found = await Bundle.run(bundle, part)
      for (const failure of found.failures) say(Figures.describe(failure, of))
      all = Figures.both(all, found)
      if (seeds > portion) say(`… ${Figures.line(all)}`)
    }
    return all
  })
  say(Figures.line(figures))
  return figures.failures.length === 0
}

const one = (seed: number): boolean => {
  const { run } = values.cluster ? Cluster : Simulation
  const { digest, trace, violations } = run(seed, { content: Template.make(), keep: Infinity })
  for (const line of trace) say(line)
  for (const violation of violations) say(`violation: ${violation}`)
  say(`trace ${digest}, ${violations.length} violations`)
  return violations.length === 0
}

const isSound = values.seed === undefined ? await many() : one(number("seed"))
// As in the worker: what has crashed may keep a timer.
process.stdout.write("", () => process.exit(isSound ? 0 : 1))
