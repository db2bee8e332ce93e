/** Files that stand as an application would, with Charlotte and Effect to import. */
import { Effect, type Scope } from "effect"
import { execFile } from "node:child_process"
import { symlinkSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as TemporaryDirectory from "./TemporaryDirectory.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

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
