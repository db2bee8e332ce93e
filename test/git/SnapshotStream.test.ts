/** What a snapshot says to git of files that change while it is made. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import * as SnapshotStream from "../../src/git/SnapshotStream.js"
import { scenario } from "./Scenario.js"

const object = "0".repeat(40)

scenario(
  "a file that is gone once it is read is deleted if it was committed, and otherwise not named at all",
  (world) =>
    Effect.gen(function* () {
      const { changed, input, leftOut } = SnapshotStream.make(world.repository, world.top, {
        candidates: [{ name: "new" }, { name: "old", committed: { mode: "100644", object } }],
        heads: [world.main]
      })
      const said = yield* Effect.promise(async () => {
        const parts: Array<Buffer> = []
        for await (const part of input) parts.push(part)
        return Buffer.concat(parts).toString()
      })
      expect(changed).toEqual(["old"])
      expect(leftOut).toEqual([])
      expect(said).toContain('\nD "old"\n')
      expect(said).not.toContain("new")
    })
)
