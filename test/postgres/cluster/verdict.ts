/**
 * What must hold of a database after any faults of the nodes of its cluster.
 */
import { Database, JobId } from "charlotte"
import { Array, Effect, Schema } from "effect"
import { poll } from "../../../src/internal/RealClock.js"
import * as Audit from "../../../src/store/Audit.js"
import * as TestDatabase from "../database.js"
import type { Member } from "./members.js"

const Event = Schema.Struct({
  cursor: Schema.NumberFromString,
  job_id: JobId.JobId,
  seq: Schema.Number,
  type: Schema.String,
  payload: Schema.NullOr(Schema.parseJson())
})

export const events = (url: string) =>
  Effect.map(
    TestDatabase.rowsOf(
      url,
      "SELECT cursor::text, job_id, seq::int, type, payload FROM charlotte_events ORDER BY charlotte_events.cursor"
    ),
    (rows) => Schema.decodeUnknownSync(Schema.Array(Event))(rows)
  )

const Tick = Schema.decodeUnknownSync(Schema.Int)
const Begun = Schema.decodeUnknownSync(Schema.Struct({ attempt: Schema.Int, address: Schema.String }))

/** What is wrong with the events of a job: each attempt begins once, has no overlap with another, and is over once the next one is there. */
const wrongOf = (all: ReadonlyArray<typeof Event.Type>) => {
  const problems: globalThis.Array<string> = []
  let [attempt, isRunning, isChildless, begun] = [1, false, false, 0]
  for (const [i, { job_id, payload, seq, type }] of all.entries()) {
    const wrong = (what: string) => void problems.push(`${job_id} ${seq} ${type}: ${what}`)
    if (seq !== i + 1) wrong(`the event after ${i}`)
    if (type.startsWith("job.")) {
      // The guard of a node ends them where the node is about to lose the job.
      if (isChildless && type !== "job.interrupted") wrong("the child process of the attempt has ended before")
      isChildless = false
    }
    if (type === "job.started") isRunning = true
    else if (type === "job.resumed") [attempt, isRunning] = [attempt + 1, true]
    else if (type === "job.interrupted") isRunning = false
    else if (type === "childless") isChildless = true
    else if (type === "overlap") wrong("another process held the lock of the job")
    else if (type === "begun" || type === "tick") {
      const of = type === "tick" ? Tick(payload) : Begun(payload).attempt
      if (of !== attempt || !isRunning)
        wrong(`of attempt ${of} in attempt ${attempt}, which ${isRunning ? "runs" : "rests"}`)
      if (type === "begun" && begun === of) wrong(`attempt ${of} began twice`)
      if (type === "begun") begun = of
    }
  }
  return problems
}

/** Everything that is wrong, once all jobs have ended. */
export const problems = (url: string, maxJobs = 20) =>
  Effect.gen(function* () {
    const byJob = Array.groupBy(yield* events(url), ({ job_id }) => job_id)
    const failed = yield* TestDatabase.rowsOf(
      url,
      "SELECT id, status, error FROM charlotte_runs WHERE status NOT IN ('completed', 'cancelled')"
    )
    const { violations } = yield* Audit.run({ maxJobs }).pipe(
      Effect.provide(Database.layerPostgres({ url })),
      Effect.orDie
    )
    return [
      ...Object.values(byJob).flatMap(wrongOf),
      ...failed.map((row) => JSON.stringify(row)),
      ...violations.map(({ found, wrong }) => `${found}: ${wrong}`)
    ]
  })

/** Waits until no job waits or runs. */
export const ended = (url: string) =>
  poll(TestDatabase.rowsOf(url, "SELECT id, status FROM charlotte_runs WHERE ended_at IS NULL"), {
    until: (rows) => rows.length === 0,
    pause: 200,
    atMost: "60 seconds"
  })

/** What the follower of a node has missed, or seen too often: it has seen all events within a few seconds. */
export const missed = (url: string, { followed }: Member) =>
  Effect.gen(function* () {
    const expected = (yield* events(url)).map(({ cursor, job_id, seq, type }) => `${cursor} ${job_id} ${seq} ${type}`)
    const seen = yield* poll(followed, {
      until: (seen) => seen.length >= expected.length,
      pause: 100,
      atMost: "5 seconds"
    })
    const first = seen.findIndex(({ line }, i) => line !== expected[i])
    return first >= 0
      ? [`saw ${seen[first]?.line ?? "nothing"} instead of ${expected[first] ?? "nothing"}`]
      : expected.slice(seen.length)
  })
