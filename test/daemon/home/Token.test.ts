/** The token of a home: what is made, what is read, and what is refused. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import * as Home from "../../../src/daemon/home/Home.js"
import * as Token from "../../../src/daemon/home/Token.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const given = "0123456789abcdef0123456789abcdef"

const mode = (path: string) => statSync(path).mode & 0o777

/** A home, and what comes of its token. */
const home = Effect.map(TemporaryDirectory.file("home"), (directory) => {
  mkdirSync(directory, { mode: 0o700 })
  const inHome = Effect.provide(Layer.provideMerge(Home.layerAt(directory), NodeContext.layer))
  return {
    directory,
    file: `${directory}/token`,
    make: Effect.map(inHome(Token.make), Redacted.value),
    find: Effect.map(inHome(Token.find), Option.map(Redacted.value))
  }
})

describe("the token of a home", () => {
  it.scoped("is made once, readable by its user only", () =>
    Effect.gen(function* () {
      const { file, find, make } = yield* home
      expect(yield* find).toEqual(Option.none())
      const token = yield* make
      expect([token.length, mode(file), readFileSync(file, "utf8")]).toEqual([43, 0o600, `${token}\n`])
      expect([yield* make, yield* find]).toEqual([token, Option.some(token)])
    })
  )

  it.scoped("that a user has written is read, and closed to other users", () =>
    Effect.gen(function* () {
      const { file, make } = yield* home
      writeFileSync(file, `${given}\n`, { mode: 0o644 })
      expect([yield* make, mode(file)]).toEqual([given, 0o600])
    })
  )

  it.scoped("is read through a symbolic link, whose target keeps its mode", () =>
    Effect.gen(function* () {
      const { directory, file, make } = yield* home
      const secret = `${directory}/secret`
      writeFileSync(secret, `${given}\n`)
      chmodSync(secret, 0o640)
      symlinkSync("secret", file)
      expect([yield* make, mode(secret)]).toEqual([given, 0o640])
    })
  )

  it.scopedLive(
    "is refused at once when it is no regular file, leads nowhere, or cannot be a token",
    () =>
      Effect.gen(function* () {
        const cases: Readonly<Record<string, (file: string) => void>> = {
          "it is not a regular file": (file) => execFileSync("mkfifo", [file]),
          "it is not a regular file ": (file) => mkdirSync(file),
          "it is not a regular file  ": (file) => symlinkSync("/dev/zero", file),
          "it is a symbolic link that leads nowhere": (file) => symlinkSync("nowhere", file),
          "it must be at least 32 visible characters of ASCII": (file) => writeFileSync(file, "short"),
          "it must be at least 32 visible characters of ASCII ": (file) => writeFileSync(file, "x".repeat(100_000))
        }
        for (const [problem, put] of Object.entries(cases)) {
          const { file, make } = yield* home
          put(file)
          const error = yield* Effect.flip(make).pipe(Effect.timeout("2 minutes"))
          expect(error).toMatchObject({
            name: "TokenUnusable",
            message: `the token in ${file} cannot be used: ${problem.trim()}; remove the file, and a new one is made`
          })
        }
      }),
    300_000
  )
})
