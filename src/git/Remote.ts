/**
 * The remote repository to which a branch is pushed, from the repository's own settings.
 */
import { Effect, Option } from "effect"
import { resolve } from "node:path"
import { type BranchName, type ObjectId, type OwnBranch } from "./RefNames.js"
import { isolatedGitDir } from "./IsolatedGitDir.js"
import type { Repository } from "./Repository.js"

export interface Remote {
  readonly name: string
  /** As git is called with it; a path is absolute. */
  readonly url: string
}

/** A path has no scheme, and no colon before its first slash. */
const isPath = (url: string): boolean => !/^[^/]*:/.test(url)

/** The remote that a branch tracks, or else `origin`, or else the only one. */
export const of = ({ local, topLevel }: Pick<Repository, "local" | "topLevel">, branch: BranchName) => {
  const value = (key: string) => local.findLast((entry) => entry.key === key)?.value
  const names = [...new Set(local.flatMap(({ key }) => /^remote\.(.+)\.url$/.exec(key)?.[1] ?? []))]
  const preferred = [value(`branch.${branch}.remote`), "origin", ...(names.length === 1 ? names : [])]
  return Option.map(
    Option.fromNullable(preferred.find((name) => name !== undefined && names.includes(name))),
    (name): Remote => {
      const url = value(`remote.${name}.pushurl`) ?? value(`remote.${name}.url`) ?? ""
      return { name, url: isPath(url) ? resolve(topLevel, url) : url }
    }
  )
}

export interface Forge {
  readonly host: string
  /** Owner and name. */
  readonly path: string
}

/** The site of a remote repository, such as GitHub; none for a path. */
export const forge = ({ url }: Remote): Option.Option<Forge> => {
  if (isPath(url)) return Option.none()
  const [, host, path] = /^(?:(?:https?|ssh|git):\/\/)?(?:[^@/]*@)?([\w.-]+)(?::\d+(?=\/))?[:/]\/?(.+)$/.exec(url) ?? []
  const name = path?.replace(/(\.git)?\/*$/, "")
  return host === undefined || name === undefined || !/^[\w.-]+(\/[\w.-]+)+$/.test(name)
    ? Option.none()
    : Option.some({ host, path: name })
}

export interface Push {
  readonly remote: Remote
  readonly branch: OwnBranch
  readonly commit: ObjectId
}

/** Pushes a commit as a branch of a job; a branch that has it already is left as it is, and none is overwritten. */
export const push = (repository: Repository, { branch, commit, remote }: Push) =>
  isolatedGitDir(repository, (git) =>
    Effect.asVoid(
      git.run(["push", "--quiet", "--end-of-options", remote.url, `${commit}:refs/heads/${branch}`], {
        usesNetwork: true
      })
    )
  )
