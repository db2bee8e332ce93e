/**
 * The repository of the current directory, whose jobs are listed by default. Determined without git, since a list may contain many
 * repositories.
 */
import { Context, Effect } from "effect"
import { readFileSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import type { Job } from "../../http/contract/Api.js"
import { configOf } from "../configOf.js"
import * as RemoteServer from "../target/RemoteServer.js"

/** Fails if it no longer exists; tests replace it. */
export class CurrentDirectory extends Context.Reference<CurrentDirectory>()("charlotte/CurrentDirectory", {
  defaultValue: () => Effect.try(() => process.cwd())
}) {}

const attempt = <A>(question: () => A): A | undefined => {
  try {
    return question()
  } catch {
    return undefined
  }
}

/** The path in a file after a prefix, such as the `gitdir:` of a linked worktree. */
const named = (file: string, prefix = ""): string | undefined =>
  attempt(() => {
    const text = readFileSync(file, "utf8").trim()
    return text.startsWith(prefix) ? resolve(dirname(file), text.slice(prefix.length).trim()) : undefined
  })

/** Device and inode of the git directory that all worktrees of a repository share. */
const identity = (entry: string): string | undefined => {
  const isDirectory = attempt(() => statSync(entry).isDirectory())
  const own = isDirectory === true ? entry : isDirectory === false ? named(entry, "gitdir:") : undefined
  if (own === undefined) return undefined
  const common = named(join(own, "commondir")) ?? own
  return attempt(() => {
    statSync(join(common, "HEAD"))
    const { dev, ino } = statSync(common)
    return `${dev}:${ino}`
  })
}

/** Identifies the repository that a directory is in. */
export const repositoryOf = (directory: string): string | undefined => {
  const parent = dirname(directory)
  return identity(join(directory, ".git")) ?? (parent === directory ? undefined : repositoryOf(parent))
}

/** Whether a job belongs to the current repository; undefined outside of a repository, and for jobs of another machine. */
export const isHere: Effect.Effect<((job: Pick<Job, "config">) => boolean) | undefined> = Effect.gen(function* () {
  if (yield* RemoteServer.isUsed) return undefined
  const directory = yield* Effect.option(yield* CurrentDirectory)
  const here = directory._tag === "None" ? undefined : repositoryOf(directory.value)
  if (here === undefined) return undefined
  const known = new Map<string, boolean>()
  return (job) => {
    const { repoPath = "" } = configOf(job)
    const answer = known.get(repoPath) ?? (repoPath !== "" && repositoryOf(repoPath) === here)
    known.set(repoPath, answer)
    return answer
  }
})
