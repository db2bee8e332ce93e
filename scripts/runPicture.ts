/**
 * Makes docs/images/run.svg: `charlotte run` on examples/npm-project, killed by `kill -9` while a task is running, and resumed. The
 * text is the command's output, with shortened paths and long lines, and `…` for the lines that `resume` shows again. Run it with
 * `npx tsx scripts/runPicture.ts`.
 */
import { execFileSync, spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const example = join(root, "examples", "npm-project")
const directory = mkdtempSync(join(tmpdir(), "charlotte-picture-"))
const [home, repository] = [join(directory, "home"), join(directory, "home", "greeter")]

const env = {
  PATH: `${join(example, "agent")}:${join(root, "node_modules", ".bin")}:${process.env["PATH"]}`,
  HOME: home,
  TZ: "UTC",
  LC_ALL: "C.UTF-8",
  NO_COLOR: "1",
  npm_config_update_notifier: "false"
}

const sh = (command: string) => execFileSync("bash", ["-ec", command], { cwd: repository, env, stdio: "pipe" })

interface Line {
  readonly text: string
  /** Seconds since the command was entered. */
  readonly at: number
}

/** Runs the command to its end, or kills it once its output matches `killAt`. */
const charlotte = (words: ReadonlyArray<string>, killAt?: RegExp): Promise<ReadonlyArray<Line>> =>
  new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), join(root, "src", "cli", "bin.ts"), ...words],
      {
        cwd: repository,
        env,
        stdio: ["ignore", "pipe", "pipe"]
      }
    )
    const begun = performance.now()
    const lines: Array<Line> = []
    let rest = ""
    const take = (text: string) => {
      const parts = `${rest}${text}`.split("\n")
      rest = parts.pop() ?? ""
      for (const part of parts) lines.push({ text: part, at: (performance.now() - begun) / 1_000 })
      if (killAt?.test(text)) child.kill("SIGKILL")
    }
    child.stdout.setEncoding("utf8").on("data", take)
    child.stderr.setEncoding("utf8").on("data", take)
    child.on("close", (_, signal) => {
      if (signal !== null) lines.push({ text: "Killed", at: (performance.now() - begun) / 1_000 })
      resolve(lines)
    })
  })

const columns = 96
const lineHeight = 19
const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;")

const shortened = (text: string): string => {
  const line = text.replaceAll(home, "~").trimEnd()
  return line.length > columns ? `${line.slice(0, columns - 1)}…` : line
}

const colour = (text: string): string => {
  if (text.startsWith("$")) return "#fff"
  if (/^Killed|failed/.test(text)) return "#ff8f87"
  return /^✓|done|merged|landed|completed/.test(text) ? "#8fd694" : "#c9d1d9"
}

/** Lines appear one after another, as fast as they were printed; with reduced motion, all are shown. */
const svg = (lines: ReadonlyArray<Line>): string => {
  const height = 62 + lines.length * lineHeight
  const body = lines.map(({ at, text }, i) => {
    const line = shortened(text)
    return `<text xml:space="preserve" x="20" y="${58 + i * lineHeight}" fill="${colour(line)}"${line.startsWith("$") ? ' font-weight="bold"' : ""} style="animation-delay:${at.toFixed(2)}s">${escaped(line)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="820" height="${height}" viewBox="0 0 820 ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="13" role="img" aria-label="charlotte run, killed and resumed">
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

try {
  mkdirSync(home)
  cpSync(join(example, "project"), repository, { recursive: true })
  sh(`git config --global user.name "Ada Lovelace" && git config --global user.email ada@example.com
    git config --global init.defaultBranch main
    cp .env.example .env && git init --quiet && cp -r ${join(example, "tasks")} tasks && git add . && git commit --quiet -m tasks`)

  const scenes: ReadonlyArray<readonly [prompt: string, words: ReadonlyArray<string>, killAt?: RegExp]> = [
    [
      "$ charlotte run tasks &\n$ kill -9 %1   # while the second task is worked on",
      ["run", "tasks"],
      /gate: .*whisper/
    ],
    ["$ charlotte resume latest", ["resume", "latest"]]
  ]
  const lines: Array<Line> = []
  let at = 0.5
  for (const [prompt, words, killAt] of scenes) {
    const [command = "", kill] = prompt.split("\n")
    lines.push({ text: command, at })
    const before = new Set(lines.map(({ text }) => text))
    const printed = await charlotte(words, killAt)
    const isShown = ({ text }: Line) => text !== "Killed" && !/^ {2}(diff|result) /.test(text)
    const isRepeated = ({ text }: Line) => text !== "" && before.has(text)
    if (printed.some(isRepeated)) lines.push({ text: "…", at: at + 0.5 })
    for (const line of printed.filter((line) => isShown(line) && !isRepeated(line)))
      lines.push({ text: line.text, at: at + 0.5 + line.at })
    at += 1 + (printed.at(-1)?.at ?? 0)
    if (kill !== undefined) {
      lines.push({ text: kill, at }, { text: "Killed", at: at + 0.3 }, { text: "", at: at + 0.3 })
      at += 1.5
    }
  }
  writeFileSync(join(root, "docs", "images", "run.svg"), svg(lines))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
