import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { isMissingInFile } from "../../src/store/sqlite/isMissingInFile.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const text = "0123456789abcdef"

const mebibyte = 1024 * 1024

describe("isMissingInFile", () => {
  for (const at of [0, 1, mebibyte - 17, mebibyte - 16, mebibyte - 15, mebibyte - 1, mebibyte, 2 * mebibyte - 20])
    it.scopedLive(`finds a text at byte ${at}`, () =>
      Effect.gen(function* () {
        const file = yield* TemporaryDirectory.file("any")
        writeFileSync(file, Buffer.concat([Buffer.alloc(at, 7), Buffer.from(text), Buffer.alloc(100, 7)]))
        expect(yield* isMissingInFile(file, text)).toBe(false)
      })
    )

  it.scopedLive("reports a text as missing from an empty file, or when only a part occurs", () =>
    Effect.gen(function* () {
      const file = yield* TemporaryDirectory.file("any")
      for (const content of ["", text.slice(1), "x".repeat(3 * mebibyte) + text.slice(0, -1)]) {
        writeFileSync(file, content)
        expect(yield* isMissingInFile(file, text)).toBe(true)
      }
    })
  )

  it.scopedLive("does not report a text as missing when the file cannot be read", () =>
    Effect.gen(function* () {
      const file = yield* TemporaryDirectory.file("any")
      expect(yield* isMissingInFile(`${file}/nothing`, text)).toBe(false)
    })
  )
})
