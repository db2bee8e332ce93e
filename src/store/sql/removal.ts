/**
 * Statements for the removal of a job: a run goes with all runs of its chain, since they share their steps and children.
 */
import { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Schema } from "effect"
import { JobNotFound, NotRemovable } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import type { Removing } from "../port/RunStoreService.js"
import type { Connection } from "./Dialect.js"
import { hide, isLeft, removed } from "./retention.js"
import { execute, inserter, nullable, query } from "./statements.js"

/** How long it is kept which runs were removed. */
const memory = { days: 365 }

const Flag = Schema.Literal(0, 1)

const selectMembers = query(
  Schema.Struct({
    id: JobId,
    pruned: Flag,
    active: Flag,
    pinned: Flag,
    left: Flag,
    parent: nullable(JobId),
    child: nullable(JobId)
  })
)

const flag = (condition: string) => `CASE WHEN ${condition} THEN 1 ELSE 0 END`

/** The run of its parent's chain that is not over, if there is one: it may take the child over, and read how it has ended. */
const parent = `(SELECT p.id FROM charlotte_runs q CROSS JOIN charlotte_runs p
  WHERE q.id = r.parent AND (p.id = q.id OR p.id = q.chain OR p.chain = coalesce(q.chain, q.id)) AND p.ended_at IS NULL LIMIT 1)`

/** The first child that is not over. */
const child = `(SELECT min(c.id) FROM charlotte_children k CROSS JOIN charlotte_runs c
  WHERE k.job_id = r.id AND c.id = k.child_id AND c.ended_at IS NULL)`

/** The runs of the chain of a run, the run itself first. */
const members = (connection: Connection, { jobId, kind }: Removing) =>
  selectMembers(
    connection,
    `SELECT r.id, r.pruned, ${flag("r.ended_at IS NULL")} AS active, r.pinned, ${flag(isLeft)} AS "left",
       ${parent} AS parent, ${child} AS child
     FROM charlotte_runs o CROSS JOIN charlotte_runs r
     WHERE o.id = ? AND o.kind = ? AND (r.id = o.id OR r.id = o.chain OR r.chain = coalesce(o.chain, o.id))
     ORDER BY CASE WHEN r.id = o.id THEN 0 ELSE 1 END, r.id`,
    [jobId, kind]
  )

type Member = Effect.Effect.Success<ReturnType<typeof members>>[number]

/** What no stop would change comes first, so that nothing is stopped in vain. */
const reasons = NotRemovable.fields.reason.literals

/** For each reason, the job because of which a run cannot be removed. */
const problemsOf = (
  { active, child, id, left, parent, pinned }: Member,
  isPinnedToo: boolean
): { readonly [Reason in NotRemovable["reason"]]: JobId | null } => ({
  pinned: pinned === 1 && !isPinnedToo ? id : null,
  parent,
  active: active === 1 ? id : null,
  child,
  process: left === 1 ? id : null
})

/** Why the runs cannot be removed. */
const refusal = (runs: ReadonlyArray<Member>, { isPinnedToo, jobId }: Removing): NotRemovable | undefined => {
  const problems = runs.map((run) => problemsOf(run, isPinnedToo))
  for (const reason of reasons) {
    const [other] = problems.flatMap((problem) => problem[reason] ?? [])
    if (other !== undefined) return new NotRemovable({ jobId, reason, other: other === jobId ? undefined : other })
  }
  return undefined
}

const insertRemoved = inserter("charlotte_removed", ["id", "at", "removed_by"])

/**
 * Hides a run with its chain, and returns the runs that are hidden; of a run that was removed before, those that still are. It needs the
 * lock of admissions, under which no retry is added to the chain.
 */
export const remove = (
  connection: Connection,
  removing: Removing
): Effect.Effect<ReadonlyArray<JobId>, JobNotFound | NotRemovable | SqlError> =>
  Effect.gen(function* () {
    const { at, by, jobId } = removing
    const before = yield* removed(connection, [jobId])
    const found = yield* members(connection, removing)
    if (before.length > 0) return found.filter(({ pruned }) => pruned === 1).map(({ id }) => id)
    if (found[0]?.pruned !== 0) return yield* new JobNotFound({ jobId })
    const ids = found.map(({ id }) => id)
    yield* connection.dialect.lockRuns(connection, ids)
    // What was read before the lock may have changed.
    const runs = yield* members(connection, removing)
    const refused = refusal(runs, removing)
    if (refused !== undefined) return yield* refused
    yield* execute(
      connection,
      `UPDATE charlotte_runs SET pinned = 0 WHERE ${connection.dialect.oneOf("id")} AND pinned = 1`,
      [JSON.stringify(ids)]
    )
    const hidden = yield* hide(connection, ids)
    if (hidden.length < runs.length) {
      const cause = new Error(`${hidden.length} of the ${runs.length} runs of the chain were hidden`)
      return yield* new SqlError({ cause, message: "a chain is removed as a whole" })
    }
    yield* insertRemoved(
      connection,
      hidden.map((id) => ({ id, at: DateTime.toEpochMillis(at), removed_by: by ?? null }))
    )
    yield* execute(connection, "DELETE FROM charlotte_removed WHERE at < ?", [
      DateTime.toEpochMillis(DateTime.subtract(at, memory))
    ])
    return hidden
  })
