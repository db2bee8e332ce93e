/**
 * Has the command do what it is for, and keeps what V8 has made of its code on the way: in one process as the daemon, in others
 * as what lists its jobs, as all that reaches it, and as the manager of a job of its own. Nothing else is left of it.
 */
import { execFileSync, spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
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

const tasksOf = { daemon: "tasks", manager: "more" }

/** The same in a process of its own. */
const start = (part: keyof typeof tasksOf | "list") =>
  spawn(process.execPath, [...process.execArgv, tour, file, part], { stdio: ["ignore", "ignore", "inherit", "ipc"] })

/** A repository with two jobs of one task. */
const prepare = (directory: string) => {
  const write = (path: string, text: string) => writeFileSync(`${directory}/${path}`, text)
  for (const path of ["home", "repository"]) mkdirSync(`${directory}/${path}`)
  write(
    "home/.gitconfig",
    "[user]\n  name = Charlotte\n  email = charlotte@localhost\n[init]\n  defaultBranch = main\n"
  )
  for (const tasks of Object.values(tasksOf)) {
    mkdirSync(`${directory}/repository/${tasks}`)
    write(`repository/${tasks}/charlotte.yaml`, "agent: script\n")
    write(
      `repository/${tasks}/01-one.md`,
      `---\ntask: 1\nbackpressure: test -f ${tasks}.txt\n---\n\n# One\n\n\`\`\`sh\necho one > ${tasks}.txt\n\`\`\`\n`
    )
  }
  process.env["HOME"] = `${directory}/home`
  process.env["CHARLOTTE_HOME"] = `${directory}/charlotte`
  process.chdir(`${directory}/repository`)
  for (const words of ["init --quiet", "add --all", "commit --quiet --message tasks"])
    execFileSync("git", words.split(" "), { stdio: "inherit" })
}

const visit = async () => {
  const daemon = start("daemon")
  const ended = once(daemon, "exit")
  // Ready, or ended.
  await Promise.race([once(daemon, "message"), ended])
  for (const line of [
    "daemon start",
    "daemon status",
    `start ${tasksOf.daemon}`,
    "watch latest",
    "show latest",
    "logs latest",
    "stop latest",
    "jobs --limit 1"
  ])
    await charlotte(...line.split(" "))
  await succeeded(once(start("list"), "exit"))
  await charlotte("daemon", "stop")
  await succeeded(ended)
  await succeeded(once(start("manager"), "exit"))
}

const succeeded = async (ended: ReturnType<typeof once>) => {
  const [code] = await ended
  if (code !== 0) throw new Error(`a process has ended with code ${code}`)
}

const keep = () => {
  writeFileSync(`${file}.${part}`, script.createCachedData())
  // The daemon makes files that are its user's alone; a command may be installed for all.
  chmodSync(`${file}.${part}`, 0o644)
}

if (part === "daemon") {
  // Ready, it lets go of who waited for that. What V8 makes of more of it costs each start, and is not waited for.
  process.once("disconnect", keep)
  await charlotte("daemon", "start", "--foreground")
}
if (part === "manager") await charlotte("run", tasksOf.manager)
if (part === "list") for (const words of [["jobs"], ["jobs", "--json"]]) await charlotte(...words)
if (part === "client") {
  const directory = mkdtempSync(`${tmpdir()}/charlotte-tour-`)
  try {
    prepare(directory)
    await visit()
  } finally {
    process.chdir("/")
    rmSync(directory, { recursive: true, force: true })
  }
}

if (part !== "daemon") keep()
