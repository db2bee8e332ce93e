/**
 * The tools of a project and the commands that set it up and test it, as the names of its files and the scripts of its package.json
 * show. Runs nothing, and follows no symbolic link.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option, Schema } from "effect"
import { join } from "node:path"
import * as shell from "../../git/shellQuote.js"
import * as TextFile from "../../yaml/TextFile.js"

export interface Project {
  /** Relative to the top level, which is empty. */
  readonly directory: string
  /** Such as `npm` and `cargo`; none if nothing was recognized. */
  readonly tools: ReadonlyArray<string>
  /** Makes a fresh checkout one in which the gates run, and the files on which that depends. */
  readonly setup: Option.Option<{ readonly run: string; readonly inputs: ReadonlyArray<string> }>
  /** Commands that pass when the project is sound. */
  readonly gates: ReadonlyArray<string>
  /** Other scripts of package.json that could be gates, as commands. */
  readonly others: ReadonlyArray<string>
  /** Directories that these commands leave behind, and git should ignore. */
  readonly leavings: ReadonlyArray<string>
}

interface Tool {
  readonly name: string
  readonly setup?: { readonly run: string; readonly inputs: ReadonlyArray<string> }
  readonly gates: ReadonlyArray<string>
  readonly others?: ReadonlyArray<string>
  readonly leavings: ReadonlyArray<string>
}

/** The files of a directory, as far as they are regular. */
const filesIn = (directory: string) => {
  const kindOf = (name: string) =>
    Effect.match(TextFile.inspect(join(directory, name)), { onFailure: () => "missing", onSuccess: ({ kind }) => kind })
  const has = (name: string) => Effect.map(kindOf(name), (kind) => kind === "a regular file")
  const list = (name: string) =>
    Effect.flatMap(kindOf(name), (kind) =>
      kind === "a directory"
        ? Effect.flatMap(FileSystem, (fs) => Effect.orElseSucceed(fs.readDirectory(join(directory, name)), () => []))
        : Effect.succeed<ReadonlyArray<string>>([])
    )
  const text = (name: string) =>
    Effect.match(TextFile.read(join(directory, name), name), { onFailure: () => "", onSuccess: ({ text }) => text })
  return { first: (names: ReadonlyArray<string>) => Effect.findFirst(names, has), list, text }
}

type Files = ReturnType<typeof filesIn>
type Found = Effect.Effect<Option.Option<Tool>, never, FileSystem>

const Manifest = Schema.parseJson(
  Schema.Struct({
    scripts: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { default: () => ({}) }),
    packageManager: Schema.optionalWith(Schema.String, { default: () => "" }),
    dependencies: Schema.optional(Schema.Object),
    devDependencies: Schema.optional(Schema.Object),
    workspaces: Schema.optional(Schema.Unknown)
  })
)

const managers = [
  {
    name: "pnpm",
    lock: "pnpm-lock.yaml",
    locked: "pnpm install --frozen-lockfile",
    free: "pnpm install --no-lockfile"
  },
  { name: "yarn", lock: "yarn.lock", locked: "yarn install --frozen-lockfile", free: "yarn install" },
  { name: "bun", lock: "bun.lock", locked: "bun install --frozen-lockfile", free: "bun install --no-save" },
  { name: "npm", lock: "package-lock.json", locked: "npm ci", free: "npm install --no-package-lock" }
] as const

const npm = managers[3]

/** Scripts that judge the whole project, the best first. */
const judging = ["test", "check", "typecheck", "type-check", "lint", "build"]

/** What `npm init` writes, and what waits for changes for ever, are no gates. */
const isNoGate = /no test specified|--watch(?!=false)/

const node = (files: Files): Found =>
  Effect.gen(function* () {
    if (Option.isNone(yield* files.first(["package.json"]))) return Option.none()
    const manifest = Schema.decodeOption(Manifest)(yield* files.text("package.json"))
    const { dependencies, devDependencies, packageManager, scripts, workspaces } = Option.getOrElse(
      manifest,
      (): Partial<typeof Manifest.Type> => ({})
    )
    const lock = yield* files.first(managers.map(({ lock }) => lock))
    const manager =
      managers.find(({ lock: file }) => Option.contains(lock, file)) ??
      managers.find(({ name }) => packageManager?.startsWith(`${name}@`)) ??
      npm
    const { free, locked, name } = manager
    const needsInstall =
      Option.isSome(lock) || [dependencies, devDependencies, workspaces].some((of) => of !== undefined)
    const commands = judging
      .filter((script) => scripts?.[script] !== undefined && !isNoGate.test(scripts[script]))
      // `bun test` is not the script.
      .map((script) => (script === "test" && name !== "bun" ? `${name} test` : `${name} run ${script}`))
    return Option.some({
      name,
      ...(needsInstall && {
        setup: { run: Option.isSome(lock) ? locked : free, inputs: ["package.json", ...Option.toArray(lock)] }
      }),
      gates: commands.slice(0, 1),
      others: commands.slice(1),
      leavings: needsInstall ? ["node_modules"] : []
    })
  })

