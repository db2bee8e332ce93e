/**
 * `charlotte run` on the tasks beside this file, in a new git repository; it needs no key and no network. Everything stays in
 * the temporary directory that is named at the beginning.
 */
import { execFileSync, spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, writeFileSync, writeSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const say = (...lines: ReadonlyArray<string>) => writeSync(1, lines.map((line) => `${line}\n`).join(""))

/** A repository with one commit: the project as it is before the work, and the tasks. */
const makeRepository = (path: string) => {
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", ["-C", path, ...args], { stdio: ["ignore", "ignore", "inherit"] })
  cpSync(here("project"), path, { recursive: true })
  cpSync(here("tasks"), `${path}/tasks`, { recursive: true })
  git("init", "--quiet", "--initial-branch=main")
  git("config", "user.name", "Wilbur")
  git("config", "user.email", "wilbur@example.com")
  git("add", "--all")
  git("commit", "--quiet", "--message", "The barn, before anything was woven")
}

const directory = mkdtempSync(join(tmpdir(), "charlotte-demo-"))
const repository = `${directory}/repository`
const home = `${directory}/home`
makeRepository(repository)
// The agent called "script" brings its own check. This one is an agent as any other: a command that is given the task as its prompt.
mkdirSync(home, { mode: 0o700 })
writeFileSync(
  `${home}/config.yaml`,
  `agents: { visitor: { command: [sh, -c, "awk '/^\`\`\`/ { if (on) exit; on = 1; next } on' | sh"], prompt: stdin } }\n`
)
say(`$ cd ${repository}`, "$ charlotte run tasks", "")

const charlotte = spawn(
  process.execPath,
  ["--import", import.meta.resolve("tsx"), here("../../src/cli/bin.ts"), "run", "tasks"],
  { cwd: repository, env: { ...process.env, CHARLOTTE_HOME: home }, stdio: "inherit" }
)

// A terminal sends Ctrl-C to both processes; signals to this process alone are forwarded.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || charlotte.kill(signal))

charlotte.on("close", (code, signal) => {
  say(
    "",
    `The repository, and charlotte's home with its database and logs, are in ${directory}. Have a look:`,
    "",
    `  git -C ${repository} log --graph --stat`,
    ...(code === 0 ? [`  cd ${repository} && sh morning.sh 1`] : []),
    "",
    "Where it says charlotte, write here, in this directory:",
    "",
    `  CHARLOTTE_HOME=${home} npm run -s charlotte --`
  )
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
})
