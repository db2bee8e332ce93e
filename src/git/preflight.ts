/** Finds everything in a repository that would prevent a job, all at once, each with what to do about it. */
import { Effect, Option, Schema } from "effect"
import { basename, dirname, join } from "node:path"
import * as Checkouts from "./Checkouts.js"
import * as ContentFilters from "./ContentFilters.js"
import * as Files from "./Files.js"
import * as fs from "./fs.js"
import { type GitFailed, IdentityMissing } from "./GitError.js"
import { BranchName, type ObjectId } from "./RefNames.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import { isolatedGitDir } from "./IsolatedGitDir.js"
import { command } from "./shellQuote.js"
import { unwritable } from "./unwritable.js"

/** A problem that prevents a job. */
export class RepositoryProblem extends Schema.Class<RepositoryProblem>("charlotte/RepositoryProblem")({
  kind: Schema.Literal(
    "identity",
    "unborn",
    "detached",
    "missing",
    "symbolic",
    "shallow",
    "partial",
    "submodules",
    "filter",
    "operation",
    "checkouts",
    "worktrees",
    "name",
    "readOnly"
  ),
  /** Says what is wrong, then what to do. */
  message: Schema.String
}) {}

export type Problems = ReadonlyArray<RepositoryProblem>

const problem = (kind: RepositoryProblem["kind"], message: string) => new RepositoryProblem({ kind, message })

/** The target branch with its commit, or the problem with it. */
const target = (repository: Repository, wanted: BranchName | undefined) =>
  Effect.gen(function* () {
    const head = yield* Refs.head(repository)
    if (wanted === undefined && head._tag === "Detached")
      return problem(
        "detached",
        "HEAD is detached, so there is no branch to work for; check one out with: git switch NAME"
      )
    const branch = wanted ?? (head._tag === "Detached" ? undefined : head.branch)
    if (branch === undefined) return problem("missing", "no branch was named")
    if (head._tag === "Unborn" && head.branch === branch)
      return problem("unborn", `the branch ${branch} has no commit yet; make a first one with: git commit`)
    return yield* Refs.resolve(repository, branch).pipe(
      Effect.map((commit) => ({ branch, commit })),
      Effect.catchTags({
        BranchMissing: ({ message }) => Effect.succeed(problem("missing", message)),
        SymbolicBranch: ({ message }) => Effect.succeed(problem("symbolic", message))
      })
    )
  })

const inTree = (repository: Repository, commit: ObjectId) =>
  isolatedGitDir(repository, (git) =>
    Effect.gen(function* () {
      const entries = yield* Files.entries(git, commit)
      const submodules = entries.filter(({ mode }) => mode === "160000").map(({ path }) => path)
      const filters = yield* ContentFilters.find(repository, { tree: commit })
      return [
        ...(submodules.length === 0
          ? []
          : [
              problem(
                "submodules",
                `submodules are not supported (${submodules.join(", ")}); work in a repository without them`
              )
            ]),
        ...filters.map(({ message }) => problem("filter", message))
      ]
    })
  )

const ofRepository = (repository: Repository): ReadonlyArray<RepositoryProblem> => [
  ...(Option.isNone(Option.all([repository.author, repository.committer]))
    ? [problem("identity", new IdentityMissing({ path: repository.topLevel }).message)]
    : []),
  ...(repository.shallow
    ? [problem("shallow", "the repository is a shallow clone; get the rest of its history with: git fetch --unshallow")]
    : []),
  ...(repository.partial
    ? [
        problem(
          "partial",
          "the repository is a partial clone, whose files may be missing; clone it again without --filter"
        )
      ]
    : [])
]

/** The path with symbolic links resolved, as far as it exists. */
const canonical = (path: string): Effect.Effect<string, GitFailed> =>
  Effect.flatMap(
    fs.real(path),
    Option.match({
      onNone: () => Effect.map(canonical(dirname(path)), (parent) => join(parent, basename(path))),
      onSome: Effect.succeed
    })
  )

const inside = (repository: Repository, worktrees: string) =>
  Effect.gen(function* () {
    const path = yield* canonical(worktrees)
    const around = (yield* Checkouts.directories(repository)).find((place) => fs.isWithin(path, place))
    return around === undefined
      ? []
      : [
          problem(
            "worktrees",
            `${path} lies inside ${around}; set CHARLOTTE_HOME to a directory outside the repository`
          )
        ]
  })

const checkedOutTwice = (branch: BranchName, [one, another]: ReadonlyArray<Checkouts.Checkout>) =>
  one === undefined || another === undefined
    ? []
    : [
        problem(
          "checkouts",
          `the branch ${branch} is checked out in ${one.path} and ${another.path}; switch one of them to another branch: ${command("git", "-C", another.path, "switch", "--detach")}`
        )
      ]

export interface Options {
  /** The directory for the worktrees. */
  readonly worktrees?: string
  /** Whether the branch will be advanced; true by default. */
  readonly lands?: boolean
  /** Whether the job will write to the repository; true by default. */
  readonly writes?: boolean
}

/** All problems that prevent a job on the branch, by default the checked-out branch. */
export const find = (
  repository: Repository,
  wanted?: BranchName,
  { lands = true, worktrees, writes = true }: Options = {}
) =>
  Effect.gen(function* () {
    const found = yield* target(repository, wanted)
    const taken = yield* Refs.find(repository, BranchName.make("charlotte"))
    const here = { path: repository.topLevel, gitDir: repository.gitDir }
    const checkouts = found instanceof RepositoryProblem ? [] : yield* Checkouts.of(repository, found.branch)
    const places = [here, ...checkouts.filter(({ gitDir }) => gitDir !== here.gitDir)]
    const operations = (yield* Effect.forEach(places, Checkouts.operation)).flatMap(Option.toArray)
    const closed = writes ? yield* unwritable(repository) : Option.none()
    return [
      ...ofRepository(repository),
      ...(Option.isSome(closed)
        ? [problem("readOnly", `${closed.value}; make the repository writable, since work is committed there`)]
        : []),
      ...(found instanceof RepositoryProblem ? [found] : yield* inTree(repository, found.commit)),
      ...operations.map(({ message }) => problem("operation", message)),
      ...(lands && !(found instanceof RepositoryProblem) ? checkedOutTwice(found.branch, checkouts) : []),
      ...(worktrees === undefined ? [] : yield* inside(repository, worktrees)),
      ...(Option.isSome(taken)
        ? [
            problem(
              "name",
              'a branch named "charlotte" leaves no room for branches below it; rename it with: git branch -m charlotte NAME'
            )
          ]
        : [])
    ]
  })
