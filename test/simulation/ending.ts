/**
 * What is checked and reported at the end of a seed.
 */
import { Effect } from "effect"
import * as Audit from "../../src/store/Audit.js"
import type { Database } from "./Database.js"
import type { Machine } from "./Machine.js"
import { number } from "./rows.js"
import type { Report } from "./Simulation.js"

/** What the audit of the store finds is a violation, but for what a process has left. */
export const audit = ({ plain }: Pick<Database, "plain">, { violate }: Pick<Machine, "violate">, maxJobs: number) => {
  const { violations } = Effect.runSync(Effect.provide(Audit.run({ maxJobs }), plain))
  for (const { found, remedy, wrong } of violations) if (remedy !== "process") violate(`${wrong}: ${found}`)
}

export const reportOf = (
  database: Pick<Database, "query">,
  { trace, violations }: Pick<Machine, "trace" | "violations">,
  counted: Pick<Report, "seed" | "steps" | "crashes" | "jobs">
): Report => {
  const [events] = database.query("SELECT count(*) AS n FROM charlotte_events")
  return {
    ...counted,
    alive: 0,
    recovery: 0,
    events: events === undefined ? 0 : number(events, "n"),
    merges: 0,
    violations,
    digest: trace.digest(),
    trace: trace.lines()
  }
}
