/**
 * What of a repository can make git run something or read something else: its configuration with all that it includes,
 * its hooks, its attributes, its grafts, its borrowed objects. Taken when a job is submitted, kept with it, and compared before each change.
 */
import { Duration, Effect, Option, Schema } from "effect"
import { createHash } from "node:crypto"
import * as fs from "./fs.js"
import { run } from "./GitCommand.js"
import { RepositoryChanged } from "./GitError.js"
import * as GitConfig from "./GitConfig.js"

/** A digest for each setting, hook and file by its name: values may be secrets, so they are not kept. */
export const Fingerprint = Schema.Record({ key: Schema.String, value: Schema.String })
export type Fingerprint = typeof Fingerprint.Type

/** The two directories that make a repository. */
export interface Directories {
  readonly gitDir: string
  readonly commonDir: string
}

const digest = (...content: ReadonlyArray<string | Buffer>): string => {
  const hash = createHash("sha256")
  for (const part of content) hash.update(part).update("\0")
  return hash.digest("hex")
}

/**
 * What git would run or follow in the calls that are made here. Not among it is what `Settings` sets on every call, above all
 * files: hooks, fsmonitor, editors, pagers, gpg, ssh, credential helpers. Nor is what only the user's own commands read, such
 * as aliases, identities, remotes and `pull.rebase`: people and tools write that all day.
 */
const matters = (key: string): boolean =>
  /^(filter\..*\.(clean|smudge|process|required)|merge\..*\.driver|diff\..*\.(command|textconv))$/.test(key) ||
  /^(extensions\..*|core\.(worktree|attributesfile|repositoryformatversion)|remote\..*\.promisor)$/.test(key) ||
  /^(branch\..*\.mergeoptions|trailer\..*\.(command|cmd))$/.test(key)

/** The configuration as git sees it, with included files, and with the user's own files where asked for. */
export const listing = ({ commonDir, gitDir }: Directories, options?: { readonly userConfig: boolean }) =>
  run({
    args: ["config", "--list", "--includes", "--show-scope", "-z"],
    cwd: commonDir,
    variables: {
      GIT_DIR: gitDir,
      GIT_COMMON_DIR: commonDir,
      // What stands for the whole machine is the user's as well.
      ...(options?.userConfig === true ? { GIT_CONFIG_NOSYSTEM: "0" } : {})
    },
    userConfig: options?.userConfig ?? false,
    // An include may lead to a pipe, or to something that has no end.
    limit: Duration.seconds(10)
  }).pipe(Effect.map(({ stdout }) => GitConfig.parse(stdout.toString())))

const settings = (entries: ReadonlyArray<GitConfig.Entry>): Fingerprint => {
  const values = new Map<string, Array<string>>()
  for (const { key, scope, value } of entries) {
    if ((scope !== "local" && scope !== "worktree") || !matters(key)) continue
    values.set(key, [...(values.get(key) ?? []), value])
  }
  return Object.fromEntries([...values].map(([key, all]) => [`setting ${key}`, digest(...all)]))
}

/** The file at a path, or its kind when it is none. */
const file = (name: string, path: string) =>
  Effect.gen(function* () {
    const target = Option.getOrElse(yield* fs.real(path), () => path)
    const stats = yield* fs.stat(target)
    if (Option.isNone(stats)) return []
    const content = yield* fs.read(target)
    const mode = stats.value.mode.toString(8)
    return [
      [
        name,
        digest(
          mode,
          Option.getOrElse(content, () => "")
        )
      ] as const
    ]
  })

/** Files beside the configuration that decide which objects, which history and which rules git reads. */
const redirectsSince = ["info/grafts", "objects/info/alternates", "shallow"]
const redirects = ["info/attributes", ...redirectsSince]

/** Taken from a listing of the repository's configuration, and from its files as they are now. */
export const take = (directories: Directories, entries: ReadonlyArray<GitConfig.Entry>) =>
  Effect.gen(function* () {
    const files = yield* Effect.forEach(redirects, (name) => file(name, `${directories.commonDir}/${name}`))
    const result: Fingerprint = { ...settings(entries), ...Object.fromEntries(files.flat()) }
    return result
  })

const isTaken = (name: string): boolean =>
  name.startsWith("setting ") ? matters(name.slice("setting ".length)) : redirects.includes(name)

/**
 * The names of what one has and the other has not, or has otherwise. Version 0.1.0 took every setting and the hooks, among them
 * always some that do not matter, and of the files only the attributes: of what it took, what is taken today is compared.
 */
export const differences = (before: Fingerprint, after: Fingerprint): ReadonlyArray<string> => {
  const isOfFirstVersion = Object.keys(before).some((name) => !isTaken(name))
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !isOfFirstVersion || (isTaken(name) && !redirectsSince.includes(name)))
    .filter((name) => before[name] !== after[name])
    .toSorted()
}

/** Fails when the repository is no longer what it was. */
export const verify = (path: string, directories: Directories, expected: Fingerprint) =>
  Effect.gen(function* () {
    yield* compare(path, expected, yield* take(directories, yield* listing(directories)))
  })

/** Fails when the one differs from the other. */
export const compare = (path: string, expected: Fingerprint, actual: Fingerprint) =>
  Effect.gen(function* () {
    const changes = differences(expected, actual)
    if (changes.length > 0) return yield* new RepositoryChanged({ path, changes })
  })
