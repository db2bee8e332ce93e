/**
 * The command that starts a guard process, without its arguments.
 */
import { Context } from "effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** The program in the package, in the bundled command, and as source, which needs the loader of this module. */
const files = ["program.js", "program.cjs", "program.ts"]

/** The program; tests of a program that does not start replace it. */
export class GuardProgram extends Context.Reference<GuardProgram>()("charlotte/GuardProgram", {
  defaultValue: (): readonly [file: string, ...args: ReadonlyArray<string>] => {
    const [file = ""] = files
      .map((name) => fileURLToPath(new URL(name, import.meta.url)))
      .filter((file) => existsSync(file))
    return file.endsWith(".ts") ? [process.execPath, ...process.execArgv, file] : [process.execPath, file]
  }
}) {}
