/**
 * The directories of jobs. The worktree directory of a job outlives its record, and names the repository in which the job worked,
 * so that `Prune` finds what unrecorded jobs have left there.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, Schema } from "effect"
import { JobId } from "../domain/JobId.js"
import * as fs from "../git/fs.js"

export const of = (directory: string, id: JobId) => ({
  worktrees: `${directory}/worktrees/${id}`,
  logs: `${directory}/logs/${id}`,
  unfinished: `${directory}/unfinished/${id}`
})

/** No worktree has this name: it is not a valid unit name. */
const note = (directory: string, id: JobId): string => `${of(directory, id).worktrees}/_repository`

/** Notes the repository of a job. */
export const noteRepository = (directory: string, id: JobId, topLevel: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem
    yield* files.makeDirectory(of(directory, id).worktrees, { recursive: true })
    yield* files.writeFileString(note(directory, id), `${topLevel}\n`)
  }).pipe(Effect.catchAll(({ message }) => Effect.logWarning(`charlotte prune may not find this job: ${message}`)))

/** The file that notes where the baseline of a repository has passed last. */
export const baseline = (directory: string, repository: string): string => `${directory}/baselines/${repository}`

/** The noted repository of a job. */
export const repositoryOf = (directory: string, id: JobId) =>
  Effect.orElseSucceed(fs.readLine(note(directory, id)), Option.none<string>)

/** All jobs that have a directory for worktrees or snapshots, recorded or not. */
export const jobs = (directory: string) =>
  Effect.map(Effect.forEach([`${directory}/worktrees`, `${directory}/unfinished`], namesIn), (names) => [
    ...new Set(names.flat().flatMap((name) => Option.toArray(decodeId(name))))
  ])

const namesIn = (directory: string) => Effect.orElseSucceed(fs.list(directory), (): ReadonlyArray<string> => [])

/** The directories of units with snapshots. */
export const snapshots = (directory: string, id: JobId) => {
  const { unfinished } = of(directory, id)
  return Effect.map(namesIn(unfinished), (units) => units.map((unit) => ({ unit, path: `${unfinished}/${unit}` })))
}

const decodeId = Schema.decodeOption(JobId)

/** Whether a job worked with this directory. */
export const has = (directory: string, id: JobId) =>
  Effect.exists([of(directory, id).worktrees, of(directory, id).unfinished], (path) =>
    Effect.map(Effect.orElseSucceed(fs.stat(path), Option.none), Option.isSome)
  )

/** Removes the directories of a job once they are empty, except for the note. */
export const removeEmpty = (directory: string, id: JobId) =>
  Effect.gen(function* () {
    const { unfinished, worktrees } = of(directory, id)
    if ((yield* fs.list(unfinished)).length > 0) return
    yield* fs.remove(unfinished)
    const names = yield* fs.list(worktrees)
    if (names.every((name) => name === "_repository")) yield* fs.remove(worktrees)
  }).pipe(Effect.ignore)
