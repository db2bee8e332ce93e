/**
 * Completion candidates that are looked up: jobs, units, agents and branches.
 */
import { Effect, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as Home from "../../daemon/home/Home.js"
import * as Agents from "../../tasks/Agents.js"
import * as Git from "../../git/Git.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import * as taskDirectory from "../init/taskDirectory.js"
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

/** What the words before the cursor name. */
export interface Before {
  /** Whether the command is about jobs, not about a task directory. */
  readonly takesJob: boolean
  readonly job: string | undefined
  readonly tasksDir: string | undefined
  readonly repo: string | undefined
}

/** The units of a job, or of a task directory. */
const units = ({ job, repo, takesJob, tasksDir }: Before): Candidates => {
  if (job !== undefined) return unitsOfJob(job)
  return takesJob ? Effect.succeed([]) : unitsOfTasks(repo, tasksDir)
}

const unitsOfJob = (job: string): Candidates =>
  Effect.gen(function* () {
    const source = yield* JobSource.read
    const id = yield* JobRef.find(source, yield* JobRef.parse(job))
    const { units } = yield* source.get(id)
    return units.map(({ state, unit }) => ({ value: unit, description: state }))
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

const unitsOfTasks = (repo: string | undefined, tasks: string | undefined): Candidates =>
  Effect.gen(function* () {
    const { directory, repository } = yield* taskDirectory.find({
      repo: Option.fromNullable(repo),
      tasks: Option.fromNullable(tasks)
    })
    const { units } = yield* TaskDirectory.read({ repository: repository.topLevel, tasksDir: directory })
    return units.map(({ dependsOn, id }) => ({
      value: id,
      description: dependsOn.length === 0 ? "" : `after ${dependsOn.join(", ")}`
    }))
  }).pipe(Effect.provide(Git.layer))

const sources: { readonly [S in Source]: (before: Before) => Candidates } = {
  agents: () => agents,
  branches: () => branches,
  directories: () => Effect.succeed([]),
  jobs: () => jobs,
  units
}

/** The user is waiting at the prompt. */
const responseTimeout = "2 seconds"

/** Empty if it takes too long or fails: a shell cannot show an error. */
export const of = (source: Source, before: Before): Effect.Effect<ReadonlyArray<Candidate>, never, Environment> =>
  sources[source](before).pipe(
    Effect.timeoutOption(responseTimeout),
    Effect.map(Option.getOrElse(() => [])),
    Effect.catchAllCause(() => Effect.succeed([]))
  )
