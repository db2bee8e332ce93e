import { describe, expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { markedCommand } from "../../src/process/markedCommand.js"
import * as ResourceMark from "../../src/process/ResourceMark.js"

const cwd = mkdtempSync(join(tmpdir(), "charlotte-test-"))
afterAll(() => rmSync(cwd, { recursive: true }))

const PATH = process.env["PATH"] ?? ""

const run = (command: readonly [string, ...ReadonlyArray<string>], env: Record<string, string> = { PATH }) => {
  const [file, ...args] = markedCommand({ command, cookie: "cookie", cwd, env, cgroup: undefined })
  return spawnSync(file, args, { cwd, env, encoding: "utf8" })
}

const isWrapped = (file: string, env: Record<string, string> = { PATH }) =>
  markedCommand({ command: [file], cookie: "cookie", cwd, env, cgroup: undefined })[0] === "/bin/sh"

describe.runIf(process.platform === "linux")("a command with a mark", () => {
  it("is the command itself, with its arguments, environment and exit code, and the mark in its limits", () => {
    expect(run(["printf", "%s|", "a b", "", "$HOME", "-n"]).stdout).toBe("a b||$HOME|-n|")
    expect(run(["env"], { PATH, NAME: "value" }).stdout.trim().split("\n").sort()).toEqual([
      "NAME=value",
      `PATH=${PATH}`
    ])
    expect(run(["sh", "-c", "exit 7"]).status).toBe(7)
    const limits = run(["sh", "-c", "env -i /bin/cat /proc/self/limits"]).stdout
    expect(ResourceMark.isIn(limits, ResourceMark.of("cookie"))).toBe(true)
    expect(ResourceMark.isIn(limits, ResourceMark.of("another"))).toBe(false)
  })

  it("keeps the mark of an outer manager beside that of an inner one", () => {
    const inner = ResourceMark.of("inner").soft
    const limits = run(["sh", "-c", `ulimit -S -m ${inner}; exec cat /proc/self/limits`]).stdout
    for (const cookie of ["cookie", "inner"]) expect(ResourceMark.isIn(limits, ResourceMark.of(cookie))).toBe(true)
  })

  it("is tried without one where it cannot start, so that the system's own error is seen", () => {
    writeFileSync(join(cwd, "good"), "#!/bin/sh\n", { mode: 0o755 })
    writeFileSync(join(cwd, "bad"), "#!/no/such/thing\n", { mode: 0o755 })
    writeFileSync(join(cwd, "data"), "data")
    mkdirSync(join(cwd, "directory"))
    expect(["./good", join(cwd, "good"), "sh"].map((file) => isWrapped(file))).toEqual([true, true, true])
    expect(isWrapped("good", { PATH: cwd })).toBe(true)
    const others = ["", "good", "./bad", "./data", "./directory", "./missing", "./data/x", "no-such-command"]
    for (const file of others) expect(isWrapped(file), file).toBe(false)
    // A shell would drop or replace these.
    for (const name of ["a-b", "PWD", "SHLVL"]) expect(isWrapped("sh", { PATH, [name]: "x" }), name).toBe(false)
  })
})
