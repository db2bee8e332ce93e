/**
 * The diff of a job, one of its units or one of their tasks, from its record and its repository. Imported on the first request, since it loads git.
 */
import { Effect, Option, Schema } from "effect"
import { JobNotFound } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { Range } from "../../git/Diff.js"
import * as Git from "../../git/Git.js"
import { ObjectId } from "../../git/RefNames.js"
import { isSame } from "../../git/Repository.js"
import * as Permits from "../../internal/Permits.js"
import * as plainText from "../../internal/plainText.js"
import type { Reads } from "../../store/Runs.js"
import * as PlanSnapshot from "../run/PlanSnapshot.js"
import * as workRange from "../workRange.js"
import { Diff, DiffFile } from "../../http/contract/Diff.js"
import { DiffUnavailable, InvalidQuery } from "../../http/contract/errors.js"

export interface Query {
  readonly unit?: string | undefined
  /** The number of a task of the unit. */
  readonly task?: number | undefined
  /** The `next` of the previous page. */
  readonly after?: string | undefined
}

interface Position extends Range {
  readonly from: number
}

const positionAt = (after: string): Option.Option<Position> => {
  const [base, head, from] = after.split("-")
  return Option.map(Option.all([decodeCommit(base), decodeCommit(head)]), ([base, head]) => ({
    base,
    head,
    from: Number(from)
  }))
}

const decodeCommit = Schema.decodeUnknownOption(ObjectId)

export type JobDiff = Effect.Effect.Success<typeof make>

/** Concurrent diffs; each needs a few processes. */
const atOnce = 4

/** The values come from git. */
const unchecked = { disableValidation: true }

export const make = Effect.gen(function* () {
  const git = yield* Git.make
  const inTurn = Permits.make(atOnce)

  const of = (store: Reads, isServed: (run: Run) => boolean, jobId: JobId, { after, task, unit }: Query) =>
    Effect.gen(function* () {
      const unavailable = (reason: DiffUnavailable["reason"], problem?: string) =>
        new DiffUnavailable({
          jobId,
          reason,
          ...(unit !== undefined && { unit }),
          ...(task !== undefined && { task }),
          ...(problem && { problem })
        })
      const failed = ({ message }: { readonly message: string }) => unavailable("repository", plainText.line(message))

      if (task !== undefined && unit === undefined)
        return yield* new InvalidQuery({ parameter: "unit", problem: "required together with task" })
      const found = yield* store.withWork(jobId)
      if (Option.isNone(found) || !isServed(found.value.run)) return yield* new JobNotFound({ jobId })
      const { run, work } = found.value
      const kept = yield* store.submission(jobId)
      const snapshot = yield* Effect.option(PlanSnapshot.decode(Option.getOrUndefined(kept)))
      if (Option.isNone(snapshot)) {
        return yield* unavailable(isOfRepository(run) && Option.isNone(kept) ? "notBegun" : "noRepository")
      }
      const range =
        unit === undefined
          ? Option.orElse(awaitingApproval(run), () => Option.some(workRange.ofJob(snapshot.value, work)))
          : workRange.ofUnit(snapshot.value, work, unit)
      if (Option.isNone(range)) return yield* unavailable("noSuchUnit")
      const record = work.tasks.find((each) => each.unit === unit && each.task === task)
      if (task !== undefined && record === undefined) return yield* unavailable("noSuchTask")
      const done = decodeCommit(record?.state === "completed" ? record.commit : undefined)
      if (task !== undefined && Option.isNone(done)) return yield* unavailable("noCommit")

      const { identity, topLevel } = snapshot.value
      const repository = yield* Effect.mapError(git.open(topLevel), failed)
      if (!isSame(repository, identity)) return yield* unavailable("repository", `${topLevel} was replaced`)
      const check = (commit: ObjectId) =>
        Effect.mapError(git.contains(repository, commit), failed).pipe(
          Effect.filterOrFail(
            (isThere) => isThere,
            () => unavailable("gone", commit)
          )
        )
      const rangeOfTask = (head: ObjectId) =>
        check(head).pipe(
          Effect.zipRight(Effect.mapError(git.parent(repository, head), failed)),
          Effect.map((base): Range => ({ base, head }))
        )
      const { base, from, head } = yield* Option.match(Option.flatMap(Option.fromNullable(after), positionAt), {
        onNone: () =>
          Effect.map(
            Option.match(done, { onNone: () => Effect.succeed(range.value), onSome: rangeOfTask }),
            (range): Position => ({ ...range, from: 0 })
          ),
        onSome: Effect.succeed
      })
      for (const commit of [base, head]) yield* check(commit)
      const { files, next } = yield* Effect.mapError(git.diff(repository, { base, head, from }), failed)
      return new Diff(
        {
          base,
          head,
          files: files.map((file) => new DiffFile(file, unchecked)),
          ...(Option.isSome(next) && { next: `${base}-${head}-${next.value}` })
        },
        unchecked
      )
    })

  return { of: (...args: Parameters<typeof of>) => inTurn(of(...args)) }
})

/** What a job waits to be approved: the result, perhaps merged with newer commits of the target. */
const awaitingApproval = ({ parked }: Run): Option.Option<Range> =>
  Option.all({ base: decodeCommit(parked?.approval?.base), head: decodeCommit(parked?.approval?.commit) })

/** Before its plan is read, a task job can only be recognised by its config. */
const isOfRepository = ({ config }: Run): boolean =>
  typeof config === "object" && config !== null && "repoPath" in config
