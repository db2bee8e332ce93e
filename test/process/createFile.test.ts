import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createFile, removeDetour } from "../../src/process/createFile.js"
import { directory, read } from "./workshop.js"

const written = (path: string) =>
  Effect.promise(async () => {
    const file = await createFile(path)
    await file.write("mine")
    await file.close()
  })

describe("a new file", () => {
  it.scopedLive("replaces a link, a file and a directory, and leaves what a link names as it is", () =>
    Effect.gen(function* () {
      const home = yield* directory
      writeFileSync(join(home, "target"), "the user's")
      symlinkSync(join(home, "target"), join(home, "link"))
      symlinkSync(join(home, "nowhere"), join(home, "dangling"))
      writeFileSync(join(home, "file"), "old", { mode: 0o644 })
      mkdirSync(join(home, "directory", "in it"), { recursive: true })
      for (const name of ["link", "dangling", "file", "directory", "none"]) {
        yield* written(join(home, name))
        expect([name, read(join(home, name)), lstatSync(join(home, name)).mode & 0o777]).toEqual([name, "mine", 0o600])
      }
      expect(read(join(home, "target"))).toBe("the user's")
      expect(() => lstatSync(join(home, "nowhere"))).toThrow("ENOENT")
    })
  )
})

describe("the way to a file", () => {
  it.scopedLive("loses a link in place of a directory, at any depth, and nothing else", () =>
    Effect.gen(function* () {
      const home = yield* directory
      mkdirSync(join(home, "elsewhere"))
      mkdirSync(join(home, "top", "unit"), { recursive: true })
      symlinkSync(join(home, "elsewhere"), join(home, "top", "linked"))
      symlinkSync(join(home, "elsewhere"), join(home, "root"))
      const detour = (top: string, ...names: ReadonlyArray<string>) =>
        removeDetour(join(home, top), join(home, top, ...names))
      expect(yield* detour("top", "unit", "log")).toBeUndefined()
      expect(yield* detour("top", "none", "log")).toBeUndefined()
      expect(yield* detour("top", "linked", "deep", "log")).toBe(join(home, "top", "linked"))
      expect(yield* detour("top", "linked", "log")).toBeUndefined()
      expect(yield* detour("root", "log")).toBe(join(home, "root"))
      expect(lstatSync(join(home, "elsewhere")).isDirectory()).toBe(true)
    })
  )
})
