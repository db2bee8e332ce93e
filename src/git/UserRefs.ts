/**
 * The user's branches, tags and stash around a command of a job. The command works in a separate repository, but can reach the
 * user's by its path. A ref that moved meanwhile proves nothing, since the user works there too. So `GIT_TRACE2_EVENT` in the
 * environment of the command makes its git processes record what they do, and refs are compared only if one of them could have
 * moved some there. A program that hides its environment from git, or writes refs without git, cannot be distinguished from the
 * user.
 */
import { Effect, Option, Schema } from "effect"
import { createReadStream } from "node:fs"
import { rm } from "node:fs/promises"
import { createInterface } from "node:readline"
import * as fs from "./fs.js"
import { step } from "./GitCommand.js"
import { listOtherRefs } from "./listRefs.js"
import type { Repository } from "./Repository.js"
import type { Move } from "./SharedClone.js"
import { command } from "./shellQuote.js"

export type Values = ReadonlyMap<string, string>

/** The user's branches, tags and stash, each with its object id; excludes refs that a fetch moves. */
export const read = (repository: Repository) =>
  Effect.map(
    listOtherRefs(repository, "refs/heads/", "refs/tags/", "refs/stash"),
    (entries): Values => new Map(entries.map(({ object, ref }) => [ref, object]))
  )

/** A line of the trace: one event; all lines of a process have the same `sid`. */
const Noted = Schema.parseJson(
  Schema.Struct({
    sid: Schema.String,
    event: Schema.String,
    argv: Schema.optional(Schema.Array(Schema.String)),
    worktree: Schema.optional(Schema.String),
    /** For `cmd_name`: the command, or how git resolves it, such as `_run_git_alias_`. */
    name: Schema.optional(Schema.String),
    /** For `def_param`: the value of a variable. */
    value: Schema.optional(Schema.String)
  })
)

/** Commands that move none of the user's refs. */
const harmless = new Set(
  `annotate archive blame cat-file check-attr check-ignore check-ref-format config count-objects describe diff diff-files
  diff-index diff-tree for-each-ref format-patch fsck gc grep help log ls-files ls-remote ls-tree maintenance merge-base
  name-rev pack-objects range-diff remote rev-list rev-parse shortlog show show-branch show-ref status unpack-objects upload-pack
  var version whatchanged`.split(/\s+/)
)

/** The beginning of the lines that are decoded; a command may write any others, and any number of them. */
const isNoted = /^\{"event":"(start|def_repo|def_param|cmd_name)"/

/** In bytes, the trace of several thousand git processes. A command can write any amount, and so exhaust memory. */
const maxTrace = 16 * 1024 * 1024

/** Whether a git process that may have moved refs worked in the repository; assumed if the trace is too large to tell. */
const mayHaveMoved = (file: string, { commonDir, gitDir, topLevel }: Repository) =>
  Effect.gen(function* () {
    const stats = yield* fs.stat(file)
    if (Option.isNone(stats) || !stats.value.isFile()) return false
    if (stats.value.size > maxTrace) return true
    const paths = [topLevel, gitDir, commonDir].map(withoutEnd)
    const isNamed = (text: string) => {
      const path = withoutEnd(text)
      return paths.some((own) => path === own || path.endsWith(`=${own}`) || path.endsWith(`file://${own}`))
    }
    const [inside, moving] = [new Set<string>(), new Set<string>()]
    const started = new Map<string, ReadonlyArray<string>>()
    const add = (line: string) => {
      const noted = isNoted.test(line) ? Option.getOrUndefined(decode(line)) : undefined
      if (noted === undefined) return
      const { argv = [], event, name = "", sid, value, worktree } = noted
      if (event === "start") started.set(sid, argv)
      if ([...(started.get(sid) ?? []), worktree ?? "", value ?? ""].some(isNamed)) inside.add(sid)
      if (event === "cmd_name" && !name.startsWith("_") && moves(name, started.get(sid) ?? [])) moving.add(sid)
    }
    yield* step(`read ${file}`, async () => {
      for await (const line of createInterface({ input: createReadStream(file, { end: maxTrace }) })) add(line)
    })
    return [...moving].some((sid) => inside.has(sid))
  })

const moves = (name: string, argv: ReadonlyArray<string>): boolean => {
  const options = argv.slice(argv.indexOf(name) + 1)
  switch (name) {
    case "branch":
    case "tag":
      // Without a name, they only list refs.
      return options.some((option) => !option.startsWith("-"))
    case "stash":
    case "worktree":
      return options[0] !== "list" && options[0] !== "show"
    default:
      return !harmless.has(name)
  }
}

const decode = Schema.decodeOption(Noted)

const withoutEnd = (path: string): string => path.replace(/\/+$/, "").replace(/\/\.git$/, "")

/** Environment variables that make each git process of a command trace to a file. */
export const traced = (file: string): Readonly<Record<string, string>> => ({
  GIT_TRACE2_EVENT: file,
  GIT_TRACE2_EVENT_BRIEF: "1",
  GIT_TRACE2_ENV_VARS: "GIT_DIR,GIT_COMMON_DIR,GIT_WORK_TREE"
})

/** The refs that were moved while a command ran, if one of its git processes may have moved them. Removes the trace file. */
export const movedSince = (repository: Repository, before: Values, file: string) =>
  Effect.gen(function* () {
    const isPossible = yield* mayHaveMoved(file, repository)
    yield* step(`remove ${file}`, () => rm(file, { force: true }))
    if (!isPossible) return []
    const after = yield* read(repository)
    return [...new Set([...before.keys(), ...after.keys()])].flatMap((ref): ReadonlyArray<Move> => {
      const [from, to] = [before.get(ref), after.get(ref)]
      return from === to ? [] : [{ ref, from, to }]
    })
  })

/** The command that undoes a move unless the ref was moved again; none for the stash, which has a separate log. */
export const undoCommand = ({ topLevel }: Repository, { from, ref, to }: Move): Option.Option<string> => {
  const git = ["git", "-C", topLevel, "update-ref"]
  if (ref === "refs/stash") return Option.none()
  if (from === undefined) return Option.some(command(...git, "-d", ref, ...(to === undefined ? [] : [to])))
  return Option.some(command(...git, ref, from, to ?? "0".repeat(from.length)))
}
