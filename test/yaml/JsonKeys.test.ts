/** Keys of JSON files that are put back as text. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import * as JsonKeys from "../../src/yaml/JsonKeys.js"

const start = `{
  "name": "greeter",
  "version": "1.0.0",
  "scripts": {
    "test": "node --test",
    "lint": "eslint ."
  },
  "files": ["dist"]
}
`

const putBack = (text: string, key = "scripts", from = start) =>
  Option.getOrUndefined(JsonKeys.putBack(from, text, key.split(".")))

describe("a key of a JSON file that is put back", () => {
  it("has its former text, and the rest of the file stays as it is", () => {
    const changed = start.replace('"node --test"', '"true"').replace("1.0.0", "1.0.1").replace('["dist"]', "[\n]")
    expect(putBack(changed)).toBe(start.replace("1.0.0", "1.0.1").replace('["dist"]', "[\n]"))
  })

  it("leaves a file alone whose value is the same, however it is written", () => {
    for (const text of [
      JSON.stringify(JSON.parse(start)),
      start.replaceAll("  ", "\t"),
      start.replaceAll("\n", "\r\n")
    ])
      expect(putBack(text)).toBe(text)
  })

  it("comes back where it was when it is gone", () => {
    const { files, name, version } = JSON.parse(start)
    expect(putBack(start.replace(/ {2}"scripts": [^]*?\},\n/, ""))).toBe(start)
    expect(putBack(JSON.stringify({ files, name, version }))).toContain('"version":"1.0.0","scripts": {')
    expect(putBack("{}")).toMatch(/^\{"scripts": \{[^}]*\}\}$/)
    expect(putBack(start.replace('"node --test",\n    "lint"', '"node --test",\n    "list"'), "scripts.lint")).toBe(
      start.replace('"lint": "eslint ."', '"lint": "eslint .",\n    "list": "eslint ."')
    )
    expect(putBack('{\n  "files": []\n}\n', "name")).toBe('{\n  "name": "greeter",\n  "files": []\n}\n')
  })

  it("comes back with the object in which it was", () => {
    expect(putBack('{ "name": "greeter" }', "scripts.test")).toContain('"scripts": {\n    "test": "node --test"')
    expect(putBack('{ "scripts": "none" }', "scripts.test")).toContain('"lint": "eslint ."')
  })

  it("is gone again if it was not there", () => {
    const jest = '  "jest": { "bail": true },\n'
    expect(putBack(start.replace('  "files"', `${jest}  "files"`), "jest")).toBe(start)
    expect(putBack(start.replace('["dist"]', '["dist"],\n  "jest": {}'), "jest")).toBe(start)
    expect(putBack('{ "jest": 1 }', "jest")).toBe("{  }")
    expect(putBack(start.replace('"eslint ."', '"eslint .",\n    "pretest": "exit"'), "scripts.pretest")).toBe(start)
  })

  it("has its former value wherever it is repeated, and however its name is written", () => {
    for (const name of ["scripts", "\\u0073cripts"]) {
      const text = start.replace('["dist"]', `["dist"],\n  "${name}": { "test": "true" }`)
      expect(JSON.parse(putBack(text) ?? "").scripts).toEqual(JSON.parse(start).scripts)
    }
  })

  it("cannot be put back into what is no JSON, or has no place for it", () => {
    for (const text of ["", "{", "[]", "7", "null", `\uFEFF${start}`, `${start}x`, start.replace("{", "{ // no\n")])
      expect(putBack(text)).toBeUndefined()
    expect(putBack(start, "scripts", "{")).toBeUndefined()
  })

  it("is the value of the start in any two objects, and no other value changes", () => {
    const name = fc.constantFrom("a", "b", "c", "__proto__", "é\n")
    const values = fc.dictionary(name, fc.oneof(fc.integer(), fc.string(), fc.dictionary(name, fc.integer())))
    const indent = fc.constantFrom(undefined, 2, "\t")
    const own = (value: unknown, key: string) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key) ? [Reflect.get(value, key)] : []
    fc.assert(
      fc.property(values, values, indent, name, (before, after, indent, key) => {
        const text = JSON.stringify(after, null, indent)
        const result: unknown = JSON.parse(
          Option.getOrThrow(JsonKeys.putBack(JSON.stringify(before, null, 3), text, [key]))
        )
        expect(own(result, key)).toEqual(own(JSON.parse(JSON.stringify(before)), key))
        for (const other of ["a", "b", "c", "__proto__", "é\n"].filter((other) => other !== key))
          expect(own(result, other)).toEqual(own(JSON.parse(text), other))
      })
    )
  })
})
