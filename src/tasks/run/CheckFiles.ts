/**
 * The files by which a gate judges, as far as their paths and its command show: usual places of tests, configuration of test
 * runners, and files that the command names. The table is in docs/tasks.md.
 */
import { posix } from "node:path"

const tests = [
  /(^|\/)(tests?|__tests__|specs?|e2e|testdata|__snapshots__)\//,
  /[._-](test|spec)\.\w+$/,
  /(^|\/)test_[^/]+\.py$/,
  /(Test|Tests|Spec|IT)\.(java|kt|kts|scala|groovy|cs|php|swift)$/,
  /\.(bats|snap)$/
]

const runners = [
  /(^|\/)(conftest\.py|pytest\.ini|tox\.ini|noxfile\.py|setup\.cfg)$/,
  /(^|\/)(vitest|vite|jest|playwright|cypress|ava|karma|wdio)(\.[\w-]+)*\.(config|conf|workspace|setup)\.\w+$/,
  /(^|\/)\.(mocharc|taprc|nycrc|c8rc|rspec)(\.\w+)?$/,
  /(^|\/)(GNUmakefile|[Mm]akefile|[Jj]ustfile|Rakefile|Taskfile\.ya?ml)$/,
  /(^|\/)phpunit\.xml(\.dist)?$/
]

/** The keys of a `package.json` that decide what its tests are. */
export const packageKeys = ["scripts", "jest", "vitest", "mocha", "ava", "tap", "c8", "nyc"]

export const isPackage = (path: string): boolean => /(^|\/)package\.json$/.test(path)

export const isTest = (path: string): boolean => tests.some((pattern) => pattern.test(path))

export const isRunner = (path: string): boolean => runners.some((pattern) => pattern.test(path))

/** Commands that look at the files that they are called with: these are what is judged. */
const examining = new Set([
  "test",
  "[",
  "[[",
  "grep",
  "egrep",
  "fgrep",
  "rg",
  "cat",
  "head",
  "tail",
  "wc",
  "ls",
  "jq",
  "stat"
])

const keywords = new Set(["!", "if", "then", "else", "elif", "while", "until", "do", "time", "exec", "env", "{"])

/** The files that the commands of a gate name, relative to the top level, whether they exist or not. */
export const namedBy = (gate: string): ReadonlySet<string> => {
  const named = new Set<string>()
  let directory = ""
  for (const command of gate.split(/[;|&()\n`]+/)) {
    const words = (command.match(/"[^"]*"|'[^']*'|[^\s<>"']+/g) ?? []).map((word) =>
      word.replace(/^(["'])(.*)\1$/s, "$2")
    )
    while (words[0] !== undefined && (keywords.has(words[0]) || /^\w+=/.test(words[0]))) words.shift()
    const [program = "", ...rest] = words
    if (program === "cd") directory = posix.join(directory, rest[0] ?? "")
    if (program === "cd" || examining.has(program)) continue
    // A word such as `--config=vitest.e2e.ts` names a file, too.
    for (const word of words.flatMap((word) => [word, ...word.split("=").slice(1)]))
      if (!word.startsWith("/") && word !== "") named.add(posix.join(directory, word))
  }
  return named
}
