import { describe, expect, it } from "@effect/vitest"
import { continuations } from "../../src/progress/continuations.js"

describe("what has followed the first attempt of a job", () => {
  it("is named by retries and continuations", () => {
    expect(continuations({ attempt: 1 })).toBeUndefined()
    expect(continuations({ attempt: 2 })).toBe("continued once")
    expect(continuations({ attempt: 2, tries: 1 })).toBe("1 retry")
    expect(continuations({ attempt: 24, tries: 2 })).toBe("2 retries, continued 21 times")
  })
})
