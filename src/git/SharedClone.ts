/**
 * The repository in which processes of a job work: for each worktree a clone that borrows the objects of the user's repository
 * (`git clone --shared`), with separate refs, stash, configuration and hooks. A plain linked worktree would share them:
 * `git stash pop`, `git branch -f main` or `git config` in it would change the user's. The worktree stays registered with the
 * user's repository, so that its branch is not checked out anywhere else.
 */
import { Effect, Option } from "effect"
import { randomUUID } from "node:crypto"
import { copyFile, lstat, mkdir, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { cloneConfig } from "./cloneConfig.js"
import * as fs from "./fs.js"
import { step } from "./GitCommand.js"
import { fullRef, type ObjectId, type OwnBranch } from "./RefNames.js"
import { listOtherRefs } from "./listRefs.js"
import type { Repository } from "./Repository.js"

/** The path of a worktree's clone: beside the worktree, so that an agent that deletes files does not remove it. */
export const at = (worktree: string): string => `${dirname(worktree)}/.${basename(worktree)}.git`

/** The branches and tags at the time of the clone; kept outside the clone, since they are compared with it. */
const record = (gitDir: string): string => `${gitDir}/charlotte-refs`

/** Refs by name, each with an object id, or `ref: ` and the name of another ref. */
export type Values = ReadonlyMap<string, string>

const packed = (refs: Values): string =>
  [...refs].map(([ref, value]) => (value.startsWith("ref: ") ? "" : `${value} ${ref}\n`)).join("")

/** Parses `packed-refs`; lines that start with `#` or `^` are not refs. */
export const parse = (text: string): Values =>
  new Map(
    text.split("\n").flatMap((line) => {
      const [, value, ref] = /^([0-9a-f]{40,64}) (refs\/.+)$/.exec(line) ?? []
      return value === undefined || ref === undefined ? [] : [[ref, value] as const]
    })
  )

/** The refs that an agent may want to read: all but the user's stash and the branches of jobs. */
const borrowed = (repository: Repository) =>
  Effect.map(
    listOtherRefs(repository, ...["heads", "tags", "remotes", "notes", "replace"].map((name) => `refs/${name}/`)),
    (entries): Values =>
      new Map(entries.map(({ object, ref, symbolic }) => [ref, symbolic === "" ? object : `ref: ${symbolic}`]))
  )

/** Creates directories; removes anything that an agent put in their place, such as a link that leads out of the clone. */
const directories = async (clone: string, names: ReadonlyArray<string>): Promise<void> => {
  let path = clone
  for (const name of names) {
    path = `${path}/${name}`
    const stats = await lstat(path).catch(() => undefined)
    if (stats?.isDirectory() === true) continue
    await rm(path, { force: true })
    await mkdir(path)
  }
}

const writeRef = async (clone: string, ref: string, value: string): Promise<void> => {
  const file = `${clone}/${ref}`
  if ((await realpath(clone)) !== clone) throw new Error(`${clone} is behind a link`)
  await directories(clone, ref.split("/").slice(0, -1))
  for (const path of [file, `${file}.lock`]) await rm(path, { recursive: true, force: true })
  await writeFile(`${file}.lock`, `${value}\n`, { flag: "wx" })
  await rename(`${file}.lock`, file)
}

/** Sets the branch of the clone. No process may be running there. */
export const setBranch = (clone: string, branch: OwnBranch, commit: ObjectId) =>
  step(`move ${branch} in ${clone}`, () => writeRef(clone, fullRef(branch), commit))

/**
 * Removes the lock files that killed processes left in the private git directories of a worktree; returns whether there were any. No
 * process may run there.
 */
export const unlock = ({ clone, gitDir }: Pick<Options, "gitDir"> & { readonly clone: string }) =>
  step(`unlock ${clone}`, async () => {
    const found = await Promise.all(
      // Links in the directories are not followed: they may lead anywhere.
      [clone, gitDir].map((directory) => readdir(directory, { recursive: true, withFileTypes: true }))
    )
    const locks = found.flat().filter((file) => file.isFile() && file.name.endsWith(".lock"))
    for (const { name, parentPath } of locks) await rm(`${parentPath}/${name}`, { force: true })
    return locks.length > 0
  })

/** Copies the hooks rather than linking them, since tools that install hooks install them here. */
const copyHooks = async (from: string, to: string): Promise<void> => {
  const names = await readdir(from).catch(() => [])
  for (const name of names.filter((name) => !name.endsWith(".sample"))) {
    const stats = await stat(`${from}/${name}`).catch(() => undefined)
    if (stats?.isFile() === true) await copyFile(`${from}/${name}`, `${to}/${name}`)
  }
}

export interface Options {
  readonly path: string
  /** The git directory of the worktree in the user's repository. */
  readonly gitDir: string
  readonly branch: OwnBranch
  readonly commit: ObjectId
}

/** Creates the clone of a worktree, and points the `.git` of the worktree to it. */
export const make = (repository: Repository, { branch, commit, gitDir, path }: Options) =>
  Effect.gen(function* () {
    const clone = at(path)
    const refs = yield* borrowed(repository)
    yield* step(`make ${clone}`, async () => {
      await rm(clone, { recursive: true, force: true })
      for (const name of ["objects/info", "objects/pack", "refs/heads", "info", "hooks"])
        await mkdir(`${clone}/${name}`, { recursive: true })
      const files = {
        HEAD: `ref: ${fullRef(branch)}\n`,
        config: cloneConfig(repository),
        "packed-refs": packed(refs),
        "objects/info/alternates": `${repository.commonDir}/objects\n`,
        "info/exclude": repository.exclude,
        "info/attributes": repository.attributes
      }
      for (const [name, text] of Object.entries(files)) await writeFile(`${clone}/${name}`, text)
      for (const [ref, value] of refs) if (value.startsWith("ref: ")) await writeRef(clone, ref, value)
      await writeRef(clone, fullRef(branch), commit)
      await copyHooks(`${repository.commonDir}/hooks`, `${clone}/hooks`)
      await writeFile(record(gitDir), packed(refs))
      await writeFile(`${path}/.git`, `gitdir: ${clone}\n`)
    })
    return clone
  })

/** The value of one ref, if it exists. Reads the files, since git would also read the configuration of the clone. */
const value = (clone: string, ref: string) =>
  Effect.gen(function* () {
    const loose = yield* fs.readLine(`${clone}/${ref}`)
    if (Option.isSome(loose)) return loose
    const all = yield* fs.read(`${clone}/packed-refs`)
    return Option.flatMapNullable(all, (text) => parse(text.toString()).get(ref))
  })

/** The full ref name in HEAD; none if it is detached. */
export const head = (clone: string) =>
  Effect.map(
    fs.readLine(`${clone}/HEAD`),
    Option.flatMapNullable((line) => /^ref: (.+)$/.exec(line)?.[1])
  )

/** The commit of HEAD, whether it is on a branch or detached. */
export const headCommit = (clone: string) =>
  Effect.gen(function* () {
    const ref = yield* head(clone)
    return Option.isSome(ref) ? yield* value(clone, ref.value) : yield* fs.readLine(`${clone}/HEAD`)
  })

/** The commit of the branch. */
export const tip = (clone: string, branch: OwnBranch) => value(clone, fullRef(branch))

/** A change to one of the user's refs. */
export interface Move {
  readonly ref: string
  /** Undefined if the ref is new. */
  readonly from: string | undefined
  /** Undefined if the ref was deleted. */
  readonly to: string | undefined
}

const words = ({ from, ref, to }: Move): string =>
  from === undefined
    ? `created ${ref} at ${to}`
    : to === undefined
      ? `deleted ${ref}, which was at ${from}`
      : `moved ${ref} from ${from} to ${to.replace(/^ref: /, "")}`

/** Describes the moves in a message. */
export const describe = (moves: ReadonlyArray<Move>): string => {
  const [some, more] = [moves.slice(0, 5).map(words), moves.length - 5]
  return [...some, ...(more > 0 ? [`${more} more`] : [])].join("; ")
}

const isObject = /^[0-9a-f]{2}\/[0-9a-f]{38,62}$/
const isPack = /^pack\/pack-[0-9a-f]+\.(pack|rev|idx)$/

/** The files of a subdirectory, with its name as prefix. */
const entries = async (directory: string, name: string): Promise<ReadonlyArray<string>> =>
  (await readdir(`${directory}/${name}`).catch(() => [])).map((file) => `${name}/${file}`)

/**
 * Copies a file durably: work that is recorded as done must survive a power loss, so the copy is flushed before it gets its name.
 * After a crash, git itself removes a temporary file with such a name.
 */
const copy = async (from: string, to: string): Promise<void> => {
  const temporary = `${dirname(to)}/tmp_obj_${randomUUID()}`
  await mkdir(dirname(to), { recursive: true })
  await fs.copyFlushed(from, temporary)
  await rename(temporary, to)
}

/** Copies the objects that were created in the clone to the user's repository, as a local `git clone` does. */
export const copyObjects = ({ commonDir }: Repository, clone: string) =>
  step(`copy objects of ${clone}`, async () => {
    const [from, to] = [`${clone}/objects`, `${commonDir}/objects`]
    const names = await readdir(from)
    const found = await Promise.all(names.map((name) => entries(from, name)))
    // A pack becomes visible with its index, so the index comes last.
    const order = (name: string): number => (name.endsWith(".idx") ? 1 : 0)
    const files = found.flat().filter((name) => isObject.test(name) || isPack.test(name))
    for (const name of files.toSorted((a, b) => order(a) - order(b)))
      if ((await stat(`${to}/${name}`).catch(() => undefined)) === undefined)
        await copy(`${from}/${name}`, `${to}/${name}`)
  })

/** The loose refs. */
const loose = (clone: string) =>
  step(`read the refs of ${clone}`, async (): Promise<Values> => {
    const files = await readdir(`${clone}/refs`, { recursive: true, withFileTypes: true })
    const names = files.filter((file) => file.isFile()).map((file) => `${file.parentPath}/${file.name}`)
    const lines = await Promise.all(
      names.map(async (file) => {
        const line = Option.getOrElse(await fs.promises.readLine(file), () => "")
        return [file.slice(clone.length + 1), line] as const
      })
    )
    return new Map(lines)
  })

const packedIn = (file: string) =>
  Effect.map(
    fs.read(file),
    Option.match({ onNone: () => new Map<string, string>(), onSome: (text) => parse(text.toString()) })
  )

/**
 * Restores the user's branches and tags that were moved or deleted in the clone, and returns them; the user's repository is not
 * affected. Refs that the agent added are removed with the clone.
 */
export const putBack = (_: Repository, { clone, gitDir }: { readonly clone: string; readonly gitDir: string }) =>
  Effect.gen(function* () {
    const before = yield* packedIn(record(gitDir))
    const after = new Map([...(yield* packedIn(`${clone}/packed-refs`)), ...(yield* loose(clone))])
    const moves = [...before].flatMap(([ref, from]): ReadonlyArray<Move & { readonly from: string }> => {
      const to = after.get(ref)
      return to === from || !/^refs\/(heads|tags)\//.test(ref) ? [] : [{ ref, from, to }]
    })
    yield* step("put refs back", async () => {
      for (const { from, ref } of moves) await writeRef(clone, ref, from)
    })
    return moves
  })
