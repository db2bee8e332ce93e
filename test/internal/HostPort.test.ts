import { describe, expect, it } from "@effect/vitest"
import * as HostPort from "../../src/internal/HostPort.js"

describe("a loopback host", () => {
  it("is any address of 127.0.0.0/8, ::1, or localhost", () => {
    for (const host of ["127.0.0.1", "127.0.0.9", "127.255.255.254", "::1"])
      expect(HostPort.loopbackAddress(host)).toBe(host)
    expect(HostPort.loopbackAddress("localhost")).toBe("127.0.0.1")
    for (const host of ["128.0.0.1", "0.0.0.0", "::", "127.example.org", "127.0.0.256", "127.1", ""])
      expect(HostPort.isLoopback(host), host).toBe(false)
  })
})
