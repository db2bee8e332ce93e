/** The pages say what is there: their links, paths, commands and scripts exist, and no block of them goes unchecked. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import manifest from "../../package.json" with { type: "json" }
import { charlotte } from "../../src/cli/parser/commands.js"
import { parse } from "../../src/cli/parser/parse.js"
import * as Configuration from "../../src/daemon/config/Configuration.js"
import * as Home from "../../src/daemon/home/Home.js"
import { RunStatus, transitions } from "../../src/domain/RunStatus.js"
import * as Settings from "../../src/tasks/plan/Settings.js"
import * as TaskFile from "../../src/tasks/plan/TaskFile.js"
import * as UnitFile from "../../src/tasks/plan/UnitFile.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { type Block, blocks, blocksOf, pages, placeOf, read, root } from "./pages.js"

const at = (block: Block) => [placeOf(block), block] as const

const isFile = (path: string) => path !== "" && existsSync(join(root, path))

/** What is written in backquotes in the text of a page, outside of its blocks. */
const spans = pages.flatMap(({ file, prose }) =>
  [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => ({ file, span }))
)

describe("every fenced block in README, CONTRIBUTING and docs", () => {
  /** Each kind of block, with the test that checks it. */
  const checks: Readonly<Record<string, (block: Block) => boolean>> = {
    sh: ({ check }) => ["", "setup", "install", "npm", "cluster"].includes(check) || isFile(check),
    text: ({ check }) => ["", "help", "tree"].includes(check),
    json: ({ check }) => ["", "package.json", ".mcp.json"].includes(check),
    toml: ({ check }) => check === "codex",
    ts: ({ check }) => ["", "vitest", "fragment"].includes(check) || isFile(check),
    md: ({ check }) => /(\d+-[\w-]+|IMPLEMENTATION_PLAN)\.md$/.test(check),
    yaml: ({ check }) => check === "charlotte.rules.yml" || /(charlotte|config)\.yaml$/.test(check),
    mermaid: ({ check }) => check === "states",
    ini: ({ check }) => check === "charlotte.service"
  }

  it.each(blocks.map(at))("%s says how it is checked", (_, block) => {
    expect(checks[block.language]?.(block), `${block.language} ${block.check}`).toBe(true)
  })

  const samples = blocks.filter(({ check, language }) => ["text", "json"].includes(language) && check === "")

  it.each(samples.map(at))("%s follows what prints it", (_, block) => {
    const own = blocks.filter(({ page }) => page === block.page)
    const before = own.slice(0, own.indexOf(block)).findLast(({ language }) => ["sh", "ts"].includes(language))
    expect(before?.check).toBe("")
  })
})

