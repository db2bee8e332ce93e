/** An opened repository: its identity, its directories, and its settings at that time. */
import { Effect, Option, Schedule } from "effect"
import { randomBytes } from "node:crypto"
import { link, open as openFile, rm, stat } from "node:fs/promises"
import * as fs from "./fs.js"
import * as Fingerprint from "./Fingerprint.js"
import { GitCommand, type Invocation, run, step } from "./GitCommand.js"
import { type GitFailed, NotARepository } from "./GitError.js"
import * as GitConfig from "./GitConfig.js"
import * as Signing from "./Signing.js"

export interface Identity {
  readonly name: string
  readonly email: string
}

export interface Repository {
  /**
   * The same for every path to this repository, also on other machines once `identify` has written it: an id in the git directory that its
   * checkouts share. The place of that directory until then, and where no id can be written.
   */
  readonly identity: string
  /** The device and the inode of that directory on this machine. */
  readonly place: string
  /** The checkout through which it was opened. */
  readonly topLevel: string
  /** The git directory of that checkout. */
  readonly gitDir: string
  /** The git directory that all checkouts share. */
  readonly commonDir: string
  readonly objectFormat: "sha1" | "sha256"
  readonly shallow: boolean
  /** Objects may be missing until they are fetched. */
  readonly partial: boolean
  readonly author: Option.Option<Identity>
  readonly committer: Option.Option<Identity>
  /** Whether the user signs commits; `signing` says how, if a job can do the same. */
  readonly signs: boolean
  readonly signing: Option.Option<Signing.Signing>
  /** The user's settings to pass to each command. */
  readonly settings: Readonly<Record<string, string>>
  /** The repository's own settings, from its configuration files. */
  readonly local: ReadonlyArray<GitConfig.Entry>
  /** The content filters that are configured. */
  readonly filters: ReadonlyArray<string>
  /** The text of `info/exclude` and `info/attributes`. */
  readonly exclude: string
  readonly attributes: string
  /** To be stored with the job, and passed to `open` when the job is continued. */
  readonly fingerprint: Fingerprint.Fingerprint
}

const lookAt = (commonDir: string) => step(`look at ${commonDir}`, () => stat(commonDir, { bigint: true }))

const placeOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string => `${dev}:${ino}`

const readId = (path: string) =>
  Effect.map(
    fs.readLine(path),
    Option.filter((id) => /^[0-9a-f]{32}$/.test(id))
  )

/** Makes the id of a repository, complete at once, unless another process has been faster. */
const makeId = (path: string) =>
  step(`write ${path}`, async () => {
    const id = randomBytes(16).toString("hex")
    const made = `${path}.${id}`
    try {
      const file = await openFile(made, "wx")
      await file
        .writeFile(`${id}\n`)
        .then(() => file.sync())
        .finally(() => file.close())
      await link(made, path)
    } finally {
      await rm(made, { force: true })
    }
  })

/**
 * Machines that share a disk see it as other devices, but with the same inodes: the inode in the name makes a copy of the directory another
 * repository.
 */
const idFile = ({ commonDir, place }: Pick<Repository, "commonDir" | "place">): string =>
  `${commonDir}/charlotte-id.${place.slice(place.indexOf(":") + 1)}`

const identityOf = (repository: Pick<Repository, "commonDir" | "place">) =>
  readId(idFile(repository)).pipe(
    Effect.orElseSucceed(Option.none<string>),
    Effect.map(Option.getOrElse(() => repository.place))
  )

/** Returns the identity by which jobs of all machines know the repository, and writes it if there is none yet. */
export const identify = (repository: Repository) =>
  Effect.gen(function* () {
    const known = yield* identityOf(repository)
    if (known !== repository.place) return known
    yield* Effect.ignore(makeId(idFile(repository)))
    return yield* identityOf(repository)
  })

/** Whether a job was of this repository, as it has recorded: version 0.1.0 recorded the place. */
export const isSame = ({ identity, place }: Repository, recorded: string): boolean =>
  recorded === identity || recorded === place

/** Fails if the git directory was removed or replaced by another one. */
export const verifyPlace = ({ commonDir, place, topLevel }: Repository) =>
  Effect.gen(function* () {
    const now = yield* Effect.option(lookAt(commonDir))
    if (!Option.exists(now, (found) => placeOf(found) === place))
      return yield* new NotARepository({ path: topLevel, reason: `${commonDir} is gone or was replaced` })
  })

/** Queries `git rev-parse` in a directory: one line for each question. If git fails, its message is the reason. */
const ask = (cwd: string, ...questions: ReadonlyArray<string>) =>
  run({ args: ["rev-parse", "--path-format=absolute", ...questions], cwd, userConfig: true }).pipe(
    Effect.catchTag(
      "GitFailed",
      ({ detail }) =>
        new NotARepository({ path: cwd, reason: detail.replace(/^fatal: |\nStopping at filesystem boundary .*/g, "") })
    ),
    Effect.map(({ stdout }) => stdout.toString().replace(/\n$/, "").split("\n")),
    Effect.filterOrFail(
      (lines) => lines.length === questions.length,
      () => new NotARepository({ path: cwd, reason: "its path contains a line break" })
    )
  )

