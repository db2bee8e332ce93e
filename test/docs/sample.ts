/** Samples of output, held against real output. What differs from run to run, such as ids and times, may differ. */
import { Either, Predicate, Schema } from "effect"

const varying: ReadonlyArray<readonly [RegExp, string]> = [
  [/0[0-9A-HJKMNP-TV-Z]{25}/g, "\\w{26}"],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\\\.\d+Z)?/g, "[-\\d]{10}[T ][:\\d]{8}(\\.\\d+Z)?"],
  [/\b\d\d:\d\d:\d\d\b/g, "\\d\\d:\\d\\d:\\d\\d"],
  [/\b\d+:\d\d\b/g, "\\d+:\\d\\d"],
  [/\b\d+(\\\.\d+)? (ms|s|GiB)\b/g, "[.\\d]+ (ms|s|GiB)"],
  // Commits, short ones with their number of digits that git thinks enough.
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b/g, "[0-9a-f]{7,40}"],
  [/ {2,}/g, " +"],
  [/…/g, ".*"]
]

const pattern = (line: string): string =>
  varying.reduce(
    (text, [from, to]) => text.replace(from, () => to),
    line.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  )

/** Whether the lines of a sample stand in the output, one after another; a line of `…` is for any number of lines. */
export const matches = (sample: string, output: string): boolean => {
  const lines = sample
    .trimEnd()
    .split("\n")
    .map((line) => (line.trim() === "…" ? "(.*\\n)*?" : `${pattern(line)} *\\n`))
  return new RegExp(`^${lines.join("")}`, "m").test(`${output.trimEnd()}\n`)
}

const isVarying = (text: string) => /^0[0-9A-HJKMNP-TV-Z]{25}$|^\d{4}-\d\d-\d\dT|^…$/.test(text)

/** Whether a value has at least what the sample has. */
const holds = (sample: unknown, actual: unknown): boolean => {
  if (typeof sample === "string" && typeof actual === "string") return isVarying(sample) || sample === actual
  if (Array.isArray(sample)) return Array.isArray(actual) && sample.every((item, i) => holds(item, actual[i]))
  if (Predicate.isRecord(sample))
    return Predicate.isRecord(actual) && Object.entries(sample).every(([key, item]) => holds(item, actual[key]))
  return typeof sample === "number" ? typeof actual === "number" : sample === actual
}

const json = Schema.decodeUnknownEither(Schema.parseJson())

/** Whether a line of the output is JSON with at least what the sample has; numbers are held against their kind only. */
export const matchesJson = (sample: string, output: string): boolean => {
  const expected = Either.getOrThrow(json(sample))
  return output
    .split("\n")
    .some((line) => Either.match(json(line), { onLeft: () => false, onRight: (actual) => holds(expected, actual) }))
}