describe("blocks that cannot run by themselves", () => {
  it.each(
    blocksOf("sh")
      .filter(({ check }) => isFile(check))
      .map(at)
  )("%s is run word for word by the file that it names", (_, { check, text }) => {
    for (const line of text.trim().split("\n")) expect(read(check)).toContain(line.replace(/\s+#.*/, ""))
  })

  it("are run by npm run check:installed: the steps of the installation, in a clone, and the line for applications", () => {
    const steps = (page: string) =>
      blocksOf("sh", "setup")
        .filter((block) => block.page === page)
        .flatMap(({ text }) => text.trim().split(/\n| && /))
    expect(steps("docs/tutorial.md")).toEqual(expect.arrayContaining(steps("README.md")))
    expect([...new Set(blocksOf("sh", "setup").map(({ page }) => page))]).toEqual(["README.md", "docs/tutorial.md"])
    expect(blocksOf("sh", "install").map(({ page }) => page)).toEqual(["docs/embedding.md"])
    for (const page of ["docs/tutorial.md", "docs/embedding.md"]) expect(read("test/installed/main.ts")).toContain(page)
  })

  it.each(blocksOf("text", "tree").map(at))("%s is a directory of tasks", (_, { text }) => {
    const files = [...text.matchAll(/[\w-]+\.\w+$/gm)].map(String)
    expect(
      files.filter((name) => !TaskFile.isName(name) && !/^(IMPLEMENTATION_PLAN\.md|charlotte\.yaml)$/.test(name))
    ).toEqual([])
  })

  it.each(blocksOf("json", "package.json").map(at))("%s is JSON", (_, { text }) => {
    expect(JSON.parse(text)).toEqual(expect.any(Object))
  })

  it.each([...blocksOf("json", ".mcp.json"), ...blocksOf("toml", "codex")].map(at))(
    "%s has an agent start a command line that is understood",
    (_, { language, text }) => {
      const { args, command } =
        language === "json"
          ? JSON.parse(text).mcpServers.charlotte
          : JSON.parse(`{${text.match(/^(command|args) = .*$/gm)?.map((line) => line.replace(/^(\w+) =/, '"$1":'))}}`)
      expect([command, args[0], Either.isRight(parse(charlotte, args).effect)]).toEqual(["charlotte", "mcp", true])
    }
  )

  it.each(blocksOf("sh", "npm").map(at))("%s runs scripts of package.json, and files that are there", (_, { text }) => {
    for (const line of text.trim().split("\n")) {
      const command = line.replace(/\s+#.*/, "")
      const [, script] = /^npm (?:run (?:-s )?)?([\w:]+)/.exec(command) ?? []
      const [, file = ""] = /^(?:npx vitest run )?([.\w/]+)$/.exec(command) ?? []
      expect(
        script === undefined
          ? isFile(file)
          : ["ci", "pack"].includes(script) || Object.keys(manifest.scripts).includes(script),
        command
      ).toBe(true)
    }
  })

  it.each(blocksOf("sh", "cluster").map(at))("%s has command lines that are understood", (_, { text }) => {
    for (const line of text.trim().split("\n")) {
      const [command, ...words] = line.replace(/\s+#.*/, "").split(/\s+/)
      expect([line, command, Either.isRight(parse(charlotte, words).effect)]).toEqual([line, "charlotte", true])
    }
  })

  it.each(
    blocksOf("ts")
      .filter(({ check }) => isFile(check))
      .map(at)
  )("%s shows an example to the letter", (_, { check, text }) => expect(text).toBe(read(check)))

  it.each([...blocksOf("md"), ...blocksOf("yaml")].filter(({ check }) => isFile(check)).map(at))(
    "%s shows a file of an example to the letter",
    (_, { check, text }) => expect(text).toBe(read(check))
  )

  it.each(blocksOf("md").map(at))("%s is a task or a plan", (_, { check, text }) => {
    const name = check.replace(/.*\//, "")
    const { problems } = TaskFile.isName(name) ? TaskFile.parse(name, text) : UnitFile.parse(name, "unit", text)
    expect(problems.map(String)).toEqual([])
  })

  it.each(
    blocksOf("yaml")
      .filter(({ check }) => check.endsWith("charlotte.yaml"))
      .map(at)
  )("%s is a charlotte.yaml", (_, { text }) =>
    expect(Settings.parse("charlotte.yaml", text).problems.map(String)).toEqual([])
  )

  it.scoped.each(blocksOf("yaml", "config.yaml").map(at))("%s is a config.yaml", ([, { text }]) =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.make
      writeFileSync(`${home}/config.yaml`, text)
      yield* Configuration.Configuration.pipe(
        Effect.provide(Configuration.layer.pipe(Layer.provide(Home.layerAt(home)), Layer.provide(NodeContext.layer)))
      )
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it("draw the state machine as it is", () => {
    const [drawn] = blocksOf("mermaid", "states")
    const arrows = [...(drawn?.text ?? "").matchAll(/^ *(\S+) --> (\S+?)(?::.*)?$/gm)].map(
      ([, from, to]) => `${from} ${to}`
    )
    const between = arrows.filter((arrow) => !arrow.includes("[*]"))
    expect([...new Set(between)].sort()).toEqual(
      RunStatus.literals.flatMap((from) => transitions[from].map((to) => `${from} ${to}`)).sort()
    )
  })

  it.each(blocksOf("ini").map(at))("%s starts a command that there is", (_, { text }) => {
    expect(text).toMatch(/^ExecStart="\/\S+" "\/\S+\/charlotte\/dist\/cli\/bin\.cjs" "daemon" "start" "--foreground"$/m)
  })
})

describe("the command in docs/operations.md that starts a node", () => {
  it("is understood, and has every option that a node needs beyond one machine", () => {
    const [, line = ""] = /^ {4}charlotte (daemon start (?:.*\\\n)*.*)$/m.exec(read("docs/operations.md")) ?? []
    const words = line.replaceAll("\\\n", " ").replaceAll("'", "").split(/\s+/)
    const { effect, node, valuesOf } = parse(charlotte, words)
    expect(Either.isRight(effect)).toBe(true)
    const parameters = "parameters" in node ? node.parameters : []
    const named = parameters.filter((parameter) => valuesOf(parameter).length > 0).map(({ name }) => name)
    // Without the last, a cluster of such nodes refuses every job in a directory.
    expect(named).toEqual([
      ...["listen", "tls-cert", "tls-key", "token-file"],
      ...["database", "advertise", "capacity", "shared-repositories"]
    ])
  })
})

describe("the pages", () => {
  it("name only files that are there", () => {
    const paths = spans.filter(({ span }) => /^(src|test|docs|examples|bench|scripts|\.ci)\/[\w.*/-]*$/.test(span))
    expect(paths.length).toBeGreaterThan(20)
    const missing = paths.filter(({ span }) => globSync(span.replace(/\/$/, ""), { cwd: root }).length === 0)
    expect(missing).toEqual([])
  })

  it("link only to pages and headings that are there", () => {
    const anchor = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-")
    const headings = Object.fromEntries(
      pages.map(({ file, prose }) => [file, [...prose.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) => anchor(text))])
    )
    const links = pages.flatMap(({ file, prose }) =>
      [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => ({ file, link }))
    )
    const broken = links.filter(({ file, link }) => {
      if (/^https?:/.test(link)) return false
      const [path = "", hash] = link.split("#")
      const target = path === "" ? file : normalize(join(dirname(file), path))
      return !isFile(target) || (hash !== undefined && !(headings[target]?.includes(hash) ?? false))
    })
    expect(broken).toEqual([])
  })

  it("show only pictures that are there, and leave none unused", () => {
    const shown = pages.flatMap(({ file, text }) =>
      [...text.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = ""]) => normalize(join(dirname(file), path)))
    )
    expect([...new Set(shown)].sort()).toEqual(
      readdirSync(join(root, "docs/images"), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.\w+$/.test(name))
        .map((name) => `docs/images/${name}`)
        .sort()
    )
  })

  it("name only npm scripts that there are", () => {
    const scripts = spans.flatMap(({ file, span }) =>
      [...span.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, script = ""]) => ({ file, script }))
    )
    expect(scripts.filter(({ script }) => !Object.keys(manifest.scripts).includes(script))).toEqual([])
  })

  it("name only environment variables that the sources read", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") || file.endsWith(".sh"))
      .map((file) => readFileSync(join(root, "src", file), "utf8"))
      .join("\n")
    const variables = spans.flatMap(({ span }) => [...span.matchAll(/\bCHARLOTTE_[A-Z_]+\b/g)].map(String))
    expect(variables.filter((name) => !sources.includes(name) && name !== "CHARLOTTE_TESTS")).toEqual([])
  })

  it("name only commands and options that there are", () => {
    const help = Object.fromEntries(
      [...read("docs/cli.md").matchAll(/^## `(charlotte[^`]*)`\n(.*?)(?=^## |(?![^]))/gms)].map(
        ([, name = "", text = ""]) => [name, text]
      )
    )
    const commands = Object.keys(help)
    expect(commands).toContain("charlotte run")
    const wrong = spans
      .filter(({ span }) => /^charlotte( [a-z-]|$)/.test(span) && span !== "charlotte")
      .flatMap(({ file, span }) => {
        const named = commands
          .filter((name) => `${span} `.startsWith(`${name} `) && name !== "charlotte")
          .sort((a, b) => b.length - a.length)[0]
        const text = named === undefined ? (help["charlotte"] ?? "") : (help[named] ?? "")
        const options = [...span.matchAll(/ (--?[a-z][\w-]*)/g)].map(([, option = ""]) => option)
        const isKnown = named !== undefined || span.startsWith("charlotte --")
        return isKnown && options.every((option) => new RegExp(`(^|\\s)${option}\\b`).test(`${text}\n--help`))
          ? []
          : [`${file}: ${span}`]
      })
    expect(wrong).toEqual([])
  })
})

describe("the README", () => {
  it("is a page of at most 150 lines with the two set-up commands", () => {
    const text = read("README.md")
    expect(text.split("\n").length - 1).toBeLessThanOrEqual(150)
    expect(text).toContain("npm ci && npm run demo")
    expect(text).toContain("npm ci && npm test")
  })
})
