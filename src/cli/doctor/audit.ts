/**
 * Checks the records in the database for consistency.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import type { Home } from "../../daemon/home/Home.js"
import type { StoreError } from "../../domain/errors.js"
import * as Audit from "../../store/Audit.js"
import * as SchemaCheck from "../../store/sqlite/SchemaCheck.js"
import { schemaVersion } from "../../store/schemaVersion.js"
import { databaseOf } from "../../store/openSession.js"
import * as format from "../terminal/format.js"
import * as Finding from "./Finding.js"

/** An invalid configuration is reported by its own check; the capacity is unknown then. */
const maxJobs = Effect.match(Configuration.make, {
  onSuccess: ({ maxJobs = Configuration.defaultMaxJobs }) => maxJobs,
  onFailure: () => undefined
})

const isFile = Effect.map(SqlClient.SqlClient, (sql) => databaseOf(sql) === "sqlite")

/** Finds missing parts of the schema, such as a dropped trigger, which no longer refuses wrong changes; only for SQLite. */
const schema = Effect.gen(function* () {
  if (!(yield* isFile)) return []
  const { latest } = yield* schemaVersion
  const missing = yield* SchemaCheck.missing(latest)
  return missing.map((found): Audit.Violation => ({ found, wrong: "it is missing in the schema", remedy: "file" }))
})

/** Audits the database with this name. */
export const check = (
  database: string
): Effect.Effect<ReadonlyArray<Finding.Finding>, StoreError, FileSystem | Home | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { events, jobs, violations: records } = yield* Audit.run({ maxJobs: yield* maxJobs })
    const violations = [...records, ...(yield* schema)]
    const isMovable = yield* isFile
    const size = `${format.count(jobs, "job")} and ${format.count(events, "event")}`
    return violations.length === 0
      ? [Finding.ok("audit", `${size} are consistent`)]
      : violations.map(({ found, remedy, wrong }) =>
          Finding.problem("audit", `${found}: ${wrong}`, remedies({ database, found, isMovable })[remedy])
        )
  })

interface Found {
  readonly database: string
  readonly found: string
  /** Whether the database can be moved away. */
  readonly isMovable: boolean
}

const remedies = ({ database, found, isMovable }: Found): { readonly [R in Audit.Remedy]: string } => ({
  record: `keep a copy of ${database}, and report this; other jobs are not affected`,
  process: `kill the processes that this finds, if any: grep -l ${cookie(found)} /proc/[0-9]*/environ`,
  capacity: "charlotte daemon restart, if maxJobs was lowered; else report it",
  file: `restore it from a backup${isMovable ? ", or move it away to start afresh" : ""}`
})

/** The environment variable that identifies a process of a job. */
const cookie = (found: string): string => /RUN_BY_CHARLOTTE=([\w-]+)/.exec(found)?.[1] ?? "RUN_BY_CHARLOTTE"
