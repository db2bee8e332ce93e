/**
 * A job as a person names it: by its id, by a beginning or an end of it that no other job's has, or as the latest one.
 */
import { Effect, Option, Schema } from "effect"
import { JobId } from "../domain/JobId.js"
import type { Jobs } from "./JobSource.js"

const latest = "latest"

/** Letters of an id. */
const letters = /^[0-9A-HJKMNP-TV-Z]{4,26}$/i

const isId = Schema.is(JobId)

export class NoJobName extends Schema.TaggedError<NoJobName>()("NoJobName", { name: Schema.String }) {
  override get message() {
    return `"${this.name}" names no job; give its id, four or more characters of its beginning or its end, or latest`
  }
}

/** More than one job goes by that name. */
export class AmbiguousJob extends Schema.TaggedError<AmbiguousJob>()("AmbiguousJob", {
  name: Schema.String,
  /** The newest of them. */
  jobIds: Schema.Array(JobId)
}) {
  override get message() {
    return [`"${this.name}" may be any of these jobs; give more of its id:`, ...this.jobIds].join("\n  ")
  }
}

/** No job goes by that name. */
export class NoSuchJob extends Schema.TaggedError<NoSuchJob>()("NoSuchJob", { name: Schema.String }) {
  override get message() {
    return this.name === latest
      ? "there is no job yet; start one with: charlotte run TASKSDIR"
      : `no job's id begins or ends with ${this.name}; see the jobs with: charlotte jobs`
  }
}

/** The name as it is looked for: ids are of capital letters, in whatever case they are typed. */
export const parse = (text: string): Effect.Effect<string, NoJobName> => {
  if (text === latest) return Effect.succeed(text)
  return letters.test(text) ? Effect.succeed(text.toUpperCase()) : new NoJobName({ name: text })
}

/** As many as are listed when it is not clear which is meant. */
const several = 10

/** Ends cannot be looked up: they are looked for among so many of the newest jobs. */
const recent = 1_000

/** The job of that name. A whole id is not looked up: whoever uses it is told whether there is such a job. */
export const find = ({ list }: Pick<Jobs, "list">, name: string) =>
  Effect.gen(function* () {
    if (isId(name)) return name
    if (name === latest) {
      const { jobs } = yield* list({ limit: 1 })
      return jobs[0]?.id ?? (yield* new NoSuchJob({ name }))
    }
    // Ids are ordered, so those with one beginning stand together, below the last one that it could have.
    const before = Option.getOrUndefined(Schema.decodeOption(JobId)(name.padEnd(26, "Z")))
    const { jobs: around } = before === undefined ? { jobs: [] } : yield* list({ before, limit: several + 1 })
    const begin = around.filter(({ id }) => id.startsWith(name))
    const found = begin.length > 0 ? begin : (yield* list({ limit: recent })).jobs.filter(({ id }) => id.endsWith(name))
    const [job] = found
    if (job === undefined) return yield* new NoSuchJob({ name })
    if (found.length === 1) return job.id
    return yield* new AmbiguousJob({ name, jobIds: found.slice(0, several).map(({ id }) => id) })
  })

/** The end of an id, which tells jobs apart where there is no room for all of it; their beginnings are alike. */
export const short = (id: JobId): string => id.slice(-8)
