/** A log that does not grow without end. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import * as RotatedFile from "../../../src/daemon/home/RotatedFile.js"
import { bundle } from "../../support/bundle.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

/** Ten bytes a line, and the line feed is one of them. */
const line = (n: number) => String(n).padStart(9, "0")

const lines = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map(Number)

const path = TemporaryDirectory.file("logs/the.log")

describe("a rotated file", () => {
  it.scoped("starts a new file when it is full, and keeps the configured number of old ones", () =>
    Effect.gen(function* () {
      const file = yield* path
      const { append } = RotatedFile.make({ path: file, limit: 30, keep: 2 })
      for (let n = 1; n <= 11; n++) append(line(n))
      expect(lines(file)).toEqual([10, 11])
      expect(lines(`${file}.1`)).toEqual([7, 8, 9])
      expect(lines(`${file}.2`)).toEqual([4, 5, 6])
      expect(readdirSync(dirname(file))).toHaveLength(3)
      // The next process goes on where it ends.
      const next = RotatedFile.make({ path: file, limit: 30, keep: 2 })
      next.append(line(12))
      next.append(line(13))
      expect([lines(file), lines(`${file}.1`)]).toEqual([[13], [10, 11, 12]])
    })
  )

  it.scoped("writes a line longer than the limit into a file of its own", () =>
    Effect.gen(function* () {
      const file = yield* path
      const { append } = RotatedFile.make({ path: file, limit: 30, keep: 5 })
      for (const text of ["a", "b".repeat(100), "c"]) append(text)
      expect([0, 1, 2].map((n) => statSync(n === 0 ? file : `${file}.${n}`).size)).toEqual([2, 101, 2])
    })
  )

  it.scoped("is readable by its user only, and continues after it, or its directory, was moved or deleted", () =>
    Effect.gen(function* () {
      const file = yield* path
      const { append } = RotatedFile.make({ path: file, limit: 1000, keep: 2 })
      append(line(1))
      expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700])
      renameSync(file, `${file}.old`)
      append(line(2))
      rmSync(dirname(file), { recursive: true })
      append(line(3))
      expect(lines(file)).toEqual([3])
    })
  )

  it.scoped("fails with the reason while it cannot be written, and then continues", () =>
    Effect.gen(function* () {
      const file = yield* path
      const { append } = RotatedFile.make({ path: file, limit: 100_000, keep: 2 })
      mkdirSync(file, { recursive: true })
      expect(() => append(line(1))).toThrow(/EISDIR/)
      rmSync(file, { recursive: true })
      // Opening it would wait for somebody who reads it.
      execFileSync("mkfifo", [file])
      expect(() => append(line(2))).toThrow(/ENXIO/)
      rmSync(file)
      append(line(3))
      expect(lines(file)).toEqual([3])
      const full = RotatedFile.make({ path: "/dev/full", limit: 1000, keep: 2 })
      expect(() => full.append(line(1))).toThrow(/ENOSPC/)
    })
  )

  it.scopedLive("holds whole lines only, even if there is space for a part of one", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const program = yield* bundle(directory, fileURLToPath(new URL("appending.ts", import.meta.url)))
      const file = `${directory}/the.log`
      writeFileSync(file, "")
      // The kernel takes as much of a write as fits into so many kilobytes.
      const limited = `ulimit -f 1; exec "${process.execPath}" "${program}" "${file}"`
      const said = execFileSync("bash", ["-c", limited], { encoding: "utf8" })
      expect(said).toBe("Error: there is no room for a whole line")
      expect(readFileSync(file, "utf8")).toMatch(/^0\.{299}\n1\.{299}\n2\.{299}\n$/)
    })
  )
})
