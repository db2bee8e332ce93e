/**
 * Content filters: programs that git would run on files when it reads them from a checkout or writes them there. None is ever run,
 * and none is bypassed: a commit, merge, checkout or landing that would need one is refused before anything is changed.
 */
import { Duration, Effect, Option } from "effect"
import { dirname } from "node:path"
import * as Files from "./Files.js"
import * as fs from "./fs.js"
import { GitCommand, run } from "./GitCommand.js"
import { ContentFiltered } from "./GitError.js"
import type { ObjectId } from "./RefNames.js"
import type { Repository } from "./Repository.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"

const attributesFile = ".gitattributes"

const isAttributesFile = (path: string): boolean => path === attributesFile || path.endsWith(`/${attributesFile}`)

/** The values of an attribute that name no driver. */
const unnamed = ["unspecified", "unset", "set"]

const keys = {
  filter: /^filter\.(.*)\.(?:clean|smudge|process)\n./s,
  merge: /^merge\.(.*)\.driver\n./s
}

/** The drivers that the files' attributes name, read from the `.gitattributes` of the index or of the work tree. */
export const asked = (
  git: IsolatedGitDir,
  attribute: keyof typeof keys,
  paths: ReadonlyArray<string>,
  from: "index" | "workTree" = "index"
) => {
  const args = ["check-attr", ...(from === "index" ? ["--cached"] : []), "-z", "--stdin", attribute]
  const input = paths.map((path) => `${path}\0`).join("")
  return Effect.map(git.run(args, { input }), ({ stdout }) => {
    const fields = stdout.toString().split("\0")
    return paths.flatMap((path, i) => {
      const driver = fields[3 * i + 2]
      return driver === undefined || unnamed.includes(driver) ? [] : [{ path, driver }]
    })
  })
}

/** The drivers for which the user's git has a program configured now, each with the configuration file. */
export const configured = ({ commonDir, gitDir }: Repository, attribute: keyof typeof keys) =>
  Effect.map(
    run({
      args: ["config", "--list", "--includes", "--show-origin", "-z"],
      cwd: commonDir,
      variables: { GIT_DIR: gitDir, GIT_COMMON_DIR: commonDir, GIT_CONFIG_NOSYSTEM: "0" },
      userConfig: true,
      limit: Duration.seconds(10)
    }),
    ({ stdout }) => {
      const fields = stdout.toString().split("\0")
      const found = new Map<string, string>()
      for (let i = 0; i + 1 < fields.length; i += 2) {
        const [, name] = keys[attribute].exec(fields[i + 1] ?? "") ?? []
        if (name !== undefined) found.set(name, (fields[i] ?? "").replace(/^file:/, ""))
      }
      return found
    }
  )

/** The user's attributes file for all repositories. */
const ownAttributes = ({ settings }: Repository) =>
  Effect.map(GitCommand, ({ environment: { variables } }) => {
    const home = variables["HOME"] ?? ""
    const file =
      settings["core.attributesfile"] ?? `${variables["XDG_CONFIG_HOME"] ?? `${home}/.config`}/git/attributes`
    return file.replace(/^~\//, `${home}/`)
  })

/** The file that declares a filter for a path: the nearest file that names it. */
const declaredIn = (
  repository: Repository,
  git: IsolatedGitDir,
  { driver, path }: { readonly path: string; readonly driver: string }
) =>
  Effect.gen(function* () {
    const isNamed = (text: string) => text.includes(`filter=${driver}`)
    for (let directory = dirname(path); ; directory = dirname(directory)) {
      const file = directory === "." ? attributesFile : `${directory}/${attributesFile}`
      const { stdout } = yield* git.run(["cat-file", "--end-of-options", "blob", `:${file}`], { answers: [0, 128] })
      const there = yield* fs.read(`${git.workTree}/${file}`)
      if (isNamed(stdout.toString()) || Option.exists(there, (text) => isNamed(text.toString()))) return file
      if (directory === ".") break
    }
    if (isNamed(repository.attributes)) return `${repository.commonDir}/info/attributes`
    const own = yield* ownAttributes(repository)
    return Option.exists(yield* fs.read(own), (text) => isNamed(text.toString()))
      ? own
      : "the attributes of this machine"
  })

/** One error for each filter with a configured program, and for LFS, whose file contents are missing without its filter. */
const among = (repository: Repository, git: IsolatedGitDir, wanted: Effect.Effect.Success<ReturnType<typeof asked>>) =>
  Effect.gen(function* () {
    if (wanted.length === 0) return []
    const programs = yield* configured(repository, "filter")
    const drivers = [...new Set(wanted.map(({ driver }) => driver))]
    return yield* Effect.forEach(
      drivers.filter((driver) => driver === "lfs" || programs.has(driver)),
      (filter) =>
        Effect.gen(function* () {
          const ofIt = wanted.filter(({ driver }) => driver === filter)
          const [first] = ofIt
          const files = [...new Set(ofIt.map(({ path }) => path))]
          return new ContentFiltered({
            filter,
            files: files.slice(0, 10),
            declared: first === undefined ? "" : yield* declaredIn(repository, git, first),
            configured: programs.get(filter) ?? null
          })
        })
    )
  })

/** The files to check: the changed ones, or all of the index if attributes changed. */
const affected = (git: IsolatedGitDir, changed: ReadonlyArray<string>) =>
  changed.some(isAttributesFile)
    ? Effect.map(git.run(["ls-files", "-z"]), ({ stdout }) => Files.fields(stdout))
    : Effect.succeed(changed)

/** Fails if one of the changed files of the index, which is about to be committed, needs a filter. */
export const refuse = (repository: Repository, git: IsolatedGitDir, changed: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const paths = yield* affected(git, changed)
    if (paths.length === 0) return
    const [found] = yield* among(repository, git, yield* asked(git, "filter", paths))
    if (found !== undefined) return yield* found
  })

interface Tree {
  readonly tree: ObjectId
  /** A commit whose files need no check; without it, all files are checked. */
  readonly since?: ObjectId
  /** The checkout to which the files will be written: its `.gitattributes` apply as well. */
  readonly checkout?: string
}

/** The filters that files of a tree or commit need. */
export const find = (repository: Repository, { checkout, since, tree }: Tree) =>
  isolatedGitDir(
    repository,
    (git) =>
      Effect.gen(function* () {
        yield* git.run(["read-tree", "--end-of-options", tree])
        const all = ["ls-files", "-z"]
        const diff = ["diff-index", "--cached", "--no-renames", "--name-only", "-z", "--end-of-options"]
        const listed = Files.fields((yield* git.run(since === undefined ? all : [...diff, since])).stdout)
        const paths = since === undefined ? listed : yield* affected(git, listed)
        if (paths.length === 0) return []
        const byIndex = yield* asked(git, "filter", paths)
        const byFiles = checkout === undefined ? [] : yield* asked(git, "filter", paths, "workTree")
        return yield* among(repository, git, [...byIndex, ...byFiles])
      }),
    checkout === undefined ? {} : { workTree: checkout }
  )

/** Fails if a file of the tree needs a filter. */
export const refuseIn = (repository: Repository, tree: Tree) =>
  Effect.flatMap(find(repository, tree), ([found]) => found ?? Effect.void)

/** Settings that remove the program of each filter, so that none runs even if attributes appear at the last moment. */
export const disarmed = ({ filters }: Repository): Readonly<Record<string, string>> =>
  Object.fromEntries(
    filters.flatMap((name) => [
      ...["clean", "smudge", "process"].map((key) => [`filter.${name}.${key}`, ""]),
      [`filter.${name}.required`, "false"]
    ])
  )
