/** Files of a manager are its user's alone; what it starts makes files as its user wants them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as Umask from "../../src/process/Umask.js"

/** That of this process, while the test lasts. */
const umask = (mask: number) =>
  Effect.acquireRelease(
    Effect.sync(() => process.umask(mask)),
    (before) => Effect.sync(() => process.umask(before))
  )

const ofChild = () => execFileSync("sh", ["-c", "umask"], { encoding: "utf8" }).trim()

describe("the umask of a manager", () => {
  for (const mask of [0o000, 0o022, 0o077]) {
    const given = mask.toString(8).padStart(4, "0")
    it.scoped(`is closed, and what it starts has that of before, ${given}; in the end it has it, too`, () =>
      Effect.gen(function* () {
        yield* umask(mask)
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Umask.restrictive
            expect([process.umask(), Umask.withInherited(ofChild), process.umask()]).toEqual([0o077, given, 0o077])
            // A second manager in the same process changes nothing about that.
            yield* Effect.scoped(Umask.restrictive)
            expect([process.umask(), Umask.withInherited(ofChild)]).toEqual([0o077, given])
            expect(() =>
              Umask.withInherited(() => {
                throw new Error("no such command")
              })
            ).toThrow("no such command")
            expect(process.umask()).toBe(0o077)
          })
        )
        expect([process.umask(), Umask.withInherited(ofChild)]).toEqual([mask, given])
      })
    )
  }
})
