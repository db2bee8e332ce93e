/**
 * What activities of workflows, steps and suspended executions cost.
 */
import { spawnSync } from "node:child_process"
import {
  atMost,
  type Benchmark,
  type Line,
  type Measured,
  ratio,
  readable,
  type Settings
} from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import { median } from "../harness/Statistics.js"
import { run } from "../harness/Subjects.js"

const script = "subjects/workflow.ts"
/** Of each execution, so that the five or six commits of its own start and end hardly count. */
const activities = 200
const peer = "ClusterWorkflowEngine of @effect/cluster"

const at = (callers: number): string => (callers === 1 ? "alone" : `${callers} at once`)

/** Processor time, in a closed loop. */
const cpu = async (callers: number, settings: Settings): Promise<ReadonlyArray<Line>> => {
  const parameters = {
    callers,
    activities,
    synchronous: "FULL",
    warmUp: settings.warmUp,
    millis: settings.millis,
    times: -1
  }
  const of = (what: string) => ({ script, parameters: { what, ...parameters } })
  const figure = await compare(settings, {
    charlotte: of("charlotte"),
    cluster: of("cluster"),
    steps: of("steps")
  })
  const line = (what: string, ours: "charlotte" | "steps", against: string, must: number, goal: number): Measured =>
    ratio({
      what: `CPU per ${what}, FULL, ${at(callers)}`,
      against,
      ours: figure(ours, "cpuMicros"),
      theirs: figure("cluster", "cpuMicros"),
      suffix: " µs",
      must: { atMost: must },
      goal: { atMost: goal }
    })
  return [
    line("activity", "charlotte", peer, 0.35, 0.25),
    line("`job.step`", "steps", `an activity of ${peer}`, 0.25, 0.15)
  ]
}

/** Counted by strace, without what the process needs to open its database. */
const syncs = async (
  { callers, goal, must, times }: { readonly [name in "callers" | "times" | "must" | "goal"]: number },
  settings: Settings
): Promise<Line> => {
  const what = `fsyncs per activity, FULL, ${at(callers)}`
  if (spawnSync("strace", ["-V"]).error !== undefined) return { what, against: peer, unmeasured: "there is no strace" }
  const of = (what: string, times: number) => ({
    script,
    parameters: { what, callers, activities, synchronous: "FULL", times },
    countsSyncs: true
  })
  const figure = await compare(
    { ...settings, runs: 1 },
    {
      ours: of("charlotte", times),
      oursAtRest: of("charlotte", 0),
      peer: of("cluster", times),
      peerAtRest: of("cluster", 0)
    }
  )
  const per = (name: "ours" | "peer") =>
    (median(figure(name, "syncs")) - median(figure(`${name}AtRest`, "syncs"))) / median(figure(name, "count"))
  return {
    what,
    against: peer,
    figure: readable(per("ours")),
    base: readable(per("peer")),
    values: [per("ours")],
    unit: "syncs",
    must: { atMost: must },
    goal: { atMost: goal }
  }
}

/** The memory of suspended executions, and what they cost the next process. */
const suspended = async (settings: Settings): Promise<ReadonlyArray<Line>> => {
  const fill = async (executions: number) => {
    const file = `${settings.directory}/suspended-${executions}.db`
    const { kilobytes = Number.NaN } = await run({
      script: "subjects/suspended.ts",
      parameters: { executions, file, synchronous: "NORMAL" },
      node: ["--expose-gc"]
    })
    return { kilobytes, restart: { script: "subjects/restart.ts", parameters: { file, synchronous: "FULL" } } }
  }
  const few = await fill(100)
  const many = await fill(10_000)
  const figure = await compare(settings, { few: few.restart, many: many.restart })
  return [
    atMost("heap per suspended execution, at 10,000", [many.kilobytes], "KB", 0.3, 0.1),
    ratio({
      what: "CPU of a restart with 10,000 suspended executions",
      against: "with 100",
      ours: figure("many", "cpuMillis"),
      theirs: figure("few", "cpuMillis"),
      suffix: " ms",
      must: { atMost: 1.3 },
      goal: { atMost: 1.1 }
    })
  ]
}

export const workflow: Benchmark = {
  name: "workflow",
  title: "Workflows",
  run: async (settings) => [
    ...(await cpu(1, settings)),
    ...(await cpu(20, settings)),
    await syncs({ callers: 1, times: 5, must: 1.05, goal: 1.03 }, settings),
    await syncs({ callers: 20, times: 1, must: 0.15, goal: 0.1 }, settings),
    ...(await suspended(settings))
  ]
}
