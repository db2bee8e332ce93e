/**
 * The refs of a repository, as git lists them.
 */
import { Effect } from "effect"
import { inRepository, type Repository } from "./Repository.js"

/** The refs that match a pattern, each with its object and, for a symbolic ref, its target. A full ref name matches exactly. */
export const listRefs = (repository: Repository, ...patterns: ReadonlyArray<string>) =>
  Effect.map(
    inRepository(repository, [
      "for-each-ref",
      "--format=%(refname)%00%(objectname)%00%(symref)",
      "--end-of-options",
      ...patterns
    ]),
    ({ stdout }) =>
      stdout
        .toString()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const [ref = "", object = "", symbolic = ""] = line.split("\0")
          return { ref, object, symbolic }
        })
  )

/** The ref prefix of the branches of jobs. */
export const ownBranches = "refs/heads/charlotte/"

/** As `listRefs`, without the branches of jobs. */
export const listOtherRefs = (repository: Repository, ...patterns: ReadonlyArray<string>) =>
  Effect.map(listRefs(repository, ...patterns), (entries) => entries.filter(({ ref }) => !ref.startsWith(ownBranches)))
