/**
 * Makes docs/images/night.svg: `charlotte run` on a terminal, whose agent reaches its usage limit in the middle of two tasks, and which
 * is killed by `kill -9` after that, and resumed. The agent is a stand-in, and its limit lasts for seconds. The text is what stands on
 * the terminal, with shortened paths and `…` for the lines that `resume` shows again. Run it with `npx tsx scripts/nightPicture.ts`;
 * with `--print` it writes to standard output.
 */
import { execFileSync, spawn } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { sender } from "../src/cli/act/sender.js"
import * as Emulator from "../test/cli/run/Emulator.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const directory = mkdtempSync(join(tmpdir(), "charlotte-picture-"))
const [home, bin, account] = [join(directory, "home"), join(directory, "bin"), join(directory, "claude")]
const repository = join(home, "notes")

/** How long the limit of the agent lasts, in seconds. */
const limit = 12

const [columns, rows] = [96, 40]

const env = {
  PATH: `${bin}:${dirname(process.execPath)}:${process.env["PATH"]}`,
  HOME: home,
  CLAUDE_CONFIG_DIR: account,
  SHELL: "/bin/sh",
  TERM: "xterm-256color",
  TZ: "UTC",
  LC_ALL: "C.UTF-8"
}

const units: ReadonlyArray<
  readonly [name: string, after: string, tasks: ReadonlyArray<readonly [string, ...string[]]>]
> = [
  [
    "api",
    "",
    [
      ["Read settings", "write read", "await limit", "write parsed"],
      ["Check settings", "await killed", "write checked"]
    ]
  ],
  [
    "web",
    "",
    [
      ["Show a form", "write form", "await limit", "write shown"],
      ["Show what is wrong", "await killed", "write errors"]
    ]
  ],
  ["docs", "api, web", [["Describe settings", "write page"]]]
]

const makeRepository = () => {
  for (const path of [home, bin, account, repository]) mkdirSync(path)
  copyFileSync(join(root, "test", "cli", "process", "night", "claude.mjs"), join(bin, "claude"))
  const tasks = join(repository, "tasks")
  for (const [name, after, list] of units) {
    mkdirSync(join(tasks, name), { recursive: true })
    writeFileSync(join(tasks, name, "IMPLEMENTATION_PLAN.md"), `---\ndepends_on: [${after}]\n---\n\n# ${name}\n`)
    for (const [index, [title, ...steps]] of list.entries()) {
      const files = steps.flatMap((step) => /^write (\S+)$/.exec(step)?.slice(1) ?? [])
      const gate = files.map((file) => `test -s ${file}`).join(" && ")
      const lines = steps.map((step) => `- ${step}\n`).join("")
      writeFileSync(
        join(tasks, name, `0${index + 1}-task.md`),
        `---\ntask: ${index + 1}\nbackpressure: ${gate}\n---\n\n# ${title}\n\n${lines}`
      )
    }
  }
  const identity = ["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"]
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", [...identity, ...args], { cwd: repository, env, stdio: "ignore" })
  execFileSync("git", ["config", "--global", "user.name", "Ada Lovelace"], { env })
  execFileSync("git", ["config", "--global", "user.email", "ada@example.com"], { env })
  git("init", "--initial-branch", "main")
  git("add", ".")
  git("commit", "--message", "tasks")
}

interface Line {
  readonly text: string
  /** Seconds since the command was entered. */
  readonly at: number
}

interface Terminal {
  readonly text: () => string
  readonly pid: () => number
  /** What stands there in the end, each line with the time since when. */
  readonly ended: Promise<ReadonlyArray<Line>>
}

/** Runs the command on a terminal. */
const onTerminal = (words: string): Terminal => {
  const program = `"${process.execPath}" --import ${import.meta.resolve("tsx")} ${join(root, "src", "cli", "bin.ts")}`
  const pidFile = join(directory, "pid")
  const inside = `stty cols ${columns} rows ${rows}; echo $$ > ${pidFile}; exec ${program} ${words}`
  const child = spawn("script", ["--quiet", "--return", "--command", inside, "/dev/null"], {
    cwd: repository,
    env,
    stdio: ["ignore", "pipe", "inherit"]
  })
  const emulator = Emulator.make(columns, rows)
  const began = performance.now()
  let lines: ReadonlyArray<Line> = []
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    emulator.write(text.replaceAll("\r\n", "\n"))
    const at = (performance.now() - began) / 1_000
    lines = emulator
      .text()
      .split("\n")
      .map((text, index) => {
        const before = lines[index]
        return before?.text === text ? before : { text, at }
      })
  })
  return {
    text: emulator.text,
    pid: () => Number(readFileSync(pidFile, "utf8")),
    ended: new Promise((resolve) => child.on("close", () => resolve(lines)))
  }
}

