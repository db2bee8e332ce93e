/**
 * Fingerprint of everything in a repository that can make git execute a program or read other data: its configuration with all
 * includes, attributes, grafts and alternates. Taken and stored at submission, and compared before each change.
 */
import { Duration, Effect, Option, Schema } from "effect"
import { createHash } from "node:crypto"
import * as fs from "./fs.js"
import { run } from "./GitCommand.js"
import { RepositoryChanged } from "./GitError.js"
import * as GitConfig from "./GitConfig.js"

/** A digest of each setting and file, by name: values may be secrets, so they are not stored. */
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
 * Whether git would execute or follow the setting in Charlotte's own calls. Excluded are settings that `GitConfig` overrides on
 * every call (hooks, fsmonitor, editors, pagers, gpg, ssh, credential helpers), and settings that only the user's commands read,
 * such as aliases, identities, remotes and `pull.rebase`, which people and tools change all the time.
 */
const matters = (key: string): boolean =>
  /^(filter\..*\.(clean|smudge|process|required)|merge\..*\.driver|diff\..*\.(command|textconv))$/.test(key) ||
  /^(extensions\..*|core\.(worktree|attributesfile|repositoryformatversion)|remote\..*\.promisor)$/.test(key) ||
  /^(branch\..*\.mergeoptions|trailer\..*\.(command|cmd))$/.test(key)

/** The configuration as git sees it, with included files, and optionally with the user's own files. */
export const listing = ({ commonDir, gitDir }: Directories, options?: { readonly userConfig: boolean }) =>
  run({
    args: ["config", "--list", "--includes", "--show-scope", "-z"],
    cwd: commonDir,
    variables: {
      GIT_DIR: gitDir,
      GIT_COMMON_DIR: commonDir,
      // The system configuration counts as the user's as well.
      ...(options?.userConfig === true ? { GIT_CONFIG_NOSYSTEM: "0" } : {})
    },
    userConfig: options?.userConfig ?? false,
    // An include may point to a named pipe or an endless file.
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

/** The digest of the file at a path, if it exists. */
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

/** Files, besides the configuration, that determine which objects, history and attributes git reads. */
const redirectsSince = ["info/grafts", "objects/info/alternates", "shallow"]
const redirects = ["info/attributes", ...redirectsSince]

/** Takes the fingerprint from a listing of the repository's configuration, and from its files as they are now. */
export const take = (directories: Directories, entries: ReadonlyArray<GitConfig.Entry>) =>
  Effect.gen(function* () {
    const files = yield* Effect.forEach(redirects, (name) => file(name, `${directories.commonDir}/${name}`))
    const result: Fingerprint = { ...settings(entries), ...Object.fromEntries(files.flat()) }
    return result
  })

const isTaken = (name: string): boolean =>
  name.startsWith("setting ") ? matters(name.slice("setting ".length)) : redirects.includes(name)

/**
 * The names of the entries that differ. A fingerprint of version 0.1.0 always has entries that are no longer taken (other
 * settings, hooks) and, of the files, only the attributes; for it, only entries that both versions take are compared.
 */
export const differences = (before: Fingerprint, after: Fingerprint): ReadonlyArray<string> => {
  const isOfFirstVersion = Object.keys(before).some((name) => !isTaken(name))
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !isOfFirstVersion || (isTaken(name) && !redirectsSince.includes(name)))
    .filter((name) => before[name] !== after[name])
    .toSorted()
}

/** Fails if the repository no longer has the expected fingerprint. */
export const verify = (path: string, directories: Directories, expected: Fingerprint) =>
  Effect.gen(function* () {
    yield* compare(path, expected, yield* take(directories, yield* listing(directories)))
  })

/** Fails if the fingerprints differ. */
export const compare = (path: string, expected: Fingerprint, actual: Fingerprint) =>
  Effect.gen(function* () {
    const changes = differences(expected, actual)
    if (changes.length > 0) return yield* new RepositoryChanged({ path, changes })
  })
