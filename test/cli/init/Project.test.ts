import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import * as Project from "../../../src/cli/init/Project.js"
import { files, repository } from "../../tasks/plan/TaskFiles.js"

type Contents = Readonly<Record<string, string>>

const detect = (contents: Contents, below = "", prepare: (top: string) => void = () => {}) =>
  Effect.gen(function* () {
    const top = yield* repository(contents)
    prepare(top)
    const { gates, leavings, others, setup, tools } = yield* Project.detect(top, below)
    const run = Option.getOrUndefined(setup)
    return { tools, gates, others, leavings, setup: run?.run, inputs: run?.inputs }
  }).pipe(Effect.provide(files))

const scripts = (scripts: Contents, more: object = {}) => ({ "package.json": JSON.stringify({ scripts, ...more }) })

const dependencies = { dependencies: { left: "1" } }

const cases: ReadonlyArray<readonly [title: string, contents: Contents, expected: object]> = [
  ["nothing in a directory that has nothing", {}, { tools: [], gates: [], setup: undefined, leavings: [] }],
  [
    "npm by its lock file, and its test",
    { ...scripts({ test: "vitest run", lint: "x", dev: "y" }), "package-lock.json": "{}" },
    {
      tools: ["npm"],
      gates: ["npm test"],
      others: ["npm run lint"],
      setup: "npm ci",
      inputs: ["package.json", "package-lock.json"],
      leavings: ["node_modules"]
    }
  ],
  [
    "no lock file, which an installation then must not leave",
    scripts({ test: "x" }, dependencies),
    { setup: "npm install --no-package-lock", gates: ["npm test"] }
  ],
  ["no setup where nothing is to be installed", scripts({ test: "x" }), { setup: undefined, leavings: [] }],
  [
    "pnpm by its lock file",
    { ...scripts({ test: "x", build: "y" }), "pnpm-lock.yaml": "" },
    {
      tools: ["pnpm"],
      gates: ["pnpm test"],
      others: ["pnpm run build"],
      setup: "pnpm install --frozen-lockfile"
    }
  ],
  ["pnpm by packageManager", scripts({ test: "x" }, { packageManager: "pnpm@9.0.0" }), { tools: ["pnpm"] }],
  [
    "the script test of bun, not its own runner",
    { ...scripts({ test: "x" }), "bun.lock": "" },
    { gates: ["bun run test"] }
  ],
  [
    "the next best script where npm init has written test",
    scripts({ test: 'echo "Error: no test specified" && exit 1', typecheck: "tsc" }),
    { gates: ["npm run typecheck"] }
  ],
  ["no gate in a script that waits for changes", scripts({ test: "jest --watch" }), { tools: ["npm"], gates: [] }],
  ["no gate without scripts", { "package.json": "{}" }, { tools: ["npm"], gates: [], others: [] }],
  ["no gate in a package.json that is no JSON", { "package.json": "{" }, { tools: ["npm"], gates: [] }],
  ["cargo", { "Cargo.toml": "" }, { tools: ["cargo"], gates: ["cargo test"], leavings: ["target"] }],
  ["go", { "go.mod": "" }, { tools: ["go"], gates: ["go test ./..."], leavings: [] }],
  [
    "pytest where a file of the project names it",
    { "pyproject.toml": "[tool.pytest.ini_options]", "tests/test_a.py": "" },
    { tools: ["python"], gates: ["python3 -m pytest"], leavings: ["__pycache__"] }
  ],
  [
    "unittest where there are tests and no pytest",
    { "setup.py": "", "tests/test_a.py": "" },
    { gates: ["python3 -m unittest discover -s tests"] }
  ],
  ["unittest at the top", { "setup.py": "", "test_a.py": "" }, { gates: ["python3 -m unittest"] }],
  ["no gate in a python project without tests", { "pyproject.toml": "pytest" }, { tools: ["python"], gates: [] }],
  [
    "uv",
    { "pyproject.toml": "pytest", "uv.lock": "", "tests/test_a.py": "" },
    { setup: "uv sync --frozen", gates: ["uv run pytest"], leavings: ["__pycache__", ".venv"] }
  ],
  [
    "several tools at once",
    { ...scripts({ test: "x" }), "package-lock.json": "", "Cargo.toml": "" },
    { tools: ["npm", "cargo"], gates: ["npm test", "cargo test"], setup: "npm ci" }
  ]
]

describe("the detection of a project", () => {
  it.scoped.each(cases)("finds %s", ([, contents, expected]) =>
    Effect.map(detect(contents), (found) => expect(found).toMatchObject(expected))
  )

  it.scoped("takes the nearest directory with a project, below which it was asked, if there is none at the top", () =>
    Effect.gen(function* () {
      const contents = { "a b/web/package.json": '{"scripts":{"test":"x"}}', "a b/web/package-lock.json": "" }
      expect(yield* detect(contents, "a b/web/src")).toMatchObject({
        gates: ["cd 'a b/web' && npm test"],
        setup: "cd 'a b/web' && npm ci",
        inputs: ["a b/web/package.json", "a b/web/package-lock.json"]
      })
      expect(yield* detect({ ...contents, "go.mod": "" }, "a b/web")).toMatchObject({ gates: ["go test ./..."] })
      expect(yield* detect(contents)).toMatchObject({ tools: [] })
    })
  )

  it.scoped("follows no symbolic link, and opens neither a FIFO nor a directory", () =>
    Effect.gen(function* () {
      const found = yield* detect(
        { "elsewhere/package.json": '{"scripts":{"test":"x"}}', "elsewhere/t/test_a.py": "" },
        "",
        (top) => {
          symlinkSync("elsewhere/package.json", join(top, "package.json"))
          symlinkSync("elsewhere/t", join(top, "tests"))
          symlinkSync("gone", join(top, "go.mod"))
          mkdirSync(join(top, "Cargo.toml"))
          execFileSync("mkfifo", [join(top, "setup.cfg")])
        }
      )
      expect(found.tools).toEqual([])
    })
  )
})
