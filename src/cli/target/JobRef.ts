/**
 * A reference to a job: its id, a unique prefix or suffix of it, or "latest".
 */
import { Effect, Either, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { Jobs } from "./JobSource.js"
import * as repositoryAround from "../start/repositoryAround.js"

const latest = "latest"

/** Characters of an id. */
const letters = /^[0-9A-HJKMNP-TV-Z]{4,26}$/i

const isId = Schema.is(JobId)

/** The text cannot be a reference to a job. */
export class InvalidJobRef extends Schema.TaggedError<InvalidJobRef>()("InvalidJobRef", { name: Schema.String }) {
  get problem() {
    return `no job matches "${this.name}"`
  }
  get hint() {
    return 'use a job id, a unique prefix or suffix of it (4+ characters), or "latest"'
  }
  override get message() {
    return `${this.problem}; ${this.hint}`
  }
}

/** The reference matches more than one job. */
export class AmbiguousJob extends Schema.TaggedError<AmbiguousJob>()("AmbiguousJob", {
  name: Schema.String,
  /** The newest of them. */
  jobIds: Schema.Array(JobId)
}) {
  override get message() {
    return [`"${this.name}" matches several jobs; use more characters of the id:`, ...this.jobIds].join("\n  ")
  }
}

/** The reference matches no job. */
export class NoSuchJob extends Schema.TaggedError<NoSuchJob>()("NoSuchJob", {
  name: Schema.String,
  /** Whether only jobs of the current repository were considered. */
  isHere: Schema.optional(Schema.Boolean)
}) {
  override get message() {
    if (this.name !== latest) return `no job matches "${this.name}"; list jobs with: charlotte jobs`
    return this.isHere === true ? noneHere : "no jobs yet; start one with: charlotte run TASKSDIR"
  }
}

export const noneHere =
  "no jobs in this repository yet; start one with: charlotte run TASKSDIR; list all with: charlotte jobs --all"

/** Ids have capital letters, but may be typed in any case. */
export const parse = (text: string): Either.Either<string, InvalidJobRef> => {
  if (text === latest) return Either.right(text)
  return letters.test(text) ? Either.right(text.toUpperCase()) : Either.left(new InvalidJobRef({ name: text }))
}

/** How many jobs an ambiguous reference lists. */
const several = 10

/** Suffixes have no index: they are searched among this many of the newest jobs. */
const recent = 1_000

/** The newest job of the current repository, or of all jobs outside of one. */
const findLatest = (list: Jobs["list"]) =>
  Effect.gen(function* () {
    const isHere = yield* repositoryAround.isHere
    let before: JobId | undefined
    for (;;) {
      const { jobs, next } = yield* list({ limit: isHere === undefined ? 1 : several, ...(before && { before }) })
      const found = isHere === undefined ? jobs[0] : jobs.find(isHere)
      if (found !== undefined) return found.id
      if (next === undefined || isHere === undefined) {
        return yield* new NoSuchJob({ name: latest, ...(isHere && { isHere: true }) })
      }
      before = next
    }
  })

/** Resolves a parsed reference. A whole id is not checked: the request that uses it reports an unknown job. */
export const find = ({ list }: Pick<Jobs, "list">, name: string) =>
  Effect.gen(function* () {
    if (isId(name)) return name
    if (name === latest) return yield* findLatest(list)
    // Ids are ordered, so all ids with this prefix directly precede the greatest possible one.
    const before = Option.getOrUndefined(Schema.decodeOption(JobId)(name.padEnd(26, "Z")))
    const { jobs: around } = before === undefined ? { jobs: [] } : yield* list({ before, limit: several + 1 })
    const begin = around.filter(({ id }) => id.startsWith(name))
    const found = begin.length > 0 ? begin : (yield* list({ limit: recent })).jobs.filter(({ id }) => id.endsWith(name))
    const [job] = found
    if (job === undefined) return yield* new NoSuchJob({ name })
    if (found.length === 1) return job.id
    return yield* new AmbiguousJob({ name, jobIds: found.slice(0, several).map(({ id }) => id) })
  })

/** The suffix of an id, for narrow output: prefixes of recent jobs are alike. */
export const short = (id: JobId): string => id.slice(-8)
