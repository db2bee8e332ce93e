import { describe, expect, it } from "@effect/vitest"
import { unsupported } from "../../src/cli/Platform.js"

describe("the command", () => {
  it("runs on Node.js 20 and newer, on Linux and macOS", () => {
    for (const node of ["20.0.0", "20.20.2", "22.1.0", "100.0.0"]) {
      expect(unsupported({ node, platform: "linux" })).toBeUndefined()
      expect(unsupported({ node, platform: "darwin" })).toBeUndefined()
    }
  })

  it("says why it does not run elsewhere, and what to do", () => {
    expect(unsupported({ node: "18.19.1", platform: "linux" })).toBe(
      "Node.js 18.19.1 is too old; install version 20 or newer"
    )
    expect(unsupported({ node: "22.0.0", platform: "win32" })).toMatch(/^Windows is not supported; run it in WSL/)
  })
})
