/**
 * Git on the objects of a repository, and on nothing else of it. What makes and reads commits runs in a git directory of
 * its own that lasts for one operation: the configuration, hooks, filters, drivers and index that a process may have
 * planted in the repository are not read at all, so there is no moment at which they could slip in.
 */
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs"
import { GitCommand, type Invocation, step } from "./GitCommand.js"
import type { Repository } from "./Repository.js"

export interface IsolatedGitDir {
  /** A directory that goes when the operation ends. */
  readonly directory: string
  readonly workTree: string
  /** The index; it does not exist at first. */
  readonly index: string
  readonly run: (
    args: ReadonlyArray<string>,
    options?: Pick<Invocation, "input" | "answers" | "variables">
  ) => ReturnType<GitCommand["Type"]["run"]>
}

/** The format and the permissions of what is written have to be those of the repository. */
const config = ({ objectFormat, settings }: Repository): string => {
  const shared = settings["core.sharedrepository"] ?? ""
  return [
    "[core]",
    "\trepositoryformatversion = 1",
    ...(/^\w+$/.test(shared) ? [`\tsharedRepository = ${shared}`] : []),
    "[extensions]",
    `\tobjectFormat = ${objectFormat}`,
    ""
  ].join("\n")
}

/** Whether any line of it is neither empty nor a comment. */
const hasRules = (text: string): boolean => /^[^\n#]/m.test(text)

/**
 * Small files in the directory for such, and no more of them than needed: each costs more than its content, the more so in a
 * file system that looks for a place past all that were there a moment ago. Through Node's threads it would be ten times as much.
 */
const furnish = (directory: string, repository: Repository) =>
  step("make a git directory", async () => {
    mkdirSync(`${directory}/refs`)
    const info = Object.entries({ exclude: repository.exclude, attributes: repository.attributes })
    const rules = info.filter(([, text]) => hasRules(text))
    if (rules.length > 0) mkdirSync(`${directory}/info`)
    writeFileSync(`${directory}/HEAD`, "ref: refs/heads/none\n")
    writeFileSync(`${directory}/config`, config(repository))
    for (const [name, text] of rules) writeFileSync(`${directory}/info/${name}`, text)
  })

/** `rmSync` alone would try to remove each directory as if it were empty, and make an error of that it is not. */
const clear = (directory: string) => {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) rmSync(path, { recursive: true, force: true })
    else unlinkSync(path)
  }
  rmdirSync(directory)
}

/** Runs an operation with a git directory of its own, over the files at `workTree`, or over none. */
export const isolatedGitDir = <A, E, R>(
  repository: Repository,
  use: (git: IsolatedGitDir) => Effect.Effect<A, E, R>,
  options?: { readonly workTree?: string; readonly index?: string }
) =>
  Effect.flatMap(GitCommand, (command) =>
    Effect.acquireUseRelease(
      step("make a git directory", async () => mkdtempSync(`${command.environment.scratch}/charlotte-git-`)),
      (directory) => {
        const index = options?.index ?? `${directory}/index`
        // Without one it is an empty directory that is there anyway.
        const workTree = options?.workTree ?? `${directory}/refs`
        const variables = {
          GIT_DIR: directory,
          GIT_WORK_TREE: workTree,
          GIT_INDEX_FILE: index,
          GIT_OBJECT_DIRECTORY: `${repository.commonDir}/objects`
        }
        const run: IsolatedGitDir["run"] = (args, { variables: more, ...rest } = {}) =>
          command.run({
            args,
            cwd: workTree,
            variables: { ...variables, ...more },
            settings: repository.settings,
            ...rest
          })
        return Effect.zipRight(furnish(directory, repository), use({ directory, workTree, index, run }))
      },
      (directory) => Effect.ignore(step("remove a git directory", async () => clear(directory)))
    )
  )
