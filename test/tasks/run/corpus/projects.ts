/**
 * Small projects on whose tasks gates are judged: a library with tests on node:test and snapshots, a command in shell with a runner of
 * its own, a site that make builds, and a module of Python.
 */

export type ProjectName = "library" | "command" | "site" | "module"

export type Files = Readonly<Record<string, string>>

/** A module of the library: a function, and a test of it. */
const module = (name: string, body: string, checks: string): Files => ({
  [`src/${name}.js`]: `/** ${name} */\nexport const ${name} = ${body}\n`,
  [`test/${name}.test.js`]: `import { test } from "node:test"
import assert from "node:assert/strict"
import { ${name} } from "../src/${name}.js"

test("${name} of a few values", () => {
${checks}
})
`
})

const library: Files = {
  "package.json": `{
  "name": "little",
  "type": "module",
  "scripts": {
    "test": "node --test",
    "check": "node --check src/index.js"
  },
  "devDependencies": {}
}
`,
  "README.md": "# little\n\nA few functions: clamp, delay, format.\n",
  ".gitignore": "node_modules/\ndist/\n.cache/\n",
  "src/index.js": `export { clamp } from "./clamp.js"\nexport { delay } from "./delay.js"\nexport { format } from "./format.js"\n`,
  ...module(
    "clamp",
    "(value, low, high) => Math.min(high, Math.max(low, value))",
    `  assert.equal(clamp(5, 1, 3), 3)
  assert.equal(clamp(0, 1, 3), 1)`
  ),
  ...module(
    "delay",
    "(attempt) => 100 * 2 ** attempt",
    `  assert.equal(delay(0), 100)
  assert.equal(delay(3), 800)`
  ),
  "src/format.js": `/** A record as lines of text. */\nexport const format = (record) =>\n  Object.entries(record)\n    .map(([key, value]) => key + ": " + value)\n    .join("\\n")\n`,
  "test/format.test.js": `import { test } from "node:test"
import { readFileSync } from "node:fs"
import assert from "node:assert/strict"
import { format } from "../src/format.js"

const snapshots = JSON.parse(readFileSync(new URL("__snapshots__/format.snap", import.meta.url), "utf8"))
const matches = (name, text) => assert.deepEqual(text.split("\\n"), snapshots[name])

test("a record has one line for each key", () => {
  matches("two", format({ a: 1, b: 2 }))
})
`,
  "test/__snapshots__/format.snap": `{\n  "two": [\n    "a: 1",\n    "b: 2"\n  ]\n}\n`,
  "test/smoke.test.js": `import { test } from "node:test"\n\ntest("everything can be imported", async () => {\n  await import("../src/index.js")\n})\n`
}

const command: Files = {
  "README.md": "# words\n\n`words count FILE` counts words.\n",
  ".gitignore": "*.log\nbuild/\n",
  "bin/words": `#!/bin/sh
# words COMMAND FILE
directory=$(dirname "$0")/../lib
test -f "$directory/$1.sh" || { echo "words: no command $1" >&2; exit 2; }
. "$directory/$1.sh"
`,
  "lib/count.sh": `tr -s ' ' '\\n' < "$2" | grep -c .\n`,
  "tests/run.sh": `#!/bin/sh
# Runs the named cases, or all of them.
cd "$(dirname "$0")/.." || exit 1
failed=0
is() { test "$1" = "$2" || { echo "got $1, expected $2"; failed=1; }; }
text() { printf '%s\\n' "$@" > "$file"; }
file=$(mktemp)
if test $# = 0; then set -- tests/cases/*.sh; else set -- $(printf 'tests/cases/%s.sh ' "$@"); fi
for case; do . "./$case" || failed=1; done
rm -f "$file"
exit $failed
`,
  "tests/cases/count.sh": `text "one two" "three"\nis "$(sh bin/words count "$file")" 3\n`
}

const site: Files = {
  "README.md": "# site\n\n`make` builds pages, `make check` checks them.\n",
  ".gitignore": "out/\n",
  Makefile: `pages := $(patsubst src/%.txt,out/%.html,$(wildcard src/*.txt))

all: $(pages)

out/%.html: src/%.txt tools/page.sh
\t@mkdir -p out
\t@sh tools/page.sh $< > $@

check: all
\t@for check in checks/*.sh; do sh $$check || exit 1; done

.PHONY: all check
`,
  "src/index.txt": "Home\nWelcome.\n",
  "tools/page.sh": `title=$(head -n 1 "$1")\necho "<title>$title</title>"\ntail -n +2 "$1" | sed 's|.*|<p>&</p>|'\n`,
  "checks/title.sh": `grep -q '<title>Home</title>' out/index.html\n`,
  "tests/paragraphs.sh": `grep -qx '<p>Welcome.</p>' out/index.html\n`
}

const python: Files = {
  "README.md": "# slug\n",
  ".gitignore": "__pycache__/\n",
  "slug.py": `def slug(text):\n    return "-".join(text.lower().split())\n`,
  "tests/__init__.py": "",
  "tests/test_slug.py": `import unittest

from slug import slug


class SlugTest(unittest.TestCase):
    def test_words(self):
        self.assertEqual(slug("Hello World"), "hello-world")
`
}

export const projects: Readonly<Record<ProjectName, Files>> = { library, command, site, module: python }
