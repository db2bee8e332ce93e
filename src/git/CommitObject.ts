/** Commit objects: the message with its trailers, the author, and the object itself. */
import { Clock, Effect, Option } from "effect"
import type { JobId } from "../domain/JobId.js"
import { IdentityMissing } from "./GitError.js"
import { ObjectId, type UnitName } from "./RefNames.js"
import { decode } from "./Refs.js"
import type { Repository } from "./Repository.js"
import type { IsolatedGitDir } from "./IsolatedGitDir.js"
import * as Signing from "./Signing.js"

/** The contents of a commit message. */
export interface Subject {
  /** One line. */
  readonly title: string
  readonly body?: string
  readonly jobId: JobId
  readonly unit?: UnitName
  /** Only for a commit that completes a task. */
  readonly task?: number
}

export const trailers = { jobId: "Charlotte-Job", unit: "Charlotte-Unit", task: "Charlotte-Task" } as const

/** The trailers form a separate last paragraph, so nothing in title or body can pass for one. */
export const message = ({ body = "", jobId, task, title, unit }: Subject): string => {
  const line = title.replace(/[\p{C}\s]+/gu, " ").trim()
  const text = body.replace(/[^\P{C}\n\t]/gu, "").trim()
  const values = [
    `${trailers.jobId}: ${jobId}`,
    ...(unit === undefined ? [] : [`${trailers.unit}: ${unit}`]),
    ...(task === undefined ? [] : [`${trailers.task}: ${task}`])
  ]
  return (
    [[...line].slice(0, 200).join("") || "untitled", ...(text === "" ? [] : [text]), values.join("\n")].join("\n\n") +
    "\n"
  )
}

const signature = (repository: Repository, isTemporary: boolean) =>
  Effect.gen(function* () {
    const people = Option.all([repository.author, repository.committer])
    if (Option.isNone(people)) return yield* new IdentityMissing({ path: repository.topLevel })
    const [author, committer] = people.value
    const date = isTemporary ? "@0 +0000" : `@${Math.floor((yield* Clock.currentTimeMillis) / 1000)} +0000`
    return {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: committer.name,
      GIT_COMMITTER_EMAIL: committer.email,
      GIT_COMMITTER_DATE: date
    }
  })

/** Writes a commit that no branch contains yet, signed if the user signs and a job can do so. */
export const write = (
  repository: Repository,
  git: IsolatedGitDir,
  commit: {
    readonly tree: ObjectId
    readonly parents: ReadonlyArray<ObjectId>
    readonly subject: Subject
    /** Whether it enters no history: it is not signed, and the same commit gets the same id at any time. */
    readonly isTemporary?: boolean
  }
) =>
  Effect.gen(function* () {
    const { isTemporary = false } = commit
    const variables = yield* signature(repository, isTemporary)
    const input = message(commit.subject)
    const parents = commit.parents.flatMap((parent) => ["-p", parent])
    const args = ["-F", "-", "--end-of-options", commit.tree]
    const unsigned = git.run(["commit-tree", ...parents, ...args], { input, variables })
    const { stdout } = yield* Option.match(isTemporary ? Option.none() : repository.signing, {
      onNone: () => unsigned,
      onSome: (signing) =>
        Effect.flatMap(Signing.prepare(git.directory, signing), (how) =>
          git.run(["commit-tree", "-S", ...parents, ...args], { input, variables, ...how })
        ).pipe(
          Effect.catchTag("GitFailed", ({ detail }) =>
            Effect.zipRight(Effect.logWarning(`a commit is not signed: ${detail}`), unsigned)
          )
        )
    })
    return yield* decode(ObjectId, stdout.toString().trim())
  })
