/**
 * A job as it is submitted: the repository, the branch, and the plan. Everything that is in the way is found here, at once,
 * before anything is touched.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, Either, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import type { JobConfig } from "../../domain/JobConfig.js"
import { Git } from "../Git.js"
import { BranchName, type ObjectId, RepoPath } from "../git/Names.js"
import type { Repository } from "../git/Repository.js"
import type { Plan } from "../plan/Plan.js"
import * as TaskDirectory from "../plan/TaskDirectory.js"

export interface Submission {
  readonly repository: Repository
  readonly target: BranchName
  /** The commit at which the target stands. */
  readonly base: ObjectId
  readonly plan: Plan
}

/** The agents that there are. */
export const agents = ["script"]

interface Issue {
  readonly path: ReadonlyArray<string>
  readonly message: string
}

const at = (field: keyof JobConfig, messages: ReadonlyArray<string>): ReadonlyArray<Issue> =>
  messages.map((message) => ({ path: [field], message }))

/** Two jobs never work for the same branch of the same repository, by whatever path it is reached. */
export const key = ({ repository, target }: Submission): string =>
  `branch ${target} of repository ${repository.identity}`

export const read = (config: JobConfig): Effect.Effect<Submission, InvalidJobConfig, Git | FileSystem | Path> =>
  Effect.gen(function* () {
    const git = yield* Git
    const repository = yield* Effect.mapError(
      git.open(config.repoPath),
      ({ message }) => new InvalidJobConfig({ issues: at("repoPath", [message]) })
    )
    const target = Either.mapLeft(Schema.decodeEither(BranchName)(config.targetBranch), ({ message }) => [message])
    const planned = yield* Effect.either(
      TaskDirectory.read({ repository: repository.topLevel, tasksDir: config.tasksDir, agent: config.agent })
    )
    const issues: ReadonlyArray<Issue> = [
      ...at("targetBranch", Either.isLeft(target) ? target.left : yield* obstacles(repository, target.right)),
      ...at("tasksDir", Either.isLeft(planned) ? planned.left.problems.map(String) : unsupported(planned.right)),
      ...at("agent", Either.isLeft(planned) ? [] : agentIssues(config.agent ?? planned.right.settings.agent))
    ]
    if (issues.length > 0 || Either.isLeft(target) || Either.isLeft(planned))
      return yield* new InvalidJobConfig({ issues })

    const base = yield* git.resolve(repository, target.right)
    const plan = planned.right
    const stray = yield* strayFiles(repository, base, plan)
    if (stray.length > 0) return yield* new InvalidJobConfig({ issues: at("tasksDir", stray) })
    return { repository, target: target.right, base, plan }
  }).pipe(
    Effect.catchAll((error) =>
      error._tag === "InvalidJobConfig" ? error : new InvalidJobConfig({ issues: at("repoPath", [error.message]) })
    )
  )

const obstacles = (repository: Repository, target: BranchName) =>
  Effect.flatMap(Git, (git) =>
    Effect.map(git.problems(repository, target), (problems) => problems.map(({ message }) => message))
  )

const agentIssues = (agent: string | undefined): ReadonlyArray<string> =>
  agent !== undefined && agents.includes(agent)
    ? []
    : [`${agent === undefined ? "no agent is chosen" : `there is no agent "${agent}"`}; there is: ${agents.join(", ")}`]

const unsupported = ({ settings: { limits } }: Plan): ReadonlyArray<string> =>
  limits.agentCalls === undefined && limits.duration === undefined
    ? []
    : ["charlotte.yaml sets limits, which are not kept yet: leave them out"]

/** Work begins at the commit of the target, so the tasks must stand there as they were read. */
const strayFiles = (repository: Repository, base: ObjectId, { units }: Plan) =>
  Effect.gen(function* () {
    const git = yield* Git
    const files = yield* Schema.decode(Schema.Array(RepoPath))(
      units.flatMap(({ tasks }) => tasks.map(({ file }) => file))
    )
    const differing = yield* git.differing(repository, base, files)
    return differing.map(
      (file) => `${file}: is not committed on the target branch as it stands here: git add -- '${file}' && git commit`
    )
  }).pipe(Effect.catchTag("ParseError", ({ message }) => Effect.succeed([message])))
