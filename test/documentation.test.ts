/** What the documents show is code, so it is compiled and run. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { vi } from "vitest"
import * as TemporaryDirectory from "./support/TemporaryDirectory.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, "utf8")

const fences = [...read("README.md").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code)

const docExamples = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => [...read(`src/${file}`).matchAll(/\* @example\n(.*?)\*\//gs)])
  .map(([, code = ""]) => code.replace(/^ *\* ?/gm, ""))

const node = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.async<string>((resume) => {
    const env = { ...process.env, TSX_TSCONFIG_PATH: `${cwd}/tsconfig.json` }
    execFile(process.execPath, args, { cwd, env }, (error, stdout, stderr) =>
      resume(Effect.succeed(error === null ? "" : `${error.message}\n${stdout}${stderr}`))
    )
  })

/** Files that stand as an application would, with Charlotte and Effect to import. */
const application = (files: Record<string, string>) =>
  Effect.map(TemporaryDirectory.make, (directory) => {
    symlinkSync(`${root}node_modules`, `${directory}/node_modules`)
    writeFileSync(`${directory}/package.json`, JSON.stringify({ type: "module" }))
    writeFileSync(
      `${directory}/tsconfig.json`,
      JSON.stringify({
        extends: `${root}tsconfig.json`,
        compilerOptions: { noUnusedLocals: false, typeRoots: [`${root}node_modules/@types`] },
        include: ["*.ts"]
      })
    )
    for (const [name, code] of Object.entries(files)) writeFileSync(`${directory}/${name}`, code)
    return directory
  })

const require = createRequire(import.meta.url)

/** The compiler looks at all of Effect, which takes long on a machine that is busy. */
vi.setConfig({ testTimeout: 120_000 })

describe("the README", () => {
  it("shows the examples, to the letter", () => {
    for (const name of ["embed", "server", "client"]) expect(fences).toContain(read(`examples/${name}.ts`))
  })

  it.scopedLive("shows nothing that does not compile", () =>
    Effect.gen(function* () {
      expect(fences.length).toBeGreaterThan(1)
      const directory = yield* application(Object.fromEntries(fences.map((code, i) => [`fence${i}.ts`, code])))
      expect(yield* node(directory, require.resolve("typescript/bin/tsc"), "-p", directory)).toBe("")
    })
  )
})

describe("the examples in doc comments", () => {
  it.scopedLive("compile and run", () =>
    Effect.gen(function* () {
      expect(docExamples.length).toBeGreaterThan(5)
      const directory = yield* application({
        ...Object.fromEntries(
          docExamples.map((code, i) => [`example${i}.ts`, `import assert from "node:assert/strict"\n${code}`])
        ),
        "all.ts": docExamples.map((_, i) => `import "./example${i}.js"`).join("\n")
      })
      expect(yield* node(directory, require.resolve("typescript/bin/tsc"), "-p", directory)).toBe("")
      expect(yield* node(directory, "--import", "tsx", "all.ts")).toBe("")
    })
  )
})
