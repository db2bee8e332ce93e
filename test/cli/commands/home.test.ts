/** Commands in a home that cannot be used, or that no daemon holds. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import * as Charlotte from "../process/Charlotte.js"
import * as Tasks from "../process/Tasks.js"
import * as CommandLine from "./CommandLine.js"

const commands: ReadonlyArray<ReadonlyArray<string>> = [
  ["jobs"],
  ["show", "latest"],
  ["watch", "latest"],
  ["watch"],
  ["logs", "latest"],
  ["stop", "latest"],
  ["stop", "--all"],
  ["daemon", "status"],
  ["daemon", "stop"],
  ["daemon", "start"]
]

/** What is at a path that cannot be a home, and what is said of it. */
const homes = (root: string): Readonly<Record<string, string>> => {
  writeFileSync(`${root}/file`, "")
  mkdirSync(`${root}/wide`)
  chmodSync(`${root}/wide`, 0o777)
  return {
    "charlotte-home": "is not an absolute path; give the whole path, beginning with /",
    [`${root}/file`]: "is not a directory",
    [`${root}/file/below`]: `does not exist and cannot be created in ${root}/file; create it, or `,
    [`${root}/a\nb`]: "has a control character in its path; rename it, or choose another directory with CHARLOTTE_HOME",
    [`${root}/wide`]: "can be written by other users"
  }
}

const world = Effect.map(
  Charlotte.world(() => Tasks.simple),
  (world) => ({
    ...world,
    run: (words: ReadonlyArray<string>, variables = {}) =>
      CommandLine.make({ ...world, variables: { ...world.variables, ...variables } })(words).answer
  })
)

describe("unusable home directory", () => {
  it.scopedLive("makes every command exit with 2 and the reason, without creating files", () =>
    Effect.gen(function* () {
      const { repository, root, run } = yield* world
      const start = ["start", "tasks", "--repo", repository]
      const before = readdirSync(root)
      for (const [home, reason] of Object.entries(homes(root)))
        for (const words of [...commands, start]) {
          const { code, err, out } = yield* run(words, { CHARLOTTE_HOME: home })
          expect([home, words, code, out, err]).toEqual([home, words, 2, "", expect.stringContaining(reason)])
        }
      expect(readdirSync(root).sort()).toEqual([...before, "file", "wide"].sort())
      expect(readdirSync(`${root}/wide`)).toEqual([])
    })
  )
})

describe("charlotte start without a daemon", () => {
  it.scopedLive("exits with 69 and names the command that starts one", () =>
    Effect.gen(function* () {
      const { home, repository, run } = yield* world
      expect(yield* run(["start", "tasks", "--repo", repository])).toEqual({
        code: 69,
        out: "",
        err: `charlotte: no server listens on ${home}/socket; start a daemon with: charlotte daemon start\n`
      })
    })
  )
})
