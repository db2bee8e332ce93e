/**
 * Gates of small projects, with the work that they judge: those that prove nothing, those that see half of it, and honest ones. Each has
 * a directory of its own, in which its gate and its agent work.
 */

export interface Entry {
  readonly name: string
  readonly gate: string
  /** What the agent does. */
  readonly work: string
  readonly before?: "red" | "green"
  /** Of the project before the work. */
  readonly files: Readonly<Record<string, string>>
}

const sum = "export const sum = (a, b) => a + b\n"
const test = `import assert from "node:assert"\nimport { sum } from "../src/sum.js"\nassert.equal(sum(1, 2), 3)\n`

const project = {
  "README.md": "# Sums\n\nAdds numbers.\n",
  "package.json": '{ "type": "module", "scripts": { "test": "true", "check": "node test/sum.js" } }\n',
  "src/sum.js": `// TODO: product\n${sum}`,
  "test/sum.js": test,
  "test/empty.js": "// nothing is asserted here\n",
  "bin/greet.sh": 'echo "hello $1"\n',
  Makefile: "check:\n\tnode test/sum.js\nempty:\n"
}

/** Adds a function that no test of the project sees. */
const product = "printf 'export const product = (a, b) => a * b\\n' >> src/sum.js"

const entry = (name: string, gate: string, work = product, more: Partial<Entry> = {}): Entry => ({
  name,
  gate,
  work,
  files: project,
  ...more
})

/** They pass whatever the work is. */
export const provesNothing: ReadonlyArray<Entry> = [
  entry("true", "true"),
  entry("exit", "exit 0"),
  entry("file", "test -f README.md"),
  entry("not-empty", "test -s src/sum.js"),
  entry("directory", "test -d src && test -d test"),
  entry("word", "grep -q product src/sum.js"),
  entry("count", "grep -c sum src/sum.js"),
  entry("script", "npm test --silent"),
  entry("no-assertions", "node test/empty.js"),
  entry("other-tests", "node test/sum.js"),
  entry("make-other", "make -s check"),
  entry("make-empty", "make -s empty"),
  entry("make-dry", "make -n check"),
  entry("or-true", "node test/product.js 2> /dev/null || true"),
  entry("semicolon", "node test/product.js 2> /dev/null; echo done"),
  entry("pipe", "node test/product.js 2>&1 | tee log | tail -n 1 > /dev/null; rm log"),
  entry("background", "node test/product.js 2> /dev/null & wait"),
  entry("if", "if node test/product.js 2> /dev/null; then echo good; fi"),
  entry("syntax", "node --check src/sum.js && sh -n bin/greet.sh"),
  entry("absent", "test -e out || no-such-runner", "touch out")
]

const twoFunctions = (name: string) =>
  `printf 'export const ${name} = (a, b) => a * b\\nexport const half = (a) => a / 2\\n' > src/${name}.js`

/** They see one part of the work, and not the other. */
export const seesHalf: ReadonlyArray<Entry> = Array.from({ length: 20 }, (_, at) => {
  const name = `half${at}`
  const gates = [
    `grep -q ${name} src/${name}.js`,
    `test -s src/${name}.js`,
    `node --input-type=module -e "import('./src/${name}.js').then((m) => process.exit(m.${name}(2, 3) === 6 ? 0 : 1))"`,
    `node --check src/${name}.js`
  ]
  return entry(name, gates[at % gates.length] ?? "", twoFunctions(name))
})

const moduleOf = (name: string, factor: number) => `export const ${name} = (a) => a * ${factor}\n`
const testOf = (name: string, factor: number) =>
  `import assert from "node:assert"\nimport { ${name} } from "../src/${name}.js"\nassert.equal(${name}(3), ${3 * factor})\n`

const write = (path: string, text: string) => `cat > ${path} <<'END'\n${text}END`

const withTests = Array.from({ length: 25 }, (_, at) => {
  const name = `times${at}`
  return entry(
    `new-${name}`,
    `node test/${name}.js`,
    `${write(`src/${name}.js`, moduleOf(name, at))}\n${write(`test/${name}.js`, testOf(name, at))}`
  )
})

const inShell = Array.from({ length: 10 }, (_, at) =>
  entry(`shell-${at}`, `test "$(sh bin/n${at}.sh 2)" = ${2 + at}`, write(`bin/n${at}.sh`, `echo $(($1 + ${at}))\n`))
)

const inMake = Array.from({ length: 10 }, (_, at) =>
  entry(
    `make-${at}`,
    `make -s n${at}`,
    `printf 'n${at}:\\n\\ttest "$$(sh bin/greet.sh ${at})" = "hello ${at}"\\n' >> Makefile`
  )
)

/** Nothing that a gate sees is to change, and their tasks say so. */
const refactorings = Array.from({ length: 10 }, (_, at) =>
  entry(
    `refactoring-${at}`,
    "node test/sum.js",
    `${write(`src/add${at}.js`, sum)}\nprintf 'export * from "./add${at}.js"\\n' > src/sum.js`,
    { before: "green" }
  )
)

const ofDocs = Array.from({ length: 5 }, (_, at) =>
  entry(`docs-${at}`, `grep -q '^## Usage ${at}$' README.md`, `printf '\\n## Usage ${at}\\n' >> README.md`)
)

export const honest: ReadonlyArray<Entry> = [...withTests, ...inShell, ...inMake, ...refactorings, ...ofDocs]
