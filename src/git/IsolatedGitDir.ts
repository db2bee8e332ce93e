/**
 * Runs git on the objects of a repository, and on nothing else in it. Operations that create and read commits run in a temporary
 * git directory: configuration, hooks, filters, drivers and index that a process may have planted in the repository are never
 * read, so no check of them can race with a change.
 */
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs"
import { GitCommand, type Invocation, step } from "./GitCommand.js"
import type { ObjectId } from "./RefNames.js"
import type { Repository } from "./Repository.js"

export interface IsolatedGitDir {
  /** A temporary directory, removed when the operation ends. */
  readonly directory: string
  readonly workTree: string
  /** The index; it does not exist at first. */
  readonly index: string
  readonly run: (
    args: ReadonlyArray<string>,
    options?: Pick<Invocation, "input" | "answers" | "variables" | "settings" | "limit" | "usesNetwork">
  ) => ReturnType<GitCommand["Type"]["run"]>
}

/** New objects must have the format and the permissions of the repository. */
const config = ({ objectFormat, settings }: Repository): string => {
  const shared = settings["core.sharedrepository"] ?? ""
  return [
    "[core]",
    "\trepositoryformatversion = 1",
    // `StatCache` relies on these defaults.
    "\ttrustctime = true",
    "\tcheckStat = default",
    ...(/^\w+$/.test(shared) ? [`\tsharedRepository = ${shared}`] : []),
    "[extensions]",
    `\tobjectFormat = ${objectFormat}`,
    ""
  ].join("\n")
}

/** Whether any line is neither empty nor a comment. */
const hasRules = (text: string): boolean => /^[^\n#]/m.test(text)

/**
 * Creates only the necessary files, since creating one costs more than writing it; and synchronously, since Node's thread pool
 * would take ten times as long.
 */
const furnish = (directory: string, repository: Repository, head: string) =>
  step("make a git directory", async () => {
    mkdirSync(`${directory}/refs`)
    const info = Object.entries({ exclude: repository.exclude, attributes: repository.attributes })
    const rules = info.filter(([, text]) => hasRules(text))
    if (rules.length > 0) mkdirSync(`${directory}/info`)
    writeFileSync(`${directory}/HEAD`, `${head}\n`)
    writeFileSync(`${directory}/config`, config(repository))
    for (const [name, text] of rules) writeFileSync(`${directory}/info/${name}`, text)
  })

/** Cheaper than a recursive `rmSync`, which first fails to remove each directory as if it were empty. */
const clear = (directory: string) => {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) rmSync(path, { recursive: true, force: true })
    else unlinkSync(path)
  }
  rmdirSync(directory)
}

/**
 * A path as git reads it in quotes: in the input of `git fast-import`, and in `GIT_ALTERNATE_OBJECT_DIRECTORIES`, a list that is
 * separated by colons.
 */
export const quoted = (path: string): string => `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`

/** Runs an operation with a temporary git directory, on the files at `workTree` if set; `head` is a commit. */
export const isolatedGitDir = <A, E, R>(
  repository: Repository,
  use: (git: IsolatedGitDir) => Effect.Effect<A, E, R>,
  options?: { readonly workTree?: string; readonly index?: string; readonly head?: ObjectId }
) =>
  Effect.flatMap(GitCommand, (command) =>
    Effect.acquireUseRelease(
      step("make a git directory", async () => mkdtempSync(`${command.environment.scratch}/charlotte-git-`)),
      (directory) => {
        const index = options?.index ?? `${directory}/index`
        // Without a work tree, an existing empty directory serves as one.
        const workTree = options?.workTree ?? `${directory}/refs`
        const variables = {
          GIT_DIR: directory,
          GIT_WORK_TREE: workTree,
          GIT_INDEX_FILE: index,
          GIT_OBJECT_DIRECTORY: `${repository.commonDir}/objects`
        }
        const run: IsolatedGitDir["run"] = (args, { settings, variables: more, ...rest } = {}) =>
          command.run({
            args,
            cwd: workTree,
            variables: { ...variables, ...more },
            settings: { ...repository.settings, ...settings },
            ...rest
          })
        return Effect.zipRight(
          furnish(directory, repository, options?.head ?? "ref: refs/heads/none"),
          use({ directory, workTree, index, run })
        )
      },
      (directory) => Effect.ignore(step("remove a git directory", async () => clear(directory)))
    )
  )
