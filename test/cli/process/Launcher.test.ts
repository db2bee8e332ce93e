/** The shell script that is installed as `charlotte`. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const source = fileURLToPath(new URL("../../../src/cli/charlotte.sh", import.meta.url))

/** A package whose program prints which Node runs it, from where and with what; and a link to its command. */
const installed = Effect.map(TemporaryDirectory.make, (root) => {
  const cli = join(root, "a package", "dist", "cli")
  const bin = join(root, "bin")
  mkdirSync(cli, { recursive: true })
  mkdirSync(bin)
  copyFileSync(source, join(cli, "charlotte"))
  writeFileSync(join(cli, "bin.cjs"), "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7")
  symlinkSync(join("..", "a package", "dist", "cli", "charlotte"), join(bin, "charlotte"))
  return { root, bin, cli, package: join(root, "a package") }
})

/** A `node` that only says who it is. */
const fakeNode = (directory: string, name: string) => {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, "node"), `#!/bin/sh\necho ${name}\n`, { mode: 0o755 })
}

const run = (file: string, path: string, args: ReadonlyArray<string> = [], cwd?: string) => {
  const { status, stderr, stdout } = spawnSync(file, args, { cwd, env: { PATH: path }, encoding: "utf8" })
  return { status, stderr, stdout }
}

describe("installed launcher", () => {
  it.scoped("runs on the Node in the PATH with its arguments and exit code", () =>
    Effect.gen(function* () {
      const { bin, cli } = yield* installed
      const path = `${dirname(process.execPath)}:/usr/bin:/bin`
      const args = ["a b", "", "$HOME", '"', "*"]
      const answer = { status: 7, stderr: "", stdout: `${JSON.stringify(args)}\n` }
      expect(run(join(bin, "charlotte"), path, args)).toEqual(answer)
      expect(run("/bin/sh", path, ["charlotte", ...args], cli)).toEqual(answer)
    })
  )

  it.scoped("prefers the Node of a checkout, in a checkout only", () =>
    Effect.gen(function* () {
      const { bin, package: directory, root } = yield* installed
      fakeNode(join(root, "path"), "path")
      fakeNode(join(directory, "node_modules", ".bin"), "checkout")
      const which = () => run(join(bin, "charlotte"), `${root}/path:/usr/bin:/bin`).stdout.trim()
      expect(which()).toBe("path")
      mkdirSync(join(directory, "tools", "node"), { recursive: true })
      expect(which()).toBe("checkout")
    })
  )

  it.scoped("reports a missing Node", () =>
    Effect.gen(function* () {
      const { bin, root } = yield* installed
      for (const name of ["sh", "readlink"]) symlinkSync(`/usr/bin/${name}`, join(root, name))
      expect(run(join(bin, "charlotte"), root)).toEqual({
        status: 2,
        stderr: "charlotte: Node.js 22.19 or newer is needed, and there is no node in the PATH; install it\n",
        stdout: ""
      })
    })
  )

  it.scoped("execs Node, so that signals reach the program", () =>
    Effect.gen(function* () {
      const { bin, cli } = yield* installed
      writeFileSync(join(cli, "bin.cjs"), "if (process.ppid === Number(process.argv[2])) process.kill(process.pid, 15)")
      const path = `${dirname(process.execPath)}:/usr/bin:/bin`
      const { signal } = spawnSync(join(bin, "charlotte"), [String(process.pid)], { env: { PATH: path } })
      expect(signal).toBe("SIGTERM")
    })
  )
})
