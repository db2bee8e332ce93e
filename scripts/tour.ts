/**
 * Has the command do what it is for, and keeps what V8 has made of its code on the way: in one process as the daemon, and in
 * another as all that reaches it. Nothing else is left of it.
 */
import { execFileSync, spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { pathToFileURL } from "node:url"
import { Script } from "node:vm"

// Each command listens to the streams of its process, and here is one process for many.
EventEmitter.defaultMaxListeners = 0

interface Charlotte {
  readonly main: (argv: ReadonlyArray<string>) => unknown
  readonly runPromise: (main: unknown) => Promise<number>
}

const [, tour = "", file = "", part = "client"] = process.argv
const script = new Script(readFileSync(file, "latin1"), { filename: file })
const loaded: { exports: Charlotte } = { exports: { main: () => {}, runPromise: () => Promise.resolve(1) } }
script.runInThisContext()(loaded, createRequire(file), pathToFileURL(file).href)
const { main, runPromise } = loaded.exports

const charlotte = async (...argv: ReadonlyArray<string>) => {
  const code = await runPromise(main(argv))
  if (code !== 0) throw new Error(`charlotte ${argv.join(" ")} has ended with code ${code}`)
}

/** A repository with one task. */
const prepare = (directory: string) => {
  const write = (path: string, text: string) => writeFileSync(`${directory}/${path}`, text)
  for (const path of ["home", "repository", "repository/tasks"]) mkdirSync(`${directory}/${path}`)
  write(
    "home/.gitconfig",
    "[user]\n  name = Charlotte\n  email = charlotte@localhost\n[init]\n  defaultBranch = main\n"
  )
  write("repository/tasks/charlotte.yaml", "agent: script\n")
  write(
    "repository/tasks/01-one.md",
    "---\ntask: 1\nbackpressure: test -f one\n---\n\n# One\n\n```sh\necho one > one\n```\n"
  )
  process.env["HOME"] = `${directory}/home`
  process.env["CHARLOTTE_HOME"] = `${directory}/charlotte`
  process.chdir(`${directory}/repository`)
  for (const words of ["init --quiet", "add --all", "commit --quiet --message tasks"])
    execFileSync("git", words.split(" "), { stdio: "inherit" })
}

const visit = async () => {
  const daemon = spawn(process.execPath, [...process.execArgv, tour, file, "manager"], {
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const ended = once(daemon, "exit")
  // Ready, or ended.
  await Promise.race([once(daemon, "message"), ended])
  for (const line of [
    "daemon start",
    "daemon status",
    "jobs",
    "start tasks",
    "watch latest",
    "jobs",
    "jobs --json",
    "show latest",
    "logs latest",
    "stop latest",
    "daemon stop"
  ])
    await charlotte(...line.split(" "))
  const [code] = await ended
  if (code !== 0) throw new Error(`the daemon has ended with code ${code}`)
}

if (part === "manager") await charlotte("daemon", "start", "--foreground")
else {
  const directory = mkdtempSync(`${tmpdir()}/charlotte-tour-`)
  try {
    prepare(directory)
    await visit()
  } finally {
    process.chdir("/")
    rmSync(directory, { recursive: true, force: true })
  }
}

writeFileSync(`${file}.${part}`, script.createCachedData())
