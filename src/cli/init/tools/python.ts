/**
 * Projects in Python: uv, poetry, and otherwise an environment of the worktree, since the packages of the machine may hold another copy of
 * the project.
 */
import { Array, Effect, Option } from "effect"
import { command } from "../../../git/shellQuote.js"
import { ciCommands } from "./ciCommands.js"
import type { Detect, Files, Setup } from "./Tool.js"

const requirements = [
  "requirements.txt",
  "requirements-dev.txt",
  "dev-requirements.txt",
  "requirements-test.txt",
  "test-requirements.txt"
]

const isTest = (name: string): boolean => /^test.*\.py$|_test\.py$/.test(name)

const interpreter = ".venv/bin/python"

/** Where the tests are: at the top, or the directory; none if there are none. */
const findTests = (files: Files) =>
  Effect.gen(function* () {
    for (const name of ["tests", "test"]) {
      if ((yield* files.list(name)).some((entry) => isTest(entry) || !/\./.test(entry))) return Option.some(name)
    }
    return (yield* files.list(".")).some(isTest) ? Option.some("") : Option.none()
  })

/**
 * Pytest with paths and marks, as CI runs it; nothing that chooses single tests or writes reports, which would be left in the worktree.
 */
const inCi =
  /^(?:(?:uv|poetry) run )?(?:python3? -m )?pytest((?: (?:-[qv]+|-m (?:\w+|"[^"]+"|'[^']+')|\w[\w-]*(?:\/[\w-]+)*\/?))*)$/

/** Names in `[project.optional-dependencies]` and `[dependency-groups]` that tests may need. */
const forTests = /^(?:dev|develop|development|test|tests|testing)$/

/** The keys of a table of a TOML text, as far as each is a line of its own. */
const keysOf = (toml: string, table: string): ReadonlyArray<string> => {
  const [, body = ""] = toml.split(`\n[${table}]`, 2)
  const [own = ""] = body.split(/\n\[/, 1)
  return [...own.matchAll(/^"?([\w-]+)"?\s*=\s*\[/gm)].flatMap(([, key]) => (key === undefined ? [] : [key]))
}

/** An environment of the worktree, with the project itself and all that it names. */
const environment = (files: Files, usesPytest: boolean) =>
  Effect.gen(function* () {
    const toml = `\n${yield* files.text("pyproject.toml")}`
    const isPackage = /\n\[(?:project|build-system|tool\.poetry)\]/.test(toml) || (yield* files.has("setup.py"))
    const listed = yield* Effect.filter(requirements, files.has)
    if (!isPackage && listed.length === 0 && !usesPytest) return Option.none()
    const extras = keysOf(toml, "project.optional-dependencies").filter((name) => forTests.test(name))
    const groups = keysOf(toml, "dependency-groups").filter((name) => forTests.test(name))
    const install = [
      ...(isPackage ? ["--editable", extras.length === 0 ? "." : `.[${extras.join(",")}]`] : []),
      ...listed.flatMap((file) => ["--requirement", file]),
      ...groups.flatMap((name) => ["--group", name]),
      ...(usesPytest ? ["pytest"] : [])
    ]
    const pip = (...words: ReadonlyArray<string>) =>
      command(interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...words)
    return Option.some<Setup>({
      // Only a recent pip knows groups.
      run: ["python3 -m venv .venv", ...(groups.length > 0 ? [pip("--upgrade", "pip")] : []), pip(...install)].join(
        " && "
      ),
      inputs: [...(yield* Effect.filter(["pyproject.toml", "setup.py", "setup.cfg"], files.has)), ...listed]
    })
  })

export const python: Detect = (files) =>
  Effect.gen(function* () {
    const marker = yield* files.first(["pyproject.toml", "setup.py", "setup.cfg", ...requirements, "Pipfile"])
    if (Option.isNone(marker)) return Option.none()
    const settings = ["pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini", ...requirements]
    const texts = yield* Effect.forEach(settings, files.text)
    const configured = yield* files.first(["pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"])
    const usesPytest =
      Option.isSome(configured) || [...texts, ...(yield* ciCommands(files))].some((text) => /\bpytest\b/.test(text))
    const usesSetuptools = (yield* files.has("setup.py")) || texts.some((text) => /\bsetuptools\b/.test(text))
    const tests = Option.orElse(yield* findTests(files), () =>
      texts.some((text) => /^\s*testpaths\s*=/m.test(text)) ? Option.some("") : Option.none()
    )
    const [run, setup, before] = (yield* files.has("uv.lock"))
      ? ["uv run ", Option.some({ run: "uv sync --frozen", inputs: ["pyproject.toml", "uv.lock"] }), "uv run "]
      : (yield* files.has("poetry.lock"))
        ? [
            "poetry run ",
            Option.some({ run: "poetry install", inputs: ["pyproject.toml", "poetry.lock"] }),
            "poetry run "
          ]
        : ["", yield* environment(files, usesPytest), ". .venv/bin/activate && "]
    const python = run === "" && Option.isSome(setup) ? interpreter : `${run}python3`
    const pytest = run === "" ? `${python} -m pytest` : `${run}pytest`
    const unittest = `${python} -m unittest`
    const gate = Option.map(tests, (directory) =>
      usesPytest ? pytest : directory === "" ? unittest : `${unittest} discover -s ${directory}`
    )
    return Option.some({
      name: "python",
      ...Option.match(setup, { onNone: () => ({}), onSome: (setup) => ({ setup }) }),
      gates: Array.fromOption(gate),
      inCi,
      fromCi: (command) => command.replace(inCi, `${pytest}$1`),
      ...(Option.isSome(setup) && { before }),
      leavings: [
        "__pycache__",
        ...(Option.isSome(setup) ? [".venv"] : []),
        // Setuptools leaves it beside the sources that it installs.
        ...(run === "" && usesSetuptools ? ["*.egg-info"] : [])
      ]
    })
  })
