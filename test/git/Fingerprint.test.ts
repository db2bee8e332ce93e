import { describe, expect, it } from "@effect/vitest"
import { differences } from "../../src/git/Fingerprint.js"

describe("the differences of two fingerprints", () => {
  it("are what was added, removed and changed", () => {
    const before = { "setting filter.a.clean": "1", "setting filter.b.clean": "2", shallow: "3" }
    const after = { "setting filter.a.clean": "1", "setting filter.b.clean": "4", "info/grafts": "5" }
    expect(differences(before, before)).toEqual([])
    expect(differences(before, after)).toEqual(["info/grafts", "setting filter.b.clean", "shallow"])
  })

  it("from one of 0.1.0, which had more settings and fewer files, are those of what both have taken", () => {
    const both = { "setting core.repositoryformatversion": "1", "info/attributes": "2" }
    const before = { ...both, "setting core.bare": "3", "setting core.filemode": "4", "hook pre-commit": "5" }
    expect(differences(before, both)).toEqual([])
    expect(differences(before, { ...both, shallow: "6" })).toEqual([])
    expect(differences(before, { ...both, "setting filter.a.clean": "7", "info/attributes": "8" })).toEqual([
      "info/attributes",
      "setting filter.a.clean"
    ])
  })
})