const cargo = (files: Files): Found =>
  Effect.map(files.first(["Cargo.toml"]), Option.as({ name: "cargo", gates: ["cargo test"], leavings: ["target"] }))

const go = (files: Files): Found =>
  Effect.map(files.first(["go.mod"]), Option.as({ name: "go", gates: ["go test ./..."], leavings: [] }))

const isPythonTest = (name: string): boolean => /^test.*\.py$|_test\.py$/.test(name)

const requirements = ["requirements.txt", "requirements-dev.txt", "dev-requirements.txt"]

const python = (files: Files): Found =>
  Effect.gen(function* () {
    const marker = yield* files.first(["pyproject.toml", "setup.py", "setup.cfg", ...requirements, "Pipfile"])
    if (Option.isNone(marker)) return Option.none()
    const [uv, poetry] = yield* Effect.all([files.first(["uv.lock"]), files.first(["poetry.lock"])])
    const [run, setup] = Option.isSome(uv)
      ? ["uv run ", { run: "uv sync --frozen", inputs: ["pyproject.toml", "uv.lock"] }]
      : Option.isSome(poetry)
        ? ["poetry run ", { run: "poetry install", inputs: ["pyproject.toml", "poetry.lock"] }]
        : ["", undefined]
    const directories = yield* Effect.forEach(["tests", "test"], (name) =>
      Effect.map(files.list(name), (entries) => ({ name, entries }))
    )
    const directory = directories.find(({ entries }) =>
      entries.some((entry) => isPythonTest(entry) || !/\./.test(entry))
    )
    const hasTests = directory !== undefined || (yield* files.list(".")).some(isPythonTest)
    const texts = yield* Effect.forEach(["pyproject.toml", "setup.cfg", "tox.ini", ...requirements], files.text)
    const configured = yield* files.first(["pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"])
    const usesPytest = Option.isSome(configured) || texts.some((text) => /\bpytest\b/.test(text))
    const unittest = `python3 -m unittest${directory === undefined ? "" : ` discover -s ${directory.name}`}`
    return Option.some({
      name: "python",
      ...(setup && { setup }),
      gates: hasTests ? [`${run}${usesPytest ? (run === "" ? "python3 -m pytest" : "pytest") : unittest}`] : [],
      leavings: ["__pycache__", ...(setup === undefined ? [] : [".venv"])]
    })
  })

/** The project in a directory of a repository; its commands run at the top level. */
const inDirectory = (top: string, directory: string): Effect.Effect<Project, never, FileSystem> =>
  Effect.gen(function* () {
    const files = filesIn(join(top, directory))
    const found = yield* Effect.forEach([node, cargo, go, python], (detect) => detect(files))
    const tools = found.flatMap(Option.toArray)
    const setups = tools.flatMap(({ setup }) => (setup === undefined ? [] : [setup]))
    const at = (command: string) => (directory === "" ? command : `${shell.command("cd", directory)} && ${command}`)
    return {
      directory,
      tools: tools.map(({ name }) => name),
      setup:
        setups.length === 0
          ? Option.none()
          : Option.some({
              run: at(setups.map(({ run }) => run).join(" && ")),
              inputs: setups.flatMap(({ inputs }) => inputs.map((file) => join(directory, file)))
            }),
      gates: tools.flatMap(({ gates }) => gates.map(at)),
      others: tools.flatMap(({ others = [] }) => others.map(at)),
      leavings: tools.flatMap(({ leavings }) => leavings)
    }
  })

/** The project at the top of a repository, or else in the nearest directory above or at `directory`, which is relative to the top. */
export const detect = (top: string, directory: string): Effect.Effect<Project, never, FileSystem> =>
  Effect.gen(function* () {
    const atTop = yield* inDirectory(top, "")
    const steps = directory.split("/").filter((step) => step !== "")
    if (atTop.tools.length > 0) return atTop
    for (let depth = steps.length; depth > 0; depth--) {
      const below = yield* inDirectory(top, steps.slice(0, depth).join("/"))
      if (below.tools.length > 0) return below
    }
    return atTop
  })
