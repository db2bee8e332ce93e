/** The types of kinds of jobs, as an application that emits declarations and checks those of its libraries compiles them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { vi } from "vitest"
import * as Application from "../support/application.js"

const require = createRequire(import.meta.url)
const fixture = readFileSync(new URL("jobKinds.ts", import.meta.url), "utf8")

/** The compiler reads all of Effect, which takes long on a machine that is busy. */
vi.setConfig({ testTimeout: 120_000 })

describe("the types of JobKind", () => {
  it.scopedLive("infer what is right, refuse what is wrong, and can be named in declarations", () =>
    Effect.gen(function* () {
      const directory = yield* Application.make({ "jobKinds.ts": fixture })
      const flags = "--noEmit false --declaration --emitDeclarationOnly --outDir types --skipLibCheck false".split(" ")
      const ended = yield* Application.node(directory, require.resolve("typescript/bin/tsc"), "-p", directory, ...flags)
      expect(ended).toEqual({ code: 0, output: "" })
      expect(existsSync(`${directory}/types`)).toBe(true)
    })
  )
})
