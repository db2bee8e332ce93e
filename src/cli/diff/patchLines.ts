/**
 * A file of a diff as lines of a patch, in the format of git, for `git apply`.
 */
import type { DiffFile } from "../../http/contract/Diff.js"
import { raw, type Piece, type Style } from "../terminal/StyledLine.js"

const escapes: { readonly [character: string]: string } = {
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\"
}

/** Names with special characters are quoted as in C. */
const quoted = (path: string): string => {
  // oxlint-disable-next-line eslint/no-control-regex -- these are the characters to match
  const escaped = path.replace(/[\x00-\x1f\x7f"\\]/g, (character) => {
    const code = character.charCodeAt(0).toString(8).padStart(3, "0")
    return escapes[character] ?? `\\${code}`
  })
  return escaped === path ? path : `"${escaped}"`
}

/** A name with a space is terminated with a tab. */
const ended = (name: string): string => (name.includes(" ") && !name.startsWith('"') ? `${name}\t` : name)

const styleOf = (line: string): Style =>
  line.startsWith("@@") ? "name" : line.startsWith("+") ? "good" : line.startsWith("-") ? "bad" : "plain"

interface Side {
  readonly name: string
  readonly mode: string
}

interface Change {
  readonly old: Side | undefined
  readonly new: Side | undefined
  readonly names: readonly [old: string, after: string]
  readonly isRenamed: boolean
  readonly binary: boolean
  readonly isLeftOut: boolean
  readonly patch: string
}

const header = ({ isRenamed, names: [from, to], new: after, old }: Change): ReadonlyArray<string> => {
  const first = `diff --git ${quoted(`a/${from}`)} ${quoted(`b/${to}`)}`
  if (old === undefined) return [first, `new file mode ${after?.mode}`]
  if (after === undefined) return [first, `deleted file mode ${old.mode}`]
  return [
    first,
    ...(old.mode === after.mode ? [] : [`old mode ${old.mode}`, `new mode ${after.mode}`]),
    ...(isRenamed ? [`rename from ${quoted(from)}`, `rename to ${quoted(to)}`] : [])
  ]
}

const linesOf = (change: Change): ReadonlyArray<Piece> => {
  const names = [change.old?.name ?? "/dev/null", change.new?.name ?? "/dev/null"] as const
  const strong = (line: string) => raw(line, "strong")
  const top = header(change).map(strong)
  if (change.binary) return [...top, strong(`Binary files ${names.join(" and ")} differ`)]
  if (change.isLeftOut) return [...top, strong(`Files ${names.join(" and ")} differ: their patch is too large`)]
  if (change.patch === "") return top
  const [from, to] = names.map(ended)
  return [
    ...top,
    strong(`--- ${from}`),
    strong(`+++ ${to}`),
    ...change.patch.split("\n").map((line) => raw(line, styleOf(line)))
  ]
}

export const of = (file: DiffFile): ReadonlyArray<Piece> => {
  const { binary, mode, oldMode, oldPath = file.path, patch = "", path, tooLarge = false } = file
  const old = oldMode === undefined ? undefined : { name: quoted(`a/${oldPath}`), mode: oldMode }
  const after = mode === undefined ? undefined : { name: quoted(`b/${path}`), mode }
  const change = {
    names: [oldPath, path] as const,
    isRenamed: oldPath !== path,
    binary,
    isLeftOut: tooLarge
  }
  if (file.status !== "typeChanged") return linesOf({ ...change, old, new: after, patch })
  // Such as a file that became a link: git deletes the one and adds the other.
  const added = `\n${patch}`.indexOf("\n@@ -0,0 ")
  const [deletion, addition] = added < 0 ? [patch, ""] : [patch.slice(0, Math.max(0, added - 1)), patch.slice(added)]
  return [
    ...linesOf({ ...change, old, new: undefined, patch: deletion }),
    ...linesOf({ ...change, old: undefined, new: after, patch: addition })
  ]
}
