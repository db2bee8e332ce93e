/**
 * The shell commands in README and docs, run page by page from top to bottom, as a reader runs them: in a home directory with
 * nothing in it but a checkout.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Charlotte from "../cli/process/Charlotte.js"
import { pages, root } from "./pages.js"
import { differences, isRun, scriptOf } from "./walk.js"

/** These begin with nothing; all others where the tutorial ends its preparations. */
const fromNothing = ["README.md", "docs/tutorial.md"]

/** The repository of the tutorial, with its tasks committed. */
const prepared = `
  git config --global user.name "Ada Lovelace"
  git config --global user.email ada@example.com
  cp -r ~/charlotte/examples/npm-project/project ~/greeter
  cd ~/greeter
  cp .env.example .env
  git init --quiet --initial-branch main
  cp -r ~/charlotte/examples/npm-project/tasks tasks
  git add . && git commit --quiet -m "A project with tasks"
  export PATH=~/charlotte/examples/npm-project/agent:$PATH
`

const reader = Effect.gen(function* () {
  const world = yield* Charlotte.world(() => ({}))
  const home = `${world.root}/reader`
  mkdirSync(`${home}/charlotte`, { recursive: true })
  cpSync(join(root, "examples"), `${home}/charlotte/examples`, { recursive: true })
  const variables = {
    HOME: home,
    CHARLOTTE_HOME: `${home}/.charlotte`,
    CHARLOTTE_STOP_GRACE: "5 seconds",
    // Anything that npm would ask a registry for is an error.
    npm_config_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false"
  }
  yield* Effect.addFinalizer(() => Charlotte.run(world, "charlotte daemon stop", { cwd: home, variables }))
  return (script: string) => Charlotte.run(world, script, { cwd: home, variables })
})

describe("the commands in README and docs", () => {
  it.scopedLive.each(pages.filter(({ blocks }) => blocks.some(isRun)).map((page) => [page.file, page] as const))(
    "%s works as it is printed, from top to bottom",
    ([, page]) =>
      Effect.gen(function* () {
        const sh = yield* reader
        const { code, out } = yield* sh(
          scriptOf(page, `exec 2>&1\n${fromNothing.includes(page.file) ? "cd ~" : prepared}`)
        )
        expect(code, out.slice(-2_000)).toBe(0)
        expect(differences(page, out)).toEqual([])
      }),
    300_000
  )
})
