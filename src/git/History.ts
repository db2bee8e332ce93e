/** Queries on commits: whether one contains another, and which tasks were done between two of them. */
import { Effect, Option, Schema } from "effect"
import { JobId } from "../domain/JobId.js"
import { trailers } from "./CommitObject.js"
import { ObjectId, UnitName } from "./RefNames.js"
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

/** Whether there is such a commit; one that no branch leads to may be gone. */
export const contains = (repository: Repository, commit: ObjectId) =>
  isolatedGitDir(repository, (git) =>
    Effect.map(
      git.run(["cat-file", "--batch-check=%(objectname) %(objecttype)"], { input: `${commit}\n` }),
      ({ stdout }) => stdout.toString() === `${commit} commit\n`
    )
  )

/** How many commits `to` contains that `from` does not. */
export const commits = (repository: Repository, { from, to }: { readonly from: ObjectId; readonly to: ObjectId }) =>
  isolatedGitDir(repository, (git) =>
    Effect.map(git.run(["rev-list", "--count", "--end-of-options", to, `^${from}`]), ({ stdout }) =>
      Number(stdout.toString())
    )
  )

/** How many commits `commit` contains, itself among them, that none of the others does. */
export const unheld = (repository: Repository, commit: ObjectId, others: ReadonlyArray<ObjectId>) =>
  isolatedGitDir(repository, (git) =>
    Effect.map(
      git.run(["rev-list", "--count", "--stdin"], {
        input: [commit, ...others.map((other) => `^${other}`), ""].join("\n")
      }),
      ({ stdout }) => Number(stdout.toString())
    )
  )

const value = (key: string): string => `%(trailers:key=${key},valueonly,separator=%x1e)`
const format = ["%H", value(trailers.jobId), value(trailers.unit), value(trailers.task)].join("%x1f")

/**
 * The tasks that were done in the commits of `to` that `from` does not contain, oldest first. Anybody who can commit can
 * write such trailers; who needs certainty compares the commits with a record of what was committed.
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
