import { describe, expect, it } from "@effect/vitest"
import { unsupported } from "../../src/cli/Platform.js"

describe("charlotte", () => {
  it("runs on Node.js 22.19 and newer, on Linux and macOS", () => {
    for (const node of ["22.19.0", "22.23.3", "24.0.0", "100.0.0"]) {
      expect(unsupported({ node, platform: "linux" })).toBeUndefined()
      expect(unsupported({ node, platform: "darwin" })).toBeUndefined()
    }
  })

  it("names the requirement and the fix on other platforms", () => {
    for (const node of ["18.19.1", "20.20.2", "22.18.0"]) {
      expect(unsupported({ node, platform: "linux" })).toBe(
        `Node.js ${node} is too old; install version 22.19 or newer`
      )
    }
    expect(unsupported({ node: "22.19.0", platform: "win32" })).toMatch(/^Windows is not supported; run it in WSL/)
  })
})
