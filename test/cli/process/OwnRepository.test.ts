/** The README leads through a repository of one's own; here it is followed word for word, in the one of the example. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Charlotte from "./Charlotte.js"
import { done } from "./Tasks.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const example = `${root}examples/npm-project`

const [, chapter = ""] = /^## In your own repository\n(.*?)^## /ms.exec(readFileSync(`${root}README.md`, "utf8")) ?? []

const fences = [...chapter.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text = ""]) => ({ language, text }))

const shown = (language: string) => fences.flatMap((fence) => (fence.language === language ? [fence.text] : []))

/** The files that are to be written, by the name that stands before each. */
const written = Object.fromEntries(
  [...chapter.matchAll(/`(tasks\/[^`]+)`[^`]*:\n\n```\w+\n(.*?)^```$/gms)].map(([, name = "", text = ""]) => [
    name,
    text
  ])
)

/** The project as its owner has it: with what git ignores, and with an agent that is called as a real one is. */
const project = Effect.gen(function* () {
  const world = yield* Charlotte.world(() => ({}))
  cpSync(`${example}/project`, world.repository, { recursive: true })
  yield* Charlotte.commit(world, "the project")
  yield* world.write(`${world.repository}/.env`, "GREETING=Salutations\n")
  // Whatever npm would ask a registry for is an error.
  yield* world.write(`${world.root}/home/.npmrc`, "offline=true\naudit=false\nfund=false\nupdate-notifier=false\n")
  mkdirSync(`${world.root}/agents`)
  copyFileSync(`${example}/agent/claude`, `${world.root}/agents/claude`)
  chmodSync(`${world.root}/agents/claude`, 0o755)
  const variables = { PATH: `${world.root}/agents:${world.variables["PATH"]}` }
  const sh = (script: string) => Charlotte.run(world, `set -e\n${script}`, { variables })
  expect((yield* sh("npm ci && npm test")).code).toBe(0)
  return { world, sh }
})

describe("the README, on one's own repository", () => {
  it("shows the tasks of the example, to the letter", () => {
    const files = ["01-shout.md", "02-whisper.md", "charlotte.yaml"]
    expect(written).toEqual(
      Object.fromEntries(files.map((file) => [`tasks/${file}`, readFileSync(`${example}/tasks/${file}`, "utf8")]))
    )
  })

  it.scopedLive(
    "leads from tasks to commits, with an npm project, npm ci, .env and an agent",
    () =>
      Effect.gen(function* () {
        const { sh, world } = yield* project
        const { git, repository } = world
        for (const [file, text] of Object.entries(written)) yield* world.write(`${repository}/${file}`, text)
        const [work = "", look = "", ...others] = shown("sh")
        expect(others).toEqual([])

        const worked = yield* sh(work)
        expect([worked.code, worked.err]).toEqual([0, ""])
        const [plan = ""] = shown("text")
        expect(worked.out).toContain(`\n${plan}`)
        expect(worked.out).toMatch(/ tasks {2}setup: npm ci\n/)
        expect(worked.out).toMatch(/ tasks 2 {2}gate failed: exited with code 1; see \S+\n/)
        expect(worked.out).toMatch(/ tasks 2 {2}Whisper \(attempt 2\)\n/)
        expect(worked.out).toMatch(/ verifies the merged result: npm test\n/)
        expect(worked.out).toMatch(
          /\n {2}units {4}1 merged\n {2}tasks {4}2 done\n {2}commits {2}2\n {2}landed {3}on main/
        )
        expect(yield* done(world)).toEqual(["tasks 1", "tasks 2"])

        const looked = yield* sh(look)
        expect([looked.code, looked.err]).toEqual([0, ""])
        expect(looked.out).toContain("    Whisper\n")
        expect(looked.out).toMatch(/ src\/whisper\.js +\| +3 \+\+\+\n/)
        expect(looked.out).toMatch(/^(#|ℹ) pass 3$/m)

        // What was ignored has stayed where it was, and got nowhere else.
        expect(yield* git(repository, "status", "--porcelain")).toBe("")
        const tracked = yield* git(repository, "ls-tree", "-r", "--name-only", "main")
        expect(tracked).not.toMatch(/node_modules|\.env/)
        expect(readFileSync(`${repository}/.env`, "utf8")).toBe("GREETING=Salutations\n")
        expect(existsSync(`${repository}/node_modules/exclaim`)).toBe(true)
        expect(yield* git(repository, "worktree", "list")).toMatch(/^\S+ +\w+ \[main\]\n$/)
      }),
    60_000
  )
})