const until = async (condition: () => boolean) => {
  while (!condition()) await sleep(20)
}

/** Until turns at two tasks wait for it. */
const reached = (name: string) =>
  until(
    () => readdirSync(account).filter((file) => file.startsWith("reached-") && file.endsWith(`-${name}`)).length === 2
  )

const allow = (name: string) => writeFileSync(join(account, name), "")

const run = async () => {
  const terminal = onTerminal("run tasks --agent claude")
  await reached("limit")
  writeFileSync(join(account, "limit"), String(Math.ceil(Date.now() / 1_000) + limit))
  await until(() => / parked until /.test(terminal.text()))
  allow("limit")
  await reached("killed")
  await until(() => /\n {2}api {2}2 .* agent .*\n {2}web {2}2 .* agent /.test(terminal.text()))
  process.kill(terminal.pid(), "SIGKILL")
  return terminal.ended
}

const resume = () => {
  allow("killed")
  return onTerminal("resume latest").ended
}

const lineHeight = 19
const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;")

const colour = (text: string, before: string): string => {
  // The rest of a line that was too long.
  if (/^ {2}\S/.test(text) && /^(!|job) /.test(before)) return colour(before, "")
  if (text.startsWith("$")) return "#fff"
  if (/^Killed|^✗/.test(text)) return "#ff8f87"
  if (text.startsWith("!")) return "#e3b341"
  if (text.startsWith("job ")) return "#8b949e"
  return /^✓|━/.test(text) ? "#8fd694" : "#c9d1d9"
}

/** Seconds after which all lines are shown. */
const duration = 15

/** Lines appear one after another, as they were printed, but faster; with reduced motion, all are shown. */
const svg = (lines: ReadonlyArray<Line>): string => {
  const height = 62 + lines.length * lineHeight
  const speed = duration / Math.max(...lines.map(({ at }) => at))
  const body = lines.map(({ at, text }, i) => {
    const weight = text.startsWith("$") ? ' font-weight="bold"' : ""
    return `<text xml:space="preserve" x="20" y="${58 + i * lineHeight}" fill="${colour(text, lines[i - 1]?.text ?? "")}"${weight} style="animation-delay:${(at * speed).toFixed(2)}s">${escaped(text)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="820" height="${height}" viewBox="0 0 820 ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="13" role="img" aria-label="charlotte run, whose agent reaches its limit, killed and resumed">
<style>
text { animation: appear 0.01s both }
@keyframes appear { from { opacity: 0 } to { opacity: 1 } }
@media (prefers-reduced-motion: reduce) { text { animation: none } }
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<circle cx="22" cy="20" r="6" fill="#ff5f57"/><circle cx="42" cy="20" r="6" fill="#febc2e"/><circle cx="62" cy="20" r="6" fill="#28c840"/>
${body.join("\n")}
</svg>
`
}

const picture = async (): Promise<string> => {
  const first = await run()
  const second = await resume()
  const from = (start: number, lines: ReadonlyArray<Line>) => lines.map(({ at, text }) => ({ at: start + at, text }))
  const killedAt = Math.max(...first.map(({ at }) => at)) + 1
  const shown = new Set(first.map(({ text }) => text))
  const added = second.filter(({ text }) => text === "" || !shown.has(text))
  const lines = [
    { at: 0.5, text: "$ charlotte run tasks --agent claude" },
    ...from(1, first),
    { at: killedAt + 1, text: "Killed" },
    { at: killedAt + 1.5, text: "" },
    { at: killedAt + 2, text: "$ charlotte resume latest" },
    { at: killedAt + 2.5, text: "…" },
    ...from(killedAt + 2.5, added)
  ]
  return svg(
    lines
      .filter(({ text }) => !/^ {2}(diff|result) /.test(text))
      .map(({ at, text }) => ({ at, text: text.replaceAll(home, "~").replaceAll(sender(), "ada@laptop").trimEnd() }))
  )
}

try {
  makeRepository()
  const text = await picture()
  if (process.argv.includes("--print")) process.stdout.write(text)
  else writeFileSync(join(root, "docs", "images", "night.svg"), text)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
