import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as OutputFile from "../../src/process/OutputFile.js"
import { directory, read } from "./workshop.js"

/** Letters that tell where they come from. */
const output = (length: number) => Array.from({ length }, (_, i) => String.fromCharCode(97 + (i % 26))).join("")

const write = (text: string, { limit, piece }: { readonly limit: number; readonly piece: number }) =>
  Effect.gen(function* () {
    const home = yield* directory
    const path = join(home, "log")
    const written = yield* Effect.promise(async () => {
      const file = await OutputFile.make(path, limit)
      for (let at = 0; at < text.length; at += piece) await file.append(Buffer.from(text.slice(at, at + piece)))
      return file.finish({ tail: 10 })
    })
    expect(readdirSync(home)).toEqual(["log"])
    return { ...written, content: read(path) }
  })

describe("an output file", () => {
  it.scopedLive("holds all that fits", () =>
    Effect.gen(function* () {
      for (const length of [0, 1, 500, 501, 686, 687, 872]) {
        for (const piece of [7, 5000]) {
          const text = output(length)
          const { bytes, content, omitted, tail } = yield* write(text, { limit: 1000, piece })
          expect({ bytes, content, omitted, tail }).toEqual({
            bytes: length,
            content: text,
            omitted: 0,
            tail: text.slice(-10)
          })
        }
      }
    })
  )

  it.scopedLive("holds the head and the tail of what does not fit, and says what is missing", () =>
    Effect.gen(function* () {
      for (const length of [873, 1000, 1058, 1059, 12_345]) {
        for (const piece of [7, 186, 5000, 100_000]) {
          const text = output(length)
          const { bytes, content, omitted, problem, tail } = yield* write(text, { limit: 1000, piece })
          expect(content.length).toBeLessThanOrEqual(1000)
          const [head = "", rest = ""] = content.split(`\n[charlotte: ${omitted} bytes of output are left out here]\n`)
          expect(head).toBe(text.slice(0, 500))
          expect(rest.length).toBeGreaterThanOrEqual(186)
          expect(text.endsWith(rest)).toBe(true)
          expect({ bytes, omitted, problem }).toEqual({
            bytes: length,
            omitted: length - head.length - rest.length,
            problem: undefined
          })
          expect(tail).toBe(text.slice(-10))
        }
      }
    })
  )

  it.scopedLive.skipIf(!existsSync("/dev/full"))(
    "that the disk has no room for says so, and nothing waits for it",
    () =>
      Effect.gen(function* () {
        const { bytes, omitted, problem } = yield* Effect.promise(async () => {
          const file = await OutputFile.make("/dev/full", 1000)
          for (let i = 0; i < 100; i++) await file.append(Buffer.alloc(1000))
          return file.finish({ tail: 10 })
        })
        expect({ bytes, omitted }).toEqual({ bytes: 100_000, omitted: 100_000 })
        expect(problem).toContain("ENOSPC")
      })
  )
})
