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

const pip = ".venv/bin/python -m pip install --quiet --disable-pip-version-check"
const venv = `python3 -m venv .venv && ${pip}`

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
    "the tests that bun itself finds, where no script runs them",
    { ...scripts({ lint: "x" }), "bun.lock": "", "src/a.test.tsx": "" },
    { gates: ["bun test"], others: ["bun run lint"] }
  ],
  ["no gate of bun without tests", { ...scripts({}), "bun.lock": "", "index.ts": "" }, { gates: [] }],
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
    {
      tools: ["python"],
      setup: `${venv} pytest`,
      gates: [".venv/bin/python -m pytest"],
      leavings: ["__pycache__", ".venv"]
    }
  ],
  [
    "unittest where there are tests and no pytest",
    { "setup.py": "", "tests/test_a.py": "" },
    {
      setup: `${venv} --editable .`,
      gates: [".venv/bin/python -m unittest discover -s tests"],
      leavings: ["__pycache__", ".venv", "*.egg-info"]
    }
  ],
  ["unittest at the top", { "setup.cfg": "", "test_a.py": "" }, { setup: undefined, gates: ["python3 -m unittest"] }],
  [
    "the extras, groups and requirements of a python package that its tests may need",
    {
      "pyproject.toml":
        '[project]\nname = "x"\n[project.optional-dependencies]\ntest = ["pytest"]\ndocs = []\n[dependency-groups]\ndev = []\n',
      "requirements-dev.txt": "",
      "test/unit/test_a.py": ""
    },
    {
      setup: `python3 -m venv .venv && ${pip} --upgrade pip && ${pip} --editable '.[test]' --requirement requirements-dev.txt --group dev pytest`,
      inputs: ["pyproject.toml", "requirements-dev.txt"],
      gates: [".venv/bin/python -m pytest"]
    }
  ],
  [
    "pytest where its settings say where the tests are",
    { "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = "testing"', "testing/test_a.py": "" },
    { gates: [".venv/bin/python -m pytest"] }
  ],
  [
    "the paths and marks with which CI runs pytest, in the environment of the worktree",
    {
      "pyproject.toml": "pytest",
      "tests/test_a.py": "",
      ".github/workflows/a.yml": "- run: pytest --cov tests\n- run: python -m pytest -q -m 'not slow' tests/unit\n"
    },
    { gates: [".venv/bin/python -m pytest -q -m 'not slow' tests/unit"], others: [".venv/bin/python -m pytest"] }
  ],
  [
    "pytest where only CI names it",
    {
      "requirements.txt": "",
      "tests/test_a.py": "",
      ".github/workflows/a.yml": "run: |\n  python -m pip install flake8 pytest\nrun: |\n  pytest\n"
    },
    { setup: `${venv} --requirement requirements.txt pytest`, gates: [".venv/bin/python -m pytest"] }
  ],
  [
    "no single test of python that a README runs",
    {
      "pyproject.toml": "pytest",
      "tests/test_a.py": "",
      "README.md": "    $ pytest tests/test_a.py\n    $ pytest -k one\n"
    },
    { gates: [".venv/bin/python -m pytest"] }
  ],
  ["no gate in a python project without tests", { "pyproject.toml": "pytest" }, { tools: ["python"], gates: [] }],
  [
    "uv",
    { "pyproject.toml": "pytest", "uv.lock": "", "tests/test_a.py": "" },
    { setup: "uv sync --frozen", gates: ["uv run pytest"], leavings: ["__pycache__", ".venv"] }
  ],
  [
    "poetry with the options that CI has",
    {
      "pyproject.toml": "pytest",
      "poetry.lock": "",
      "tests/test_a.py": "",
      ".github/workflows/a.yml": "run: |\n  poetry run pytest -q tests\n"
    },
    { setup: "poetry install", gates: ["poetry run pytest -q tests"], others: ["poetry run pytest"] }
  ],
  [
    "make in the environment of python, where CI runs that",
    {
      "pyproject.toml": "[project]\n",
      "tests/test_a.py": "",
      Makefile: "test:\n\tpytest\n",
      ".github/workflows/a.yml": "- run: make test\n"
    },
    {
      gates: [". .venv/bin/activate && make test"],
      others: [".venv/bin/python -m unittest discover -s tests"]
    }
  ],
  [
    "just in the environment of uv",
    { "pyproject.toml": "", "uv.lock": "", justfile: "test:\n  pytest\n" },
    { gates: ["uv run just test"] }
  ],
  ["maven", { "pom.xml": "" }, { tools: ["maven"], gates: ["mvn --batch-mode test"], leavings: ["target"] }],
  [
    "the wrapper of maven, and what CI runs",
    {
      "pom.xml": "",
      mvnw: "",
      ".github/workflows/b.yml": "steps:\n  - run: ./mvnw -B verify\n  - run: ./mvnw -B deploy\n"
    },
    { gates: ["./mvnw -B verify"], others: ["./mvnw --batch-mode test"] }
  ],
  [
    "gradle by its wrapper",
    { "settings.gradle.kts": "", gradlew: "" },
    { tools: ["gradle"], gates: ["./gradlew test"] }
  ],
  [
    "ruby with specs",
    { Gemfile: 'gem "rspec"', "Gemfile.lock": "", "spec/a_spec.rb": "", Rakefile: "" },
    { tools: ["ruby"], setup: "bundle install", inputs: ["Gemfile", "Gemfile.lock"], gates: ["bundle exec rspec"] }
  ],
  [
    "ruby with specs, where the helper of the specs names rspec",
    { Gemfile: "gemspec", "spec/spec_helper.rb": "RSpec.configure {}", Rakefile: "" },
    { gates: ["bundle exec rspec"] }
  ],
  [
    "ruby with specs that rspec does not run",
    { Gemfile: "gemspec", "spec/a_spec.rb": "", "spec/spec_helper.rb": "require 'minitest/autorun'", Rakefile: "" },
    { gates: ["bundle exec rake"] }
  ],
  ["ruby with rake", { Gemfile: "", Rakefile: "", "test/a_test.rb": "" }, { gates: ["bundle exec rake test"] }],
  ["rails", { Gemfile: "", Rakefile: "", "bin/rails": "", "test/a_test.rb": "" }, { gates: ["bin/rails test"] }],
  [
    "php by its script",
    { "composer.json": '{"scripts":{"test":"phpunit"}}' },
    { tools: ["php"], setup: "composer install --no-interaction", gates: ["composer test"], leavings: ["vendor"] }
  ],
  ["phpunit", { "composer.json": "{}", "phpunit.xml.dist": "" }, { gates: ["vendor/bin/phpunit"] }],
  [
    ".NET",
    { "App.sln": "", "src/App.csproj": "" },
    { tools: [".NET"], setup: "dotnet restore", inputs: ["App.sln"], gates: ["dotnet test"] }
  ],
  [
    ".NET, whose CI has built before it tests",
    { "App.sln": "", ".github/workflows/a.yml": "run: dotnet build\nrun: dotnet test --no-build --verbosity normal\n" },
    { gates: ["dotnet test"], others: [] }
  ],
  ["elixir", { "mix.exs": "" }, { tools: ["elixir"], setup: "mix deps.get", gates: ["mix test"] }],
  ["deno by its task", { "deno.jsonc": '{ "tasks": { "test": "deno test -A" } }' }, { gates: ["deno task test"] }],
  ["make by its target", { Makefile: "all:\n\ncheck: all\n\t./t\n" }, { tools: ["make"], gates: ["make check"] }],
  ["just by its recipe", { justfile: "x := '1'\ntest *args:\n  ./t\n" }, { tools: ["just"], gates: ["just test"] }],
  ["no gate in a Makefile without such a target", { Makefile: "test := 1\nall:\n" }, { tools: ["make"], gates: [] }],
  [
    "make beside another tool as one that could be the gate",
    { Makefile: "test:\n", "go.mod": "" },
    { tools: ["go", "make"], gates: ["go test ./..."], others: ["make test"] }
  ],
  [
    "make beside another tool as the gate, where CI runs it",
    { Makefile: "test:\n", "go.mod": "", ".gitlab-ci.yml": "test:\n  script:\n    - make test\n" },
    { gates: ["make test"], others: ["go test ./..."] }
  ],
  [
    "the options that CI gives to a command, unless the shell or CI makes something else of the line",
    {
      "Cargo.toml": "",
      ".github/workflows/ci.yaml":
        "- run: cargo test --target ${{ matrix.target }}\n- run: |\n    cargo test --workspace --all-features\n"
    },
    { gates: ["cargo test --workspace --all-features"], others: ["cargo test"] }
  ],
  [
    "the script that the README runs",
    { ...scripts({ test: "x", check: "y" }), "README.md": "```sh\n$ npm run check\n```\n" },
    { gates: ["npm run check"], others: ["npm test"] }
  ],
  [
    "the tests of the packages where a workspace has none",
    scripts({ build: "x" }, { workspaces: ["packages/*"] }),
    { gates: ["npm test --workspaces --if-present"], others: ["npm run build"] }
  ],
  [
    "the tests of the packages of a workspace of yarn, also where one has none",
    { ...scripts({}, { workspaces: ["packages/*"] }), "yarn.lock": "" },
    { setup: "yarn install --frozen-lockfile", gates: ["npm test --workspaces --if-present"] }
  ],
  [
    "yarn from its second version on",
    { ...scripts({}, { workspaces: ["packages/*"] }), "yarn.lock": "", ".yarnrc.yml": "" },
    { tools: ["yarn"], setup: "yarn install --immutable", gates: ["yarn workspaces foreach --all run test"] }
  ],
  [
    "yarn from its second version on, by packageManager",
    { ...scripts({ test: "x" }, { packageManager: "yarn@4.9.0" }), "yarn.lock": "" },
    { tools: ["yarn"], setup: "yarn install --immutable", gates: ["yarn test"] }
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
      const modules = { "go.mod": "", "tool/go.mod": "" }
      expect(yield* detect(modules, "tool")).toMatchObject({ gates: ["go test ./..."] })
      expect(yield* detect(contents)).toMatchObject({ tools: [] })
    })
  )

  it.scoped("takes the gate of a package of a workspace, and the setup of the workspace", () =>
    Effect.gen(function* () {
      const contents = {
        ...scripts({ test: "x" }, { workspaces: ["packages/*"] }),
        "package-lock.json": "",
        "packages/a/package.json": '{"scripts":{"test":"x"}}',
        "packages/b/package.json": "{}"
      }
      expect(yield* detect(contents, "packages/a/src")).toMatchObject({
        gates: ["cd packages/a && npm test"],
        others: ["npm test"],
        setup: "npm ci",
        inputs: ["package.json", "package-lock.json"]
      })
      expect(yield* detect(contents, "packages/b")).toMatchObject({ gates: ["npm test"] })
      expect(yield* detect({ ...contents, ...scripts({ test: "x" }) }, "packages/a")).toMatchObject({
        gates: ["npm test"]
      })
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
