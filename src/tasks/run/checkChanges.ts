/**
 * Notes what the work on a task did to the files by which its gate judges: lines that were removed or changed since the task began, and
 * tests that were added.
 */
import { Array, Effect, Option, Predicate, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import { Git } from "../../git/Git.js"
import type * as Diff from "../../git/Diff.js"
import { type ObjectId, RepoPath } from "../../git/RefNames.js"
import * as plainText from "../../internal/plainText.js"
import type { Task, Unit } from "../plan/Plan.js"
import * as CheckFiles from "./CheckFiles.js"
import * as Note from "./Note.js"
import type { RunContext } from "./RunContext.js"

/** More files are not compared: the note would not name them either. */
const maxFiles = 200

interface Range {
  readonly from: ObjectId
  readonly to: ObjectId
}

export const note = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  { changed, from, to }: Range & { readonly changed: ReadonlyArray<string> }
) =>
  Effect.gen(function* () {
    const named = CheckFiles.namedBy(task.backpressure)
    const kept = new Set<string>(ctx.keep)
    const [others, packages] = Array.partition(
      changed.filter((path) => !kept.has(path)),
      CheckFiles.isPackage
    )
    const paths = others.filter((path) => CheckFiles.isTest(path) || CheckFiles.isRunner(path) || named.has(path))
    const files = paths.length === 0 ? [] : yield* compare(ctx, paths.slice(0, maxFiles), { from, to })
    const keys = yield* Effect.forEach(packages.slice(0, maxFiles), (path) => changedKeys(ctx, path, { from, to }))
    const about = { unit: unit.id, task: task.number }
    const removed = [
      ...files.filter(({ removed }) => removed > 0).map(({ path, removed }) => ({ path, removed })),
      ...keys.flat()
    ]
    if (removed.length > 0) yield* Note.add(ctx, about, { _tag: "checkChanged", files: removed })
    const added = files.filter(({ isAdded, path }) => isAdded && CheckFiles.isTest(path)).map(({ path }) => path)
    if (added.length > 0) yield* Note.add(ctx, about, { _tag: "testsAdded", files: added })
  }).pipe(
    // What git cannot compare keeps no work from being committed.
    Effect.catchTag("GitFailed", ({ message }) => Effect.logWarning(`the tests could not be compared: ${message}`))
  )

const compare = ({ repository }: RunContext, paths: ReadonlyArray<string>, { from, to }: Range) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { files } = yield* git.diff(repository, { base: from, head: to, paths })
    return files.map((file) => {
      const removed = removedFrom(file)
      return {
        path: plainText.line(file.oldPath ?? file.path),
        removed,
        isAdded: removed === 0 && file.additions > 0
      }
    })
  })

/**
 * How many of the lines that a file had are gone. A line that was moved is not, nor one that only got a comma, or an import that only got
 * more names: work that adds tests does that.
 */
export const removedFrom = ({ deletions, patch }: Pick<Diff.File, "deletions" | "patch">): number => {
  if (patch === undefined) return deletions
  const lines = patch.split("\n")
  const written = lines.filter((line) => line.startsWith("+")).map((line) => line.slice(1).trimEnd())
  const unmatched = new Map<string, number>()
  for (const line of written) unmatched.set(line, (unmatched.get(line) ?? 0) + 1)
  const take = (line: string): boolean => {
    const count = unmatched.get(line) ?? 0
    if (count > 0) unmatched.set(line, count - 1)
    return count > 0
  }
  const imports = written.filter(isImport).map(words)
  const isThere = (line: string): boolean =>
    line === "" || take(line) || take(`${line},`) || (isImport(line) && imports.some(includes(words(line))))
  return lines.filter((line) => line.startsWith("-") && !isThere(line.slice(1).trimEnd())).length
}

const isImport = (line: string): boolean =>
  /^\s*(import|from|use|using|#include|(const|let|var)\b.*\brequire\()/.test(line)

const words = (line: string): ReadonlyArray<string> => line.match(/[\w$./@-]+/g) ?? []

/** Whether words contain all others, in their order. */
const includes =
  (others: ReadonlyArray<string>) =>
  (words: ReadonlyArray<string>): boolean => {
    let found = 0
    for (const word of words) if (word === others[found]) found++
    return found === others.length
  }

/** Scripts and settings of tests in a `package.json` that were changed or removed. */
const changedKeys = ({ repository }: RunContext, path: string, { from, to }: Range) =>
  Effect.gen(function* () {
    const git = yield* Git
    const file = Schema.decodeOption(RepoPath)(path)
    if (Option.isNone(file)) return []
    const [before, after] = yield* Effect.all([
      git.readFile(repository, from, file.value),
      git.readFile(repository, to, file.value)
    ])
    const was = entries(before)
    const is = new Map(entries(after))
    return was
      .filter(([key, value]) => !isDeepStrictEqual(is.get(key), value))
      .map(([key, value]) => ({
        path: plainText.line(`${path}#${key}`),
        removed: JSON.stringify(value, null, 2).split("\n").length
      }))
  })

const parse = Option.liftThrowable((content: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(content)))

/** The scripts and settings of a `package.json`, such as `scripts.test`. */
const entries = (content: Option.Option<Uint8Array>): ReadonlyArray<readonly [key: string, value: unknown]> => {
  const json = Option.getOrUndefined(Option.flatMap(content, parse))
  return CheckFiles.packageKeys.flatMap((key): ReadonlyArray<readonly [key: string, value: unknown]> => {
    const value = Predicate.isRecord(json) ? json[key] : undefined
    if (value === undefined) return []
    if (!Predicate.isRecord(value)) return [[key, value]]
    return Object.entries(value).map(([name, value]) => [`${key}.${name}`, value])
  })
}
