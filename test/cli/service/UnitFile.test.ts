import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Option } from "effect"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import * as UnitFile from "../../../src/cli/service/UnitFile.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const analyze = ["/usr/bin", "/bin"]
  .map((directory) => `${directory}/systemd-analyze`)
  .find((file) => spawnSync(file, ["--version"]).status === 0)

const strange = `a b%h $HOME \\ "quoted" 'single' [x]* é #;`

/** Verifies the unit of a program that is there, and returns what systemd says of it. */
const verify = (directory: string, unit: UnitFile.UnitFile): string => {
  const file = `${directory}/${UnitFile.unitName}`
  writeFileSync(file, UnitFile.render(unit))
  const variables = { HOME: directory, XDG_RUNTIME_DIR: directory, PATH: "/usr/bin:/bin" }
  const { stderr, stdout } = spawnSync(analyze ?? "", ["--user", "--man=no", "verify", file], {
    encoding: "utf8",
    env: variables
  })
  return stdout + stderr
}

describe("UnitFile", () => {
  const path = fc.string({ unit: "binary", minLength: 1 }).filter((text) => !text.includes("\0"))

  it("reads what it has rendered, whatever is in the paths", () =>
    fc.assert(
      fc.property(path, path, fc.array(path, { minLength: 1 }), (home, searched, [program = "", ...rest]) => {
        const unit: UnitFile.UnitFile = { home, path: searched, command: [program, ...rest] }
        expect(UnitFile.read(UnitFile.render(unit))).toEqual(Option.some(unit))
      })
    ))

  it("does not read a unit that someone else has written", () => {
    const text = UnitFile.render({ home: "/h", path: "/bin", command: ["/bin/node"] })
    expect(UnitFile.read(text.slice(text.indexOf("\n") + 1))).toEqual(Option.none())
  })

  it.scoped.skipIf(analyze === undefined)("passes systemd-analyze verify, whatever is in the paths", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      // systemd accepts no quotes and backslashes in the path of a program.
      const program = `${directory}/node %h $x`
      writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 })
      for (const name of ["plain", strange]) {
        const home = `${directory}/${name}`
        const unit: UnitFile.UnitFile = { home, path: `${home}:/usr/bin`, command: [program, `${home}/x`, "daemon"] }
        expect(verify(directory, unit)).toBe("")
        expect(verify(directory, { ...unit, command: [`${directory}/missing`] })).toContain(
          "/missing is not executable"
        )
      }
    })
  )
})
