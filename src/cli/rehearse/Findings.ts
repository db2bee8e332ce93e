/**
 * What a rehearsal has found, by kind and by problem.
 */
import type { Recorded } from "../../store/Rehearsal.js"
import * as format from "../terminal/format.js"
import * as StyledLine from "../terminal/StyledLine.js"
import type { Reply } from "./protocol.js"

/** A problem that jobs of a kind have. */
export interface Problem {
  readonly kind: string
  readonly problem: string
  readonly isLive: boolean
  readonly jobs: number
  /** The id of one of these jobs. */
  readonly example: string
}

interface Jobs {
  readonly jobs: number
  readonly failing: number
}

/** Jobs that were not rehearsed. */
interface Unrehearsed extends Omit<Problem, "example"> {}

export interface Report {
  readonly live: Jobs
  readonly ended: Jobs
  readonly steps: number
  readonly problems: ReadonlyArray<Problem>
  readonly unrehearsed: ReadonlyArray<Unrehearsed>
}

const notInModule = "the module does not have the kind"

/** Jobs by what they have in common. */
const grouped = () => {
  const groups = new Map<string, { readonly record: Recorded; readonly problem: string; readonly jobs: Set<string> }>()
  return {
    add: (record: Recorded, problem: string) => {
      const key = JSON.stringify([record.isLive, record.kind, problem])
      const group = groups.get(key) ?? { record, problem, jobs: new Set() }
      group.jobs.add(record.job)
      groups.set(key, group)
    },
    all: (): ReadonlyArray<Problem> =>
      [...groups.values()].map(({ jobs, problem, record: { isLive, job: example, kind } }) => ({
        kind,
        problem,
        isLive,
        jobs: jobs.size,
        example
      }))
  }
}

export const make = (kinds: ReadonlySet<string>) => {
  const count = { live: 0, ended: 0 }
  const failing = { live: new Set<string>(), ended: new Set<string>() }
  const problems = grouped()
  const unrehearsed = grouped()
  return {
    add: (page: ReadonlyArray<Recorded>, verdicts: ReadonlyArray<Reply.Verdict>): void => {
      for (const [i, record] of page.entries()) {
        const jobs = record.isLive ? "live" : "ended"
        if (record.of === "config" && kinds.has(record.kind)) count[jobs] += 1
        if (record.of === "config" && !kinds.has(record.kind)) unrehearsed.add(record, notInModule)
        const verdict = verdicts[i]
        if (verdict === null || verdict === undefined) continue
        if ("unrehearsed" in verdict) unrehearsed.add(record, `the schema of ${verdict.unrehearsed} needs services`)
        // A job counts with its first problem.
        else if (!failing[jobs].has(record.job)) {
          failing[jobs].add(record.job)
          problems.add(record, verdict.problem)
        }
      }
    },
    report: (steps: number): Report => ({
      live: { jobs: count.live, failing: failing.live.size },
      ended: { jobs: count.ended, failing: failing.ended.size },
      steps,
      problems: problems.all(),
      unrehearsed: unrehearsed.all().map(({ example: _, ...jobs }) => jobs)
    })
  }
}

const number = (n: number): string => n.toLocaleString("en-US")

const jobs = (n: number, adjective: string): string => `${number(n)} ${adjective} ${n === 1 ? "job" : "jobs"}`

const summary = (
  adjective: string,
  { failing, jobs: all }: Jobs,
  [verb, verbs, not]: readonly [string, string, string]
) => {
  const good = all - failing
  const text = `${jobs(all, adjective)}: ${number(good)} ${good === 1 ? verb : verbs}`
  return failing === 0 ? text : `${text}; ${number(failing)} ${not}`
}

export const render = ({ ended, live, problems, steps, unrehearsed }: Report): ReadonlyArray<StyledLine.Line> => {
  const found = (isLive: boolean) =>
    problems
      .filter((problem) => problem.isLive === isLive)
      .map(({ example, jobs, kind, problem }) => [
        StyledLine.raw(`  ${number(jobs)} of ${kind}: `),
        StyledLine.piece(problem),
        StyledLine.raw(`, such as job ${example}`, "faint")
      ])
  return [
    [
      StyledLine.raw(live.failing === 0 ? "✓ " : "✗ ", live.failing === 0 ? "good" : "bad"),
      StyledLine.raw(summary("live", live, ["continues", "continue", live.failing === 1 ? "does not" : "do not"]))
    ],
    ...found(true),
    ...(ended.jobs === 0
      ? []
      : [
          [
            StyledLine.raw(
              `  ${summary("ended", ended, ["decodes", "decode", ended.failing === 1 ? "does not" : "do not"])}`
            )
          ]
        ]),
    ...found(false),
    ...unrehearsed.map(({ isLive, jobs: n, kind, problem }) => [
      StyledLine.raw("  not rehearsed: ", "strong"),
      StyledLine.raw(`${jobs(n, isLive ? "live" : "ended")} of ${kind}: ${problem}`)
    ]),
    ...(steps === 0
      ? []
      : [[StyledLine.raw(`  ${format.count(steps, "step")} recorded, which no schema decodes`, "faint")]])
  ]
}
