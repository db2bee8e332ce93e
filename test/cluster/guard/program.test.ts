import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { inject } from "vitest"
import { exited } from "./scene.js"

describe("the guard in the installed command", () => {
  const chunks = join(dirname(inject("command").program), "chunks")

  it.scopedLive("is one file, which answers, and ends with its standard input", () =>
    Effect.gen(function* () {
      const file = join(chunks, "program.cjs")
      expect(readFileSync(file, "utf8")).not.toMatch(/require\("\.|from "\./)
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, [file, "6000", "0"], { stdio: ["pipe", "pipe", "inherit"] })),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      child.stdin.write("1 beat 0\n")
      const [answer] = yield* Effect.promise(() => once(child.stdout, "data"))
      expect(String(answer)).toBe("1\n")
      child.stdin.end()
      yield* exited(child)
      expect(child.exitCode).toBe(0)
    })
  )

  it("is not loaded by any command", () => {
    const others = readdirSync(chunks).filter((name) => name !== "program.cjs")
    for (const name of others) {
      expect(readFileSync(join(chunks, name), "utf8")).not.toMatch(/(require|import)\("\.\/program\.cjs"\)/)
    }
  })
})
