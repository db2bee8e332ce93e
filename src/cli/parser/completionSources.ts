/**
 * Completion candidates that are looked up: jobs, units, agents and branches.
 */
import { Effect, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as Home from "../../daemon/home/Home.js"
import * as Agents from "../../tasks/Agents.js"
import * as Git from "../../git/Git.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import { configOf } from "../configOf.js"
import type { Environment } from "./CommandTree.js"
import type { Candidate, Source } from "./Parameter.js"

type Candidates = Effect.Effect<ReadonlyArray<Candidate>, unknown, Environment>

/** Longer lists do not help. */
const limit = 50

const jobs: Candidates = Effect.gen(function* () {
  const { list } = yield* JobSource.read
  const { jobs } = yield* list({ limit })
  const latest = jobs.length === 0 ? [] : [{ value: "latest", description: "the newest job" }]
  return [
    ...latest,
    ...jobs.map((job) => ({
      value: job.id,
      description: [job.phase ?? job.status, configOf(job).targetBranch].filter(Boolean).join(", ")
    }))
  ]
}).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

const agents: Candidates = Effect.gen(function* () {
  const { agents } = yield* Configuration.make
  const { found } = yield* Agents.make(agents)
  return (yield* found).map((value) => ({ value, description: "" }))
}).pipe(Effect.provide(Home.layerUntouched))

const branches: Candidates = Effect.gen(function* () {
  const git = yield* Git.Git
  const repository = yield* git.open(process.cwd())
  const all = yield* git.branches(repository)
  return all.filter(({ own }) => Option.isNone(own)).map(({ branch: value }) => ({ value, description: "" }))
}).pipe(Effect.provide(Git.layer))

/** The units of the job that is named before. */
const units = (job: string | undefined): Candidates =>
  Effect.gen(function* () {
    if (job === undefined) return []
    const source = yield* JobSource.read
    const id = yield* JobRef.find(source, yield* JobRef.parse(job))
    const { units } = yield* source.get(id)
    return units.map(({ state, unit }) => ({ value: unit, description: state }))
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

const sources: { readonly [S in Source]: (job: string | undefined) => Candidates } = {
  agents: () => agents,
  branches: () => branches,
  directories: () => Effect.succeed([]),
  jobs: () => jobs,
  units
}

/** The user is waiting at the prompt. */
const responseTimeout = "2 seconds"

/** Empty if it takes too long or fails: a shell cannot show an error. */
export const of = (source: Source, job?: string): Effect.Effect<ReadonlyArray<Candidate>, never, Environment> =>
  sources[source](job).pipe(
    Effect.timeoutOption(responseTimeout),
    Effect.map(Option.getOrElse(() => [])),
    Effect.catchAllCause(() => Effect.succeed([]))
  )
