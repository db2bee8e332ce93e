/**
 * Makes the pictures of docs/page.md, in docs/images/page: it starts a daemon with jobs in every status, and captures each view of
 * the page in both themes, wide and 375 pixels narrow. Run it with `npx tsx scripts/screenshots.ts` after `npm run build`; it needs
 * Chromium.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { chromium, type Page } from "playwright-core"

const root = fileURLToPath(new URL("..", import.meta.url))
const images = join(root, "docs", "images", "page")
const directory = mkdtempSync(join(tmpdir(), "charlotte-pictures-"))
const home = join(directory, "home")

const env = {
  PATH: `${join(root, "node_modules", ".bin")}:${dirname(process.execPath)}:${process.env["PATH"]}`,
  HOME: home,
  TZ: "UTC",
  LC_ALL: "C.UTF-8"
}

const sh = (command: string, cwd: string): string =>
  execFileSync("bash", ["-ec", command], { cwd, env, encoding: "utf8" }).trim()

const charlotte = (words: string, cwd: string): string =>
  sh(`exec "${process.execPath}" "${root}dist/cli/bin.cjs" ${words}`, cwd)

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

interface Task {
  readonly title: string
  readonly script: string
  readonly gate?: string
}

/** Writes the files of a plan: units with their dependencies, and their tasks in sequence. */
const plan = (
  path: string,
  units: { readonly [name: string]: { readonly after?: ReadonlyArray<string>; readonly tasks: ReadonlyArray<Task> } },
  agent = "script"
): void => {
  write(join(path, "charlotte.yaml"), `agent: ${agent}\nattempts: 2\n`)
  for (const [name, { after = [], tasks }] of Object.entries(units)) {
    write(join(path, name, "IMPLEMENTATION_PLAN.md"), `---\ndepends_on: ${JSON.stringify(after)}\n---\n\n# ${name}\n`)
    tasks.forEach(({ gate = "true", script, title }, at) => {
      const depends = JSON.stringify(at === 0 ? [] : [at])
      const head = `---\ntask: ${at + 1}\nstatus: pending\nbackpressure: ${JSON.stringify(gate)}\ndepends_on: ${depends}\n---\n`
      write(join(path, name, `0${at + 1}-task.md`), `${head}\n# ${title}\n\n\`\`\`sh\n${script}\n\`\`\`\n`)
    })
  }
}

/** What an agent might print while it works. */
const chat = (text: string): string =>
  `printf '\\033[1m%s\\033[0m\\n\\033[32m  ✓\\033[0m read src\\n\\033[33m  !\\033[0m one test is slow\\n' '${text}'`

const code = (name: string): string => `${chat(`Working on ${name}`)}
mkdir -p src
cat > src/${name}.ts <<'END'
/** Waits longer after each failure. */
export const ${name} = (attempt: number): number => {
  const base = 100 * 2 ** attempt
  return Math.min(base, 30_000)
}
END
sed -i 's/one/two/' src/index.ts`

/** Replaces Claude Code: it has reached its usage limit for the next hour and a half. */
const claude = `
cat > /dev/null
printf '{"type":"result","subtype":"success","is_error":true,"result":"Claude AI usage limit reached|%s"}\\n' "$(($(date +%s) + 5400))"
exit 1
`

const wait = "while ! test -e ~/go; do sleep 0.2; done"

const repository = (name: string): string => {
  const path = join(home, "src", name)
  write(join(path, "src", "index.ts"), 'export const name = "one"\n\nexport const greet = () => `hello from ${name}`\n')
  plan(join(path, "tasks", "retries"), {
    client: {
      tasks: [
        { title: "Wait longer after each failure", script: code("backoff") },
        { title: "Retry what is safe", script: code("retry") }
      ]
    },
    server: {
      after: ["client"],
      tasks: [
        { title: "Answer with Retry-After", script: code("retryAfter") },
        { title: "Limit each client", script: `${code("limit")}\n${wait}` }
      ]
    },
    docs: { after: ["client"], tasks: [{ title: "Describe the limits", script: `${code("docs")}\n${wait}` }] },
    release: { after: ["server", "docs"], tasks: [{ title: "Write the changelog", script: code("changelog") }] }
  })
  plan(join(path, "tasks", "settings"), {
    settings: {
      tasks: [
        { title: "Read settings from a file", script: code("settings") },
        { title: "Check them", script: code("check") }
      ]
    },
    page: { after: ["settings"], tasks: [{ title: "Show them", script: code("page") }] }
  })
  plan(join(path, "tasks", "login"), {
    session: {
      tasks: [
        {
          title: "Keep sessions in the database",
          script: code("session"),
          gate: "echo '1 of 14 tests failed: a session ends' >&2; exit 1"
        }
      ]
    },
    page: { after: ["session"], tasks: [{ title: "Show a form", script: code("form") }] }
  })
  plan(join(path, "tasks", "search"), { index: { tasks: [{ title: "Index what is written", script: ":" }] } }, "claude")
  sh("git init -q -b main && git add -A && git commit -qm first", path)
  return path
}

