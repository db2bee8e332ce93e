import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { parseConfigFileTextToJson } from "typescript"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import manifest from "../package.json" with { type: "json" }
import node from "../tools/node/package.json" with { type: "json" }

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (path: string): Promise<string> => readFile(join(root, path), "utf8")

/** Of a range such as `^0.97.2` or `^3.22.2`: the same minor version, and at least that patch. */
const satisfies = (version: string, range: string): boolean => {
  const [least = [], found = []] = [range.slice(1), version].map((text) => text.split(".").map(Number))
  return least[0] === found[0] && least[1] === found[1] && (found[2] ?? -1) >= (least[2] ?? 0)
}

/** Another process loads all modules, which takes long on a machine that is busy. */
vi.setConfig({ testTimeout: 120_000 })

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "charlotte-package-"))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** The address of every script that a process has run when it has imported `specifier`, as V8 counts its coverage. */
const loadedBy = async (specifier: string): Promise<ReadonlyArray<string>> => {
  const coverage = await mkdtemp(join(directory, "coverage-"))
  await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", `await import(${JSON.stringify(specifier)})`],
    { cwd: root, env: { ...process.env, NODE_V8_COVERAGE: coverage } }
  )
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(join(coverage, name), "utf8")))
  return reports.flatMap((report) => {
    const { result }: { result: ReadonlyArray<{ url: string }> } = JSON.parse(report)
    return result.map(({ url }) => url)
  })
}

const heavy =
  /\/src\/(tasks|http|web|cli|daemon|telemetry)\/|\/@effect\/(platform-node|cli|opentelemetry|sql-pg|cluster)\/|\/node_modules\/pg[-/]|\/@effect\/platform\/.*Http|\/node_modules\/yaml\//

describe('import "charlotte"', () => {
  it("loads neither HTTP server, CLI, task code nor a client of PostgreSQL", async () => {
    const loaded = await loadedBy("charlotte")
    expect(loaded).toContainEqual(expect.stringMatching(/\/src\/index\.ts$/))
    expect(loaded).toContainEqual(expect.stringMatching(/\/src\/manager\/JobManager\.ts$/))
    expect(loaded.filter((url) => heavy.test(url))).toEqual([])
  })

  it("loads no exporter with the server either: the application has its own, or none", async () => {
    const loaded = await loadedBy("charlotte/http")
    expect(loaded).toContainEqual(expect.stringMatching(/\/src\/http\/server\/Server\.ts$/))
    expect(loaded.filter((url) => /\/src\/telemetry\/|opentelemetry/.test(url))).toEqual([])
  })

  it("would be seen to load task code, if it did", async () => {
    const loaded = await loadedBy("charlotte/tasks")
    expect(loaded).toContainEqual(expect.stringMatching(/\/src\/tasks\/index\.ts$/))
    expect(loaded).toContainEqual(expect.stringMatching(/\/node_modules\/yaml\//))
  })
})

describe("the package", () => {
  it("has the same modules for its users, for tests and for examples", async () => {
    const { config } = parseConfigFileTextToJson("tsconfig.json", await read("tsconfig.json"))
    const exported = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
      typeof target === "string"
        ? []
        : [[`charlotte${subpath.slice(1)}`, [target.default.replace("./dist/", "./src/").replace(/js$/, "ts")]]]
    )
    expect(config.compilerOptions.paths).toEqual(Object.fromEntries(exported))
  })

  it("has a front door that only names modules", async () => {
    const code = (await read("src/index.ts")).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
    const others = code.split("\n").filter((line) => !/^(export \* as (\w+) from "\.\/.*\/\2\.js")?$/.test(line))
    expect(others).toEqual([])
  })

  it("pins every dependency, and names no registry", async () => {
    const versions = Object.values({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...node.optionalDependencies
    })
    expect(versions.filter((version) => !/^(npm:typescript@)?\d+\.\d+\.\d+$/.test(version))).toEqual([
      "file:tools/node"
    ])
    expect(await read("package-lock.json")).not.toMatch(/"resolved"(?!: "tools\/node")|:\/\/registry\./)
  })

  it("brings a Node by one name only: npm 10 links a bin that several packages have to the first, even if it is not there", async () => {
    const lock = parseConfigFileTextToJson("package-lock.json", await read("package-lock.json")).config
    const withNode = Object.entries<{ bin?: Record<string, string> }>(lock.packages).filter(
      ([, { bin }]) => bin?.["node"]
    )
    expect(withNode.map(([path]) => path)).toEqual(["tools/node"])
    for (const name of Object.keys(node.optionalDependencies)) {
      expect(lock.packages[`node_modules/${name}`]).toMatchObject({ optional: true, integrity: expect.any(String) })
      expect(lock.packages[`node_modules/${name}`]).not.toHaveProperty("hasInstallScript")
      expect(await read("tools/node/bin/node")).toContain(` ${name}`)
    }
  })

  it("is tested with the Effect that its peers ask for, and with the one that docs/embedding.md installs", async () => {
    const pinned: Readonly<Record<string, string>> = manifest.devDependencies
    const [line = ""] = /^npm install .*$/m.exec(await read("docs/embedding.md")) ?? []
    const optional = Object.keys(manifest.peerDependenciesMeta)
    const peers = Object.keys(manifest.peerDependencies)
      .filter((name) => !optional.includes(name))
      .sort()
    const packages = [
      `../charlotte/charlotte-${manifest.version}.tgz`,
      ...peers.map((name) => `${name}@${pinned[name]}`)
    ]
    expect(line.split(" ").slice(2).sort()).toEqual(packages.sort())
    for (const [name, range] of Object.entries(manifest.peerDependencies)) {
      expect(range).toMatch(name === "pg" ? /^\^8\.\d+\.\d+$/ : /^\^(3\.22|0\.\d+)\.\d+$/)
      expect(satisfies(pinned[name] ?? "", range), name).toBe(true)
    }
  })

  it("excuses a line from a lint rule only with a reason", async () => {
    const directories = ["src", "test", "examples"]
    const names = await Promise.all(directories.map((name) => readdir(join(root, name), { recursive: true })))
    const files = names.flatMap((inside, i) => inside.map((name) => join(directories[i] ?? "", name)))
    for (const file of files.filter((name) => name.endsWith(".ts"))) {
      const excuses = (await read(file)).split("\n").filter((line) => /\/[/*] *(oxlint|eslint)-disable/.test(line))
      expect(
        excuses.filter((line) => !/-disable\S* [\w/, -]+ -- \S/.test(line)),
        file
      ).toEqual([])
    }
  })
})
