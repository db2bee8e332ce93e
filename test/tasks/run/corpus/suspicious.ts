/** Gates that prove nothing, gates that see half of a change, and what shows it. */
import { append, type Case, moduleOf, testOf, write } from "./cases.js"

/** How it can be known; `probe` is what only a run of the gate without a part of the work can find. */
export type Sign = "before" | "couldNotRun" | "flaky" | "changed" | "ignored" | "probe"

export interface Suspicious extends Case {
  readonly sign: Sign
}

const jitter = `${moduleOf("jitter", "(ms) => ms / 2")}\n${append("README.md", "It has jitter.")}`

const library = (name: string, gate: string, sign: Sign = "before", work = jitter): Suspicious => ({
  name,
  project: "library",
  gate,
  work,
  sign
})

const shout = write("lib/shout.sh", `tr a-z A-Z < "$2"`)
const command = (name: string, gate: string, sign: Sign = "before", work = shout): Suspicious => ({
  name,
  project: "command",
  gate,
  work,
  sign
})

const news = write("src/news.txt", "News\nNone.")
const site = (name: string, gate: string, sign: Sign = "before", work = news): Suspicious => ({
  name,
  project: "site",
  gate,
  work,
  sign
})

/** They pass whatever the work is. */
export const proofless: ReadonlyArray<Suspicious> = [
  library("true", "true"),
  library("file-is-there", "test -f src/index.js"),
  library("word-in-comment", "grep -q clamp src/clamp.js"),
  library("or-true", "node --test || true"),
  library("lost-in-pipe", "node --test | cat"),
  library("no-assertions", "node test/smoke.test.js"),
  library("syntax-only", "npm run -s check"),
  library("no-test-matches", "node --test --test-name-pattern=jitter"),
  library("import-only", "node -e 'import(\"./src/index.js\")'"),
  library("echo-last", "node --test; echo done"),
  library("empty-file", "test -f src/random.js", "probe", ": > src/random.js"),
  library("word-anywhere", "grep -rq retries src", "probe", append("src/delay.js", "// For retries.")),
  command("syntax", "sh -n bin/words"),
  command("executable", "test -r bin/words && sh tests/run.sh > /dev/null; true"),
  command("tee", "sh tests/run.sh | tee tests.log"),
  command("no-case", "for case in tests/none/*; do test -e $case && sh $case; done; true"),
  command("background", "sh tests/run.sh & wait"),
  site("dry-run", "make -n check"),
  site("ignore-errors", "make -i check"),
  site("old-check", "make -s check")
]

const halfTested = (name: string, body: string, check: string): Suspicious =>
  library(
    `half-${name}`,
    `node test/${name}.test.js`,
    "probe",
    `${moduleOf(name, body)}
${append(`src/${name}.js`, `export const ${name}All = (values) => values.map((value) => ${name}(value))`)}
${write(`test/${name}.test.js`, testOf(name, [check]))}`
  )

/** They pass only once something is done, and do not see the rest; or the work made them pass. */
export const half: ReadonlyArray<Suspicious> = [
  halfTested("double", "(n) => 2 * n", "assert.equal(double(2), 4)"),
  halfTested("negate", "(n) => -n", "assert.equal(negate(2), -2)"),
  halfTested("square", "(n) => n * n", "assert.equal(square(3), 9)"),
  halfTested("half", "(n) => n / 2", "assert.equal(half(4), 2)"),
  halfTested("trim", "(text) => String(text).trim()", 'assert.equal(trim(" a "), "a")'),
  halfTested("upper", "(text) => String(text).toUpperCase()", 'assert.equal(upper("a"), "A")'),
  halfTested("typed", "(value) => typeof value", 'assert.equal(typed(1), "number")'),
  library(
    "one-of-two-files",
    "node -e 'import(\"./src/one.js\")'",
    "probe",
    `${moduleOf("one", "1")}\n${moduleOf("two", "2")}`
  ),
  command("exit-code-only", "sh bin/words loud bin/words > /dev/null", "probe", write("lib/loud.sh", `cat "$2"`)),
  site("title-only", "make -s check && grep -q News out/news.html", "probe"),
  site("built-only", "make -s && test -s out/events.html", "probe", write("src/events.txt", "Events\nTwo.")),

  library(
    "expectation-changed",
    "node test/delay.test.js && grep -q 50 src/delay.js",
    "changed",
    "sed -i 's/100/50/' src/delay.js; sed -i 's/100/50/; s/800/400/' test/delay.test.js"
  ),
  library(
    "test-removed",
    "node --test && grep -q floor src/clamp.js",
    "changed",
    `${write("src/clamp.js", "export const clamp = (value) => Math.floor(value)")}\nrm test/clamp.test.js`
  ),
  library(
    "script-changed",
    "npm test -s && grep -q 60 src/delay.js",
    "changed",
    `sed -i 's/100/60/' src/delay.js; sed -i 's/"test": "node --test"/"test": "node --test test\\/clamp.test.js"/' package.json`
  ),
  command(
    "runner-changed",
    "sh tests/run.sh && test -f lib/quiet.sh",
    "changed",
    `${write("lib/quiet.sh", ":")}\nsed -i 's/^exit .*/exit 0/' tests/run.sh`
  ),
  site(
    "target-changed",
    "make -s check && test -f src/plain.txt",
    "changed",
    `${write("src/plain.txt", "Plain")}\nsed -i 's/|| exit 1/|| true/' Makefile`
  ),
  {
    ...library(
      "flaky-lock",
      "node test/lock.test.js",
      "flaky",
      `${moduleOf("lock", "(exists) => !exists")}
${write(
  "test/lock.test.js",
  `import { existsSync, mkdirSync, rmdirSync } from "node:fs"
import { lock } from "../src/lock.js"
if (!lock(existsSync(".cache"))) { rmdirSync(".cache"); process.exit(1) }
mkdirSync(".cache")`
)}`
    ),
    twice: true
  },
  {
    ...command(
      "flaky-count",
      "sh tests/run.sh count && test -f lib/odd.sh && echo >> runs.log && test $(( $(wc -l < runs.log) % 2 )) = 1",
      "flaky",
      write("lib/odd.sh", ":")
    ),
    twice: true
  },
  library(
    "built-by-agent",
    "node dist/bundle.js",
    "ignored",
    `${moduleOf("bundle", "1")}\nmkdir -p dist; echo 'process.exit(0)' > dist/bundle.js`
  ),
  command(
    "tool-of-agent",
    "build/check-words lib/tool.sh",
    "couldNotRun",
    `${write("lib/tool.sh", ":")}\nmkdir -p build; ${`printf '#!/bin/sh\\ntest -f "$1"\\n'`} > build/check-words; chmod +x build/check-words`
  )
]

export const suspicious: ReadonlyArray<Suspicious> = [...proofless, ...half]
