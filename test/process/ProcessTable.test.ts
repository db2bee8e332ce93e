import { describe, expect, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { proc } from "../../src/process/ProcessTable.js"

const said = (pid: number) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { pid, group: Number(fields[2]), session: Number(fields[3]), startTime: Number(fields[19]) }
  } catch {
    return undefined
  }
}

describe.runIf(process.platform === "linux")("the table of processes", () => {
  it("reads each process as the kernel has it, however often", () => {
    for (let i = 0; i < 3; i++) {
      const pids = proc.pids()
      expect(pids).toContain(process.pid)
      for (const pid of pids) {
        const before = said(pid)
        const entry = proc.get(pid)
        // Some come and go meanwhile.
        if (before === undefined || JSON.stringify(said(pid)) !== JSON.stringify(before)) continue
        expect(entry).toMatchObject(before)
      }
    }
    expect(proc.get(process.pid)).toMatchObject({ isKernel: false, isDead: false })
  })

  it("has no entry for a process that has ended, once its parent has waited for it", async () => {
    const child = spawn("sleep", ["60"])
    const pid = child.pid ?? 0
    expect(proc.get(pid)).toMatchObject({ pid, isKernel: false })
    child.kill("SIGKILL")
    await once(child, "exit")
    expect(proc.get(pid)).toBeUndefined()
  })
})
