import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, show, task, unit } from "../Jobs.js"
import { counted, counting } from "./Scenes.js"

const quoted = (value: string): string => JSON.stringify(value)

/** Packages of the test, so that npm needs no network. */
const packages = ["alpha", "beta", "gamma", "kappa", "zeta"]

/** Fails unless each dependency is installed. */
const check = `for (const name of Object.keys(require("./package.json").dependencies)) require(name)\n`

const npm = ({ root }: Repository.Sandbox, command: string): string =>
  `npm ${command} --offline --no-audit --no-fund --no-update-notifier --cache '${root}/npm' > /dev/null`

const adds = (world: Repository.Sandbox, name: string): string =>
  task(1, npm(world, `install ./packages/${name}.tgz`), `node -e "require('${name}')"`)

/** Units that each work in a file of their own. */
const twoFiles = (settings: string) => ({
  "charlotte.yaml": settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a.md": task(1, "touch a1", "test -e a1"),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b.md": task(1, "touch b1", "test -e b1")
})

describe("the setup of a unit", () => {
  it.scopedLive(
    "runs again on merged work, so that units that each add a package land together",
    () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const setup = `${counting(world, "setup")}; ${npm(world, "ci")}`
        const { config, top } = yield* repository(world, {
          "charlotte.yaml": `setup: { run: ${quoted(setup)}, inputs: [package-lock.json] }\nbaseline: [node check.cjs]\n`,
          "a/IMPLEMENTATION_PLAN.md": unit(),
          "a/01-a.md": adds(world, "alpha"),
          "b/IMPLEMENTATION_PLAN.md": unit(),
          "b/01-b.md": adds(world, "zeta"),
          "c/IMPLEMENTATION_PLAN.md": unit(),
          "c/01-c.md": task(1, "touch c1", "test -e c1")
        })
        yield* world.shell(top, "git stash --quiet --include-untracked && git switch --quiet main")
        for (const name of packages)
          yield* world.write(`${top}/packages/${name}/package.json`, `{ "name": "${name}", "version": "1.0.0" }`)
        for (const name of packages) yield* world.write(`${top}/packages/${name}/index.js`, "")
        yield* world.write(`${top}/check.cjs`, check)
        yield* world.write(`${top}/package.json`, `{\n  "name": "all",\n  "version": "1.0.0",\n  "private": true\n}\n`)
        yield* world.shell(
          top,
          `for name in ${packages.join(" ")}; do
             mkdir package && cp packages/$name/* package && tar -czf packages/$name.tgz package && rm -r package packages/$name
           done
           echo node_modules >> .gitignore
           ${npm(world, "install ./packages/beta.tgz ./packages/gamma.tgz ./packages/kappa.tgz")}
           git add . && git commit --quiet -m packages && git switch --quiet -C mine`
        )
        const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
        expect(ended.run.error).toBeUndefined()
        expect(Object.keys(JSON.parse(yield* show(world, top, "main:package.json")).dependencies)).toEqual(packages)
        // Each unit once when its worktree is made, and those that merge with new packages once more.
        expect(ended.types.filter((type) => type.startsWith("unit.setup")).toSorted()).toEqual([
          "unit.setup.started a",
          "unit.setup.started b",
          "unit.setup.started b",
          "unit.setup.started c",
          "unit.setup.started c"
        ])
        expect(yield* counted(world, "setup")).toBe(5)
      }),
    120_000
  )

  for (const [how, setups, inputs] of [
    ["always if it names no inputs", 3, ""],
    ["not if its inputs are as they were", 2, ", inputs: [a.txt, none.txt]"]
  ] as const)
    it.scopedLive(`runs again on merged work, ${how}`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const setup = quoted(counting(world, "setup"))
        const { config } = yield* repository(world, twoFiles(`setup: { run: ${setup}${inputs} }\n`))
        const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
        expect(ended.run).toMatchObject({ status: "completed" })
        expect(yield* counted(world, "setup")).toBe(setups)
      })
    )

  it.scopedLive("fails a unit if it fails on merged work", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, twoFiles("setup: 'test ! -e a1 || test ! -e b1'\n"))
      const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
      const reason = expect.stringMatching(
        /^the setup \(test .*\) exited with code 1; see \/.*\/b\/merged-setup-1\.3\.log$/
      )
      expect(ended.work.units.map(({ reason, state }) => [state, reason])).toEqual([
        ["merged", undefined],
        ["failed", reason]
      ])
    })
  )
})
