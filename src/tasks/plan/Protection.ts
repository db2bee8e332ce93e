/**
 * Files and keys that are what they were when a task began before its gate runs: `protect` in `charlotte.yaml`, and in a task.
 *
 * @since 0.2.0
 */
import { Schema } from "effect"
import type { Rule } from "../../git/restoreProtected.js"
import { optional, RelativePath } from "../../yaml/fields.js"
import * as JsonKeys from "../../yaml/JsonKeys.js"

/** A pattern of files, or with `#` a key of JSON files, such as `package.json#scripts`. */
const FilesOrKey = RelativePath.pipe(Schema.filter((text) => !text.includes("#") || /\.json#[^#]+$/.test(text)))

/** Files of which no more may be added. */
const Closed = Schema.Struct({
  path: RelativePath.pipe(Schema.filter((text) => !text.includes("#"))),
  added: optional(Schema.Literal("refuse"))
})

/**
 * What is protected; an empty list protects nothing.
 *
 * @since 0.2.0
 */
export const Protection = Schema.Array(Schema.Union(FilesOrKey, Closed)).annotations({
  message: () => ({
    message:
      "must be a list of paths such as test/**, keys of JSON files such as package.json#scripts, and mappings such as " +
      "{ path: conftest.py, added: refuse }",
    override: true
  })
})

/** @since 0.2.0 */
export type Protection = typeof Protection.Type

const patternOf = (item: Protection[number]): string => (typeof item === "string" ? item : item.path)

/** What is protected, in words for an agent. */
export const describe = (protection: Protection): ReadonlyArray<string> => protection.map(patternOf)

/** How git finds and restores what is protected. */
export const rules = (protection: Protection): ReadonlyArray<Rule> =>
  protection.map((item): Rule => {
    if (typeof item !== "string") return { pattern: item.path, refusesAdded: item.added === "refuse" }
    const [pattern = "", name] = item.split("#")
    if (name === undefined) return { pattern }
    return { pattern, part: { name, putBack: (start, text) => JsonKeys.putBack(start, text, name.split(".")) } }
  })
