/**
 * What the user of a checkout could miss: each file, and each part of the repository that is not there for jobs. It is read
 * without git, since it is read after each kill.
 */
import { createHash } from "node:crypto"
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs"

/** What each of it holds, by its path in the checkout. */
export type Belongings = ReadonlyMap<string, string>

const below = (directory: string): ReadonlyArray<string> =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: "utf8" }).filter(
        (name) => !lstatSync(`${directory}/${name}`).isDirectory()
      )
    : []

/** Branches that jobs make, and those that they are to move. */
const isForJobs = (ref: string) => /^heads\/(charlotte|target)\//.test(ref)

export const look = (top: string): Belongings => {
  const paths = [
    ...below(top).filter((name) => !name.startsWith(".git/")),
    ...below(`${top}/.git/refs`)
      .filter((ref) => !isForJobs(ref))
      .map((ref) => `.git/refs/${ref}`),
    ...below(`${top}/.git/hooks`).map((hook) => `.git/hooks/${hook}`),
    ...["HEAD", "index", "config", "logs/refs/stash", "info/exclude"].map((name) => `.git/${name}`)
  ]
  return new Map(
    paths.map((path) => {
      const { mode } = lstatSync(`${top}/${path}`)
      return [
        path,
        `${mode} ${createHash("sha256")
          .update(readFileSync(`${top}/${path}`))
          .digest("hex")}`
      ]
    })
  )
}

/** A sentence for each that is not as it was. */
export const differing = (before: Belongings, now: Belongings): ReadonlyArray<string> =>
  [...new Set([...before.keys(), ...now.keys()])]
    .filter((path) => before.get(path) !== now.get(path))
    .map((path) => `the user's ${path} is not as it was`)
