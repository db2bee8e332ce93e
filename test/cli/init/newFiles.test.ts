import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as newFiles from "../../../src/cli/init/newFiles.js"
import { repository } from "../../tasks/plan/TaskFiles.js"

describe("the creation of files", () => {
  it.scoped("makes directories as they are needed", () =>
    Effect.gen(function* () {
      const top = yield* repository({ "old/mine": "mine" })
      yield* newFiles.create(
        top,
        [
          { file: "old/new/a", text: "a" },
          { file: "old/new/b", text: "b" }
        ],
        "hint"
      )
      expect(readdirSync(top, { recursive: true }).sort()).toEqual([
        "old",
        "old/mine",
        "old/new",
        "old/new/a",
        "old/new/b"
      ])
      expect(readFileSync(join(top, "old/new/b"), "utf8")).toBe("b")
    })
  )

  it.scoped("removes what it has made, and nothing else, if it cannot make all", () =>
    Effect.gen(function* () {
      const top = yield* repository({ "old/mine": "mine" })
      const files = ["old/a", "new/deep/b", "old/mine"].map((file) => ({ file, text: "text" }))
      const error = yield* Effect.flip(newFiles.create(top, files, "name another"))
      expect(error.message).toBe("old/mine is there already, and is a file; name another")
      expect(readdirSync(top, { recursive: true }).sort()).toEqual(["old", "old/mine"])
      expect(readFileSync(join(top, "old/mine"), "utf8")).toBe("mine")
    })
  )
})
