/**
 * A reference to a job: its id, a unique prefix or suffix of it, or "latest".
 */
import { Effect, Either, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { Problem } from "../../daemon/Problem.js"
import type { Jobs } from "./JobSource.js"
import * as repositoryAround from "../start/repositoryAround.js"

const latest = "latest"

/** Characters of an id. */
const letters = /^[0-9A-HJKMNP-TV-Z]{4,26}$/i

const isId = Schema.is(JobId)

export const noneHere =
  "no jobs in this repository yet; start one with: charlotte run TASKSDIR; list all with: charlotte jobs --all"

/** Ids have capital letters, but may be typed in any case. */
export const parse = (name: string): Either.Either<string, Problem> => {
  if (name === latest) return Either.right(name)
  if (letters.test(name)) return Either.right(name.toUpperCase())
  const hint = 'use a job id, a unique prefix or suffix of it (4+ characters), or "latest"'
  return Either.left(
    new Problem({ name: "InvalidJobRef", problem: `no job matches "${name}"`, hint, details: { name } })
  )
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
        const problem = isHere === undefined ? "no jobs yet; start one with: charlotte run TASKSDIR" : noneHere
        const details = { name: latest, ...(isHere && { isHere: true }) }
        return yield* new Problem({ name: "NoSuchJob", problem, details })
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
    if (job === undefined) {
      const problem = `no job matches "${name}"; list jobs with: charlotte jobs`
      return yield* new Problem({ name: "NoSuchJob", problem, details: { name } })
    }
    if (found.length === 1) return job.id
    const jobIds = found.slice(0, several).map(({ id }) => id)
    return yield* new Problem({
      name: "AmbiguousJob",
      problem: [`"${name}" matches several jobs; use more characters of the id:`, ...jobIds].join("\n  "),
      details: { name, jobIds }
    })
  })

/** The suffix of an id, for narrow output: prefixes of recent jobs are alike. */
export const short = (id: JobId): string => id.slice(-8)
