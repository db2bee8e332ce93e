/** Queries on commits: whether one contains another, and which tasks were done between two of them. */
import { Effect, Option, Schema } from "effect"
import { JobId } from "../domain/JobId.js"
import { trailers } from "./CommitObject.js"
import { ObjectId, UnitName } from "./RefNames.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import { isolatedGitDir } from "./IsolatedGitDir.js"

/** A commit with the trailers of a done task. */
export class DoneTask extends Schema.Class<DoneTask>("charlotte/DoneTask")({
  commit: ObjectId,
  jobId: JobId,
  unit: UnitName,
  task: Schema.NumberFromString.pipe(Schema.int(), Schema.positive())
}) {}

/** Whether the later commit contains the earlier one; each commit contains itself. */
export const isAncestor = (repository: Repository, earlier: ObjectId, later: ObjectId) =>
  earlier === later
    ? Effect.succeed(true)
    : isolatedGitDir(repository, (git) =>
        Effect.map(
          git.run(["merge-base", "--is-ancestor", "--end-of-options", earlier, later], { answers: [0, 1] }),
          ({ code }) => code === 0
        )
      )

/** Whether the commit exists; an unreachable one may have been garbage-collected. */
export const contains = (repository: Repository, commit: ObjectId) =>
  isolatedGitDir(repository, (git) =>
    Effect.map(
      git.run(["cat-file", "--batch-check=%(objectname) %(objecttype)"], { input: `${commit}\n` }),
      ({ stdout }) => stdout.toString() === `${commit} commit\n`
    )
  )

/** The first parent of a commit. */
export const parent = (repository: Repository, commit: ObjectId) =>
  isolatedGitDir(repository, (git) =>
    Effect.flatMap(git.run(["rev-parse", "--verify", "--end-of-options", `${commit}^1`]), ({ stdout }) =>
      Refs.decode(ObjectId, stdout.toString().trim())
    )
  )

/** The number of commits in `to` that are not in `from`. */
export const commits = (repository: Repository, { from, to }: { readonly from: ObjectId; readonly to: ObjectId }) =>
  isolatedGitDir(repository, (git) =>
    Effect.map(git.run(["rev-list", "--count", "--end-of-options", to, `^${from}`]), ({ stdout }) =>
      Number(stdout.toString())
    )
  )

/** The number of commits reachable from `commit`, itself included, and from none of the others. */
export const unheld = (repository: Repository, commit: ObjectId, others: ReadonlyArray<ObjectId>) =>
  isolatedGitDir(repository, (git) =>
    Effect.map(
      git.run(["rev-list", "--count", "--stdin"], {
        input: [commit, ...others.map((other) => `^${other}`), ""].join("\n")
      }),
      ({ stdout }) => Number(stdout.toString())
    )
  )

/** The number of commits in `to` that are not in `from` and have no signature; 0 if the user does not sign. */
export const unsigned = (repository: Repository, { from, to }: { readonly from: ObjectId; readonly to: ObjectId }) =>
  repository.signs
    ? isolatedGitDir(repository, (git) =>
        Effect.map(git.run(["rev-list", "--header", "--end-of-options", to, `^${from}`]), ({ stdout }) => {
          const commits = stdout
            .toString()
            .split("\0")
            .filter((commit) => commit.trim() !== "")
          return commits.filter((commit) => !/^gpgsig(-sha256)? /m.test(commit.replace(/\n\n[^]*/, ""))).length
        })
      )
    : Effect.succeed(0)

const value = (key: string): string => `%(trailers:key=${key},valueonly,separator=%x1e)`
const format = ["%H", value(trailers.jobId), value(trailers.unit), value(trailers.task)].join("%x1f")

/**
 * The tasks that were done in the commits of `to` that `from` does not contain, oldest first. Anyone who can commit can write such
 * trailers; to be certain, compare the commits with the recorded ones.
 */
export const doneTasks = (repository: Repository, range: { readonly from: ObjectId; readonly to: ObjectId }) =>
  isolatedGitDir(repository, (git) =>
    Effect.map(
      git.run([
        "log",
        "-z",
        "--reverse",
        "--topo-order",
        `--format=${format}`,
        "--end-of-options",
        range.to,
        `^${range.from}`
      ]),
      ({ stdout }) =>
        stdout
          .toString()
          .split("\0")
          .flatMap((record) => {
            const [commit, jobId, unit, task] = record.split("\x1f")
            return Option.toArray(Schema.decodeUnknownOption(DoneTask)({ commit, jobId, unit, task }))
          })
    )
  )