/** Fails with a clearer reason than git's if there is no working tree. */
const refuse = (path: string, cwd: string, failure: NotARepository) =>
  Effect.gen(function* () {
    const [bare, inside] = yield* ask(cwd, "--is-bare-repository", "--is-inside-work-tree")
    if (bare === "true") return yield* new NotARepository({ path, reason: "it is a bare repository, without files" })
    if (inside !== "true") return yield* new NotARepository({ path, reason: "it is inside a git directory" })
    return yield* failure
  })

const person = (cwd: string, which: string) =>
  run({ args: ["var", which], cwd, userConfig: true }).pipe(
    Effect.map(({ stdout }) => {
      const [, name = "", email = ""] = /^(.*) <(.*)> \d+ [+-]\d+\n$/.exec(stdout.toString()) ?? []
      return name === "" ? Option.none<Identity>() : Option.some<Identity>({ name, email })
    }),
    Effect.catchTag("GitFailed", () => Effect.succeed(Option.none<Identity>()))
  )

const directory = (path: string) =>
  Effect.gen(function* () {
    if (path.includes("\0"))
      return yield* new NotARepository({ path: path.replaceAll("\0", "?"), reason: "it contains a NUL" })
    if (!path.startsWith("/")) return yield* new NotARepository({ path, reason: "the path is not absolute" })
    const real = yield* Effect.catchTag(
      fs.real(path),
      "GitFailed",
      ({ detail }) => new NotARepository({ path, reason: detail })
    )
    if (Option.isNone(real)) return yield* new NotARepository({ path, reason: "it does not exist" })
    const stats = yield* fs.stat(real.value)
    if (Option.exists(stats, (found) => found.isDirectory())) return real.value
    return yield* new NotARepository({ path, reason: "it is not a directory" })
  })

const text = (path: string) =>
  Effect.map(fs.read(path), (content) => Option.match(content, { onNone: () => "", onSome: String }))

/**
 * Opens the repository of a path: its top level, a directory in it, a symbolic link, a linked worktree. With an earlier
 * fingerprint, it fails if the repository was changed since.
 */
export const open = (path: string, options?: { readonly fingerprint?: Fingerprint.Fingerprint }) =>
  Effect.gen(function* () {
    yield* Effect.flatMap(GitCommand, (command) => command.version)
    const cwd = yield* directory(path)
    const [topLevel = "", shallow, objectFormat, gitPath = "", commonPath = ""] = yield* Effect.catchTag(
      ask(cwd, "--show-toplevel", "--is-shallow-repository", "--show-object-format", "--git-dir", "--git-common-dir"),
      "NotARepository",
      (failure) => refuse(path, cwd, failure)
    )
    const gitDir = Option.getOrElse(yield* fs.real(gitPath), () => gitPath)
    const commonDir = Option.getOrElse(yield* fs.real(commonPath), () => commonPath)
    const directories = { gitDir, commonDir }

    // The fingerprint covers the repository's own settings, and is taken first: a change to anything read below is detected later.
    const entries = yield* Fingerprint.listing(directories, { userConfig: true })
    const fingerprint = yield* Fingerprint.take(directories, entries)
    if (options?.fingerprint !== undefined) yield* Fingerprint.compare(topLevel, options.fingerprint, fingerprint)
    const place = placeOf(yield* lookAt(commonDir))
    const repository: Repository = {
      identity: yield* identityOf({ commonDir, place }),
      place,
      topLevel,
      gitDir,
      commonDir,
      objectFormat: objectFormat === "sha256" ? "sha256" : "sha1",
      shallow: shallow === "true",
      partial: entries.some(({ key }) => key === "extensions.partialclone" || /^remote\..*\.promisor$/.test(key)),
      author: yield* person(cwd, "GIT_AUTHOR_IDENT"),
      committer: yield* person(cwd, "GIT_COMMITTER_IDENT"),
      signs: Signing.isWanted(entries),
      signing: Signing.of(entries),
      settings: GitConfig.keep(entries),
      local: entries.filter(({ scope }) => scope === "local" || scope === "worktree"),
      filters: [...new Set(entries.flatMap(({ key }) => /^filter\.(.*)\.[^.]+$/.exec(key)?.[1] ?? []))],
      exclude: yield* text(`${commonDir}/info/exclude`),
      attributes: yield* text(`${commonDir}/info/attributes`),
      fingerprint
    }
    return repository
  })

/** Runs git on the refs and checkouts of a repository, with explicit directories instead of discovery. */
export const inRepository = (
  repository: Repository,
  args: ReadonlyArray<string>,
  options?: Pick<Invocation, "answers" | "input" | "variables"> & {
    readonly gitDir?: string
    readonly workTree?: string
  }
) =>
  run({
    args,
    cwd: options?.workTree ?? repository.commonDir,
    variables: {
      GIT_DIR: options?.gitDir ?? repository.commonDir,
      GIT_COMMON_DIR: repository.commonDir,
      ...(options?.workTree === undefined ? {} : { GIT_WORK_TREE: options.workTree }),
      ...options?.variables
    },
    settings: repository.settings,
    answers: options?.answers ?? [0],
    ...(options?.input === undefined ? {} : { input: options.input })
  }).pipe(
    Effect.retry({
      while: (error) => error._tag === "GitFailed" && isHalfMade(error),
      schedule: Schedule.intersect(Schedule.spaced("20 millis"), Schedule.recurs(10))
    })
  )

/** Git first reads all worktrees, and fails at one that another process is still creating. */
const isHalfMade = ({ detail }: GitFailed): boolean => /failed to read \S+\/worktrees\/[^/\s]+\/commondir/.test(detail)
