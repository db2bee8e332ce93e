import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { MachineRef, nameOf } from "../../src/internal/Machine.js"

describe("the name of a machine", () => {
  const machineId = "e08d2021fbdd6f894fde550c98aff54d"

  it("is another one where the host name or the machine id is", () => {
    const names = ["a", "b"].flatMap((hostname) => [
      nameOf({ hostname, machineId }),
      nameOf({ hostname, machineId: `${machineId.slice(1)}0` }),
      nameOf({ hostname, machineId: "" })
    ])
    expect(new Set(names).size).toBe(6)
  })

  it("shows the host name, and not the machine id", () => {
    expect(nameOf({ hostname: "node-1", machineId })).toMatch(/^node-1\/[0-9a-f]{12}$/)
    expect(nameOf({ hostname: "node-1", machineId })).not.toContain(machineId.slice(0, 12))
    expect(nameOf({ hostname: "node-1", machineId: "" })).toBe("node-1")
  })

  it.effect("has the machine id of this machine in it, if there is one", () =>
    Effect.gen(function* () {
      const name = yield* MachineRef
      const file = "/etc/machine-id"
      const id = existsSync(file) ? readFileSync(file, "utf8").trim() : ""
      expect(name.includes("/")).toBe(/^[0-9a-f]{32}$/.test(id) || existsSync("/var/lib/dbus/machine-id"))
    })
  )
})
