/**
 * `npm run simulate -- --seeds 100000 [--from SEED]` runs many seeds, `npm run simulate -- --seed SEED` one, and prints all of
 * it. With `--cluster`, the seeds are of several nodes, with `--schedules` of a schedule, with `--groups` of groups, with `--children` of
 * children, with `--versions` of two versions of a kind, with `--wordings` of the wordings with which agents fail. `--nights N` and
 * `--night SEED` do the same for nights of agents.
 */
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import * as Bundle from "./Bundle.js"
import * as Figures from "./Figures.js"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    nights: { type: "string" },
    night: { type: "string" },
    cluster: { type: "boolean", default: false },
    groups: { type: "boolean", default: false },
    children: { type: "boolean", default: false },
    versions: { type: "boolean", default: false },
    wordings: { type: "boolean", default: false },
    schedules: { type: "boolean", default: false },
    processes: { type: "string", default: String(availableParallelism()) }
  }
})

const isNight = values.nights !== undefined || values.night !== undefined
const of: Figures.Subject = isNight
  ? "nights"
  : ((["children", "cluster", "groups", "schedules", "versions", "wordings"] as const).find(
      (subject) => values[subject]
    ) ?? "one")

const say = (text: string) => process.stdout.write(`${text}\n`)

const number = (name: keyof typeof values): number => {
  const value = Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is a whole number`)
  return value
}

/** So many seeds at a time, that a long run is heard of. */
const portion = isNight ? 100 : 2_000

const many = async (): Promise<boolean> => {
  const [from, processes] = [number("from"), number("processes")]
  const seeds = number(isNight ? "nights" : "seeds")
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

const one = (seed: number) => Bundle.withBundle([], (bundle) => Bundle.trace(bundle, of, seed))

const isOne = values.seed !== undefined || values.night !== undefined
const isSound = isOne ? await one(number(isNight ? "night" : "seed")) : await many()
process.exitCode = isSound ? 0 : 1
