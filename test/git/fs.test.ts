import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import * as fs from "../../src/git/fs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

it.scopedLive(
  "remove succeeds where another process, such as the user's git worktree prune, has removed it first",
  () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const path = `${directory}/worktrees/a`
      mkdirSync(path, { recursive: true })
      writeFileSync(`${path}/HEAD`, "")
      yield* fs.remove(path)
      expect(existsSync(path)).toBe(false)
      yield* fs.remove(path)
      expect(existsSync(`${directory}/worktrees`)).toBe(true)
    })
)
