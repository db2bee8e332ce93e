/**
 * Projects with a package.json: npm, pnpm, yarn and bun.
 */
import { Effect, Option, Schema } from "effect"
import type { Detect } from "./Tool.js"

const Manifest = Schema.parseJson(
  Schema.Struct({
    scripts: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { default: () => ({}) }),
    packageManager: Schema.optionalWith(Schema.String, { default: () => "" }),
    dependencies: Schema.optional(Schema.Object),
    devDependencies: Schema.optional(Schema.Object),
    workspaces: Schema.optional(Schema.Unknown)
  })
)

const managers = [
  {
    name: "pnpm",
    lock: "pnpm-lock.yaml",
    locked: "pnpm install --frozen-lockfile",
    free: "pnpm install --no-lockfile"
  },
  { name: "yarn", lock: "yarn.lock", locked: "yarn install --frozen-lockfile", free: "yarn install" },
  { name: "bun", lock: "bun.lock", locked: "bun install --frozen-lockfile", free: "bun install --no-save" },
  { name: "npm", lock: "package-lock.json", locked: "npm ci", free: "npm install --no-package-lock" }
] as const

const npm = managers[3]

/** The tests of all packages of a workspace that has none of its own. */
const ofPackages = {
  npm: "npm test --workspaces --if-present",
  pnpm: "pnpm --recursive test",
  yarn: "yarn workspaces run test",
  bun: "bun run --filter '*' test"
}

/** Scripts that judge the whole project, the best first. */
const judging = ["test", "check", "typecheck", "type-check", "lint", "build"]

/** What `npm init` writes, and what waits for changes for ever, are no gates. */
const isNoGate = /no test specified|--watch(?!=false)/

export const node: Detect = (files) =>
  Effect.gen(function* () {
    if (Option.isNone(yield* files.first(["package.json"]))) return Option.none()
    const manifest = Schema.decodeOption(Manifest)(yield* files.text("package.json"))
    const { dependencies, devDependencies, packageManager, scripts, workspaces } = Option.getOrElse(
      manifest,
      (): Partial<typeof Manifest.Type> => ({})
    )
    const lock = yield* files.first(managers.map(({ lock }) => lock))
    const manager =
      managers.find(({ lock: file }) => Option.contains(lock, file)) ??
      managers.find(({ name }) => packageManager?.startsWith(`${name}@`)) ??
      npm
    const { free, locked, name } = manager
    const needsInstall =
      Option.isSome(lock) || [dependencies, devDependencies, workspaces].some((of) => of !== undefined)
    const commands = judging
      .filter((script) => scripts?.[script] !== undefined && !isNoGate.test(scripts[script]))
      // `bun test` is not the script.
      .map((script) => (script === "test" && name !== "bun" ? `${name} test` : `${name} run ${script}`))
    const hasPackages = workspaces !== undefined || (yield* files.has("pnpm-workspace.yaml"))
    if (hasPackages && !commands.some((command) => command.endsWith("test"))) commands.unshift(ofPackages[name])
    return Option.some({
      name,
      ...(needsInstall && {
        setup: { run: Option.isSome(lock) ? locked : free, inputs: ["package.json", ...Option.toArray(lock)] }
      }),
      gates: commands.slice(0, 1),
      others: commands.slice(1),
      hasPackages,
      leavings: needsInstall ? ["node_modules"] : []
    })
  })