/** Screenshots are as large as they are shown: more pixels would make the repository large. */
const sizes = { wide: { width: 1280, height: 800 }, narrow: { width: 375, height: 720 } }

const shoot = async (page: Page, name: string): Promise<void> => {
  await page.waitForLoadState("networkidle", { timeout: 1_000 }).catch(() => {})
  await sleep(1_200)
  await page.screenshot({ path: join(images, `${name}.png`), animations: "disabled" })
}

interface Shown {
  readonly done: string
  readonly running: string
}

/** Several repositories, since no two jobs work on one branch at a time. */
type Repositories = readonly [string, string, string, string]

/** Starts jobs in every status; some wait for the file `go`. */
const startJobs = async ([first, second, third, fourth]: Repositories): Promise<Shown> => {
  const start = (words: string, cwd: string): string => charlotte(`start ${words}`, cwd).split(/\s+/).at(-1) ?? ""
  const done = start("tasks/settings --label team=web", first)
  charlotte(`watch ${done}`, first)
  start("tasks/login --label team=web", second)
  const running = start("tasks/retries --label team=core", third)
  start("tasks/retries --label team=web", first)
  start("tasks/settings --delay 2h --label team=core", second)
  start("tasks/search --label team=web", fourth)
  for (const status of ["failed", "parked"]) while (!charlotte("jobs --all", first).includes(status)) await sleep(500)
  // By then, the others are waiting.
  await sleep(5_000)
  return { done, running }
}

const shootAll = async (opening: () => string, { done, running }: Shown): Promise<void> => {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
  })
  const views = {
    jobs: "/jobs",
    job: `/jobs/${running}`,
    diff: `/jobs/${done}/diff`,
    system: "/system"
  }
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const [size, viewport] of Object.entries(sizes)) {
        const context = await browser.newContext({ colorScheme, viewport, timezoneId: "UTC" })
        const page = await context.newPage()
        await page.goto(opening())
        await page.getByText("live").waitFor()
        for (const [view, path] of Object.entries(views)) {
          await page.goto(new URL(path, page.url()).href)
          await shoot(page, `${view}-${size}-${colorScheme}`)
        }
        await context.close()
      }
    }
  } finally {
    await browser.close()
  }
}

write(join(home, ".gitconfig"), "[user]\n\tname = Ada\n\temail = ada@example.com\n")
write(join(home, "claude.sh"), claude)
const repositories = [repository("greeter"), repository("atlas"), repository("billing"), repository("notes")] as const
const [first] = repositories
write(
  join(home, ".charlotte", "config.yaml"),
  `agents:
  claude: { command: [sh, ${join(home, "claude.sh")}] }
schedules:
  - { name: nightly, cron: "0 2 * * *", timeZone: Europe/Berlin, repository: ${first}, tasks: tasks/settings }
  - { name: weekly, cron: "30 6 * * 1", timeZone: Europe/Berlin, repository: ${first}, tasks: tasks/login }
`
)
charlotte("daemon start", first)
try {
  rmSync(images, { recursive: true, force: true })
  mkdirSync(images, { recursive: true })
  await shootAll(
    () =>
      charlotte("open --print", first)
        .split(/\s+/)
        .find((word) => word.startsWith("http")) ?? "",
    await startJobs(repositories)
  )
} finally {
  write(join(home, "go"), "")
  charlotte("daemon stop", first)
  rmSync(directory, { recursive: true, force: true })
}
