/** Files that stand as an application would, with Charlotte and Effect to import. */
import { Effect, type Scope } from "effect"
import { execFile } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import manifest from "../../package.json" with { type: "json" }
import * as TemporaryDirectory from "./TemporaryDirectory.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The native compiler. The one named `typescript` is for tools that need its API. */
export const compiler = `${root}node_modules/@typescript/native/bin/tsc`

/** Gives the directory. */
export const make = (files: Readonly<Record<string, string>>): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(TemporaryDirectory.make, (directory) => {
    symlinkSync(`${root}node_modules`, `${directory}/node_modules`)
    writeFileSync(`${directory}/package.json`, JSON.stringify({ type: "module" }))
    writeFileSync(
      `${directory}/tsconfig.json`,
      JSON.stringify({
        extends: `${root}tsconfig.json`,
        compilerOptions: {
          noUnusedLocals: false,
          incremental: false,
          tsBuildInfoFile: null,
          typeRoots: [`${root}node_modules/@types`]
        },
        include: ["*.ts"]
      })
    )
    for (const [name, code] of Object.entries(files)) writeFileSync(`${directory}/${name}`, code)
    return directory
  })

/** The package as npm installs it, except that its exports are the sources. */
const install = (directory: string): void => {
  const modules = `${directory}/node_modules`
  mkdirSync(`${modules}/charlotte`, { recursive: true })
  for (const name of readdirSync(`${root}node_modules`)) {
    if (!name.startsWith(".")) symlinkSync(`${root}node_modules/${name}`, `${modules}/${name}`)
  }
  const exports = JSON.stringify(manifest.exports)
    .replaceAll("./dist/", "./src/")
    .replace(/(\.d)?\.[jt]s"/g, '.ts"')
  cpSync(`${root}src`, `${modules}/charlotte/src`, { recursive: true })
  const { name, type, version } = manifest
  writeFileSync(
    `${modules}/charlotte/package.json`,
    JSON.stringify({ name, version, type, exports: JSON.parse(exports) })
  )
}

/**
 * Compiles files as an application that has installed the package, emits declarations, and checks those of its libraries. Types are
 * named by the exports of the package there, and not by paths of the sources. The compiler is TypeScript 5.9, whose rules about names in
 * declarations applications have to satisfy.
 */
export const compile = (files: Readonly<Record<string, string>>): Effect.Effect<Ended, never, Scope.Scope> =>
  Effect.flatMap(TemporaryDirectory.make, (directory) => {
    install(directory)
    writeFileSync(`${directory}/package.json`, JSON.stringify({ name: "application", type: "module" }))
    for (const [name, code] of Object.entries(files)) writeFileSync(`${directory}/${name}`, code)
    const flags =
      "--strict --exactOptionalPropertyTypes --skipLibCheck false --target es2022 --lib es2023,dom,dom.iterable --types node " +
      "--module nodenext --declaration --emitDeclarationOnly --outDir types"
    return node(directory, `${root}node_modules/typescript/bin/tsc`, ...flags.split(" "), ...Object.keys(files))
  })

export interface Ended {
  readonly code: number
  readonly output: string
}

/** Runs Node in such a directory. */
export const node = (directory: string, ...args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.async((resume) => {
    const env = { ...process.env, TSX_TSCONFIG_PATH: `${directory}/tsconfig.json`, NO_COLOR: "1" }
    execFile(process.execPath, args, { cwd: directory, env }, (error, stdout, stderr) =>
      resume(Effect.succeed({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }))
    )
  })
