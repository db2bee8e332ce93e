/**
 * Git on the objects of a repository, and on nothing else of it. What makes and reads commits runs in a git directory of
 * its own that lasts for one operation: the configuration, hooks, filters, drivers and index that a process may have
 * planted in the repository are not read at all, so there is no moment at which they could slip in.
 */
import { Effect } from "effect"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { GitCommand, type Invocation, step } from "./GitCommand.js"
import type { Repository } from "./Repository.js"

export interface Sealed {
  /** A directory that goes when the operation ends. */
  readonly directory: string
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

const furnish = (directory: string, repository: Repository) =>
  step("make a git directory", async () => {
    await Promise.all(["refs", "info", "files"].map((part) => mkdir(`${directory}/${part}`)))
    const files = {
      HEAD: "ref: refs/heads/none\n",
      config: config(repository),
      "info/exclude": repository.exclude,
      "info/attributes": repository.attributes
    }
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(`${directory}/${name}`, text)))
  })

/** Runs an operation with a git directory of its own, over the files at `workTree`, or over none. */
export const sealed = <A, E, R>(
  repository: Repository,
  use: (git: Sealed) => Effect.Effect<A, E, R>,
  options?: { readonly workTree?: string; readonly index?: string }
) =>
  Effect.flatMap(GitCommand, (command) =>
    Effect.acquireUseRelease(
      step("make a git directory", () => mkdtemp(`${command.environment.scratch}/charlotte-git-`)),
      (directory) => {
        const index = options?.index ?? `${directory}/index`
        const workTree = options?.workTree ?? `${directory}/files`
        const variables = {
          GIT_DIR: directory,
          GIT_WORK_TREE: workTree,
          GIT_INDEX_FILE: index,
          GIT_OBJECT_DIRECTORY: `${repository.commonDir}/objects`
        }
        const run: Sealed["run"] = (args, { variables: more, ...rest } = {}) =>
          command.run({
            args,
            cwd: workTree,
            variables: { ...variables, ...more },
            settings: repository.settings,
            ...rest
          })
        return Effect.zipRight(furnish(directory, repository), use({ directory, index, run }))
      },
      (directory) =>
        Effect.ignore(step("remove a git directory", () => rm(directory, { recursive: true, force: true })))
    )
  )
