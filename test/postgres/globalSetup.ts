/**
 * One server for all tests on PostgreSQL: that of `CHARLOTTE_TEST_POSTGRES`, or one that is started for them.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of a server on which databases may be created. */
    readonly postgres: string
  }
}

const program = fileURLToPath(new URL("server.ts", import.meta.url))

export const setup = async (project: TestProject) => {
  const given = process.env["CHARLOTTE_TEST_POSTGRES"]
  if (given !== undefined && given !== "") return project.provide("postgres", given)
  // In a process group of its own, so that Ctrl-C does not reach it before the tests have ended.
  const server = spawn(process.execPath, ["--import", "tsx", program], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"]
  })
  const exit = once(server, "exit")
  const url = await Promise.race([
    once(server.stdout, "data").then(([line]) => String(line).trim()),
    exit.then(() => {
      throw new Error("PostgreSQL could not be started; the line above says why.")
    })
  ])
  project.provide("postgres", url)
  return async () => {
    server.stdin.end()
    await exit
  }
}
