/**
 * Hides from the tests what the user of this machine has set up: environment, configuration of git, agents on the PATH, time zone,
 * locale and umask. It changes the process that runs vitest, of which the processes of tests inherit it; what they start sees no more.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, isAbsolute, join } from "node:path"
import { presets } from "../../src/tasks/agents/Presets.js"

/** What names the user, the place for files, the tools and the network of this machine, and the settings of the tests themselves. */
const kept = [
  /^(PATH|USER|LOGNAME|SHELL|TERM|TMPDIR|CI|DEBIAN_FRONTEND|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR))$/i,
  /^(NODE|NPM|VITEST)_/i,
  /^(TEST|VITEST|CHARLOTTE_(TESTS|KILLS|TEST_.*)|(CRASH|CLUSTER)_.*)$/
]

const agents = presets.map(({ name }) => name)

/** The directories of a PATH, each that has an agent in it replaced by a directory of links to all its other programs. */
const withoutAgents = (path: string, directory: string): ReadonlyArray<string> =>
  path.split(delimiter).map((place, n) => {
    if (!isAbsolute(place) || !agents.some((agent) => existsSync(join(place, agent)))) return place
    const links = join(directory, `path-${n}`)
    mkdirSync(links)
    for (const name of readdirSync(place)) if (!agents.includes(name)) symlinkSync(join(place, name), join(links, name))
    return links
  })

/**
 * A git that reads no configuration and no attributes of the whole machine. Charlotte passes no variable of git's on, so that only
 * a program on the PATH reaches all processes that tests start. It costs a shell for each call, so it is used only where git has some.
 */
const withoutSystem = (path: string, directory: string): ReadonlyArray<string> => {
  const git = path
    .split(delimiter)
    .map((place) => join(place, "git"))
    .find((file) => existsSync(file))
  if (git === undefined) return []
  const prints = (...args: ReadonlyArray<string>) => spawnSync(git, args, { encoding: "utf8" }).stdout.trim()
  if (prints("config", "--system", "--list") === "" && !existsSync(prints("var", "GIT_ATTR_SYSTEM"))) return []
  const bin = join(directory, "git")
  mkdirSync(bin)
  const lines = ['export GIT_CONFIG_SYSTEM="${GIT_CONFIG_SYSTEM-/dev/null}" GIT_ATTR_NOSYSTEM=1', `exec '${git}' "$@"`]
  writeFileSync(join(bin, "git"), ["#!/bin/sh", ...lines, ""].join("\n"), { mode: 0o755 })
  return [bin]
}

/** Makes this process one on a machine on which nothing is set up, once: vitest loads its configuration for each project. */
export const hideMachine = () => {
  if (process.env["CHARLOTTE_TEST_MACHINE"] === "hidden") return
  process.umask(0o022)
  const directory = mkdtempSync(join(tmpdir(), "charlotte-machine-"))
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }))
  for (const name of Object.keys(process.env)) if (!kept.some((names) => names.test(name))) delete process.env[name]
  const home = join(directory, "home")
  mkdirSync(home)
  const path = withoutAgents(process.env["PATH"] ?? "", directory).join(delimiter)
  const variables = {
    PATH: [...withoutSystem(path, directory), path].join(delimiter),
    HOME: home,
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
    CHARLOTTE_TEST_MACHINE: "hidden"
  }
  Object.assign(process.env, variables)
}
