/**
 * The CPU cost of a job beside very many others, and how long it takes to read them.
 */
import { type Benchmark, type Measured, milliseconds, ratio, type Settings } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import { run } from "../harness/Subjects.js"

const jobs = 1_000_000
const events = 10

const subject = (active: number, millis: number, database = {}) => ({
  script: "subjects/scale.ts",
  parameters: { synchronous: "FULL", active, warmUp: 700, millis, ...database }
})

const cost = (what: string, ours: ReadonlyArray<number>, theirs: ReadonlyArray<number>): Measured =>
  ratio({
    what: `CPU per job beside ${what}`,
    against: "beside 1,000 active jobs",
    ours,
    theirs,
    suffix: " µs",
    must: { atMost: 1.5 },
    goal: { atMost: 1.25 }
  })

const look = (what: string, values: ReadonlyArray<number>, must: number, goal: number) =>
  milliseconds(`${what} at 1,000,000 recorded jobs, p95`, values, must, goal)

/** Costs and reads take turns; a database is filled for them first. */
const measure = async (settings: Settings, file: string) => {
  const { millis } = settings
  const parameters = { synchronous: "FULL", file }
  await run({ script: "subjects/fill.ts", parameters: { ...parameters, jobs, events } })
  process.stderr.write(" filled ")
  return compare(settings, {
    ten: subject(10, millis),
    thousand: subject(1_000, millis),
    tenThousand: subject(10_000, millis),
    recorded: subject(1_000, millis, { file }),
    look: { script: "subjects/look.ts", parameters: { ...parameters, jobs, times: 500 } }
  })
}

export const scale: Benchmark = {
  name: "scale",
  title: "Cost per job at scale",
  run: async (settings) => {
    const figure = await measure(settings, `${settings.directory}/filled.db`)
    const cpu = (name: "ten" | "thousand" | "tenThousand" | "recorded") => figure(name, "cpuMicros")
    return [
      cost("10 active jobs", cpu("ten"), cpu("thousand")),
      cost("10,000 active jobs", cpu("tenThousand"), cpu("thousand")),
      cost("1,000 active, 1,000,000 recorded jobs with 10,000,000 events", cpu("recorded"), cpu("thousand")),
      look("a page of all", figure("look", "list"), 50, 20),
      look("a page of a status", figure("look", "status"), 50, 20),
      look("a page of a label", figure("look", "label"), 50, 20),
      look("get", figure("look", "get"), 5, 1)
    ]
  }
}
