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

/** With the command that runs the tests of all packages of a workspace that has none of its own. */
const managers = [
  {
    name: "pnpm",
    lock: "pnpm-lock.yaml",
    locked: "pnpm install --frozen-lockfile",
    free: "pnpm install --no-lockfile",
    ofPackages: "pnpm --recursive test"
  },
  {
    name: "yarn",
    lock: "yarn.lock",
    locked: "yarn install --frozen-lockfile",
    free: "yarn install --no-lockfile",
    // Its own command fails where a package has no tests.
    ofPackages: "npm test --workspaces --if-present"
  },
  {
    name: "bun",
    lock: "bun.lock",
    locked: "bun install --frozen-lockfile",
    free: "bun install --no-save",
    ofPackages: "bun run --filter '*' test"
  },
  {
    name: "npm",
    lock: "package-lock.json",
    locked: "npm ci",
    free: "npm install --no-package-lock",
    ofPackages: "npm test --workspaces --if-present"
  }
] as const

const [, yarn, , npm] = managers

/** Yarn from its second version on. */
const modernYarn = {
  ...yarn,
  locked: "yarn install --immutable",
  free: "yarn install",
  ofPackages: "yarn workspaces foreach --all run test"
}

/** Where bun finds tests, as far as these are usual. */
const testDirectories = [".", "src", "test", "tests"]

const isBunTest = (name: string): boolean => /[._](?:test|spec)\.[cm]?[jt]sx?$/.test(name)

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
    const found =
      managers.find(({ lock: file }) => Option.contains(lock, file)) ??
      managers.find(({ name }) => packageManager?.startsWith(`${name}@`)) ??
      npm
    const isModern = (yield* files.has(".yarnrc.yml")) || /^yarn@(?![01]\.)/.test(packageManager ?? "")
    const { free, locked, name, ofPackages } = found === yarn && isModern ? modernYarn : found
    const needsInstall =
      Option.isSome(lock) || [dependencies, devDependencies, workspaces].some((of) => of !== undefined)
    const commands = judging
      .filter((script) => scripts?.[script] !== undefined && !isNoGate.test(scripts[script]))
      // `bun test` is not the script.
      .map((script) => (script === "test" && name !== "bun" ? `${name} test` : `${name} run ${script}`))
    if (name === "bun" && scripts?.["test"] === undefined) {
      const names = yield* Effect.forEach(testDirectories, files.list)
      if (names.flat().some(isBunTest)) commands.unshift("bun test")
    }
    const hasPackages = workspaces !== undefined || (yield* files.has("pnpm-workspace.yaml"))
    if (hasPackages && !commands.some((command) => command.endsWith("test"))) commands.unshift(ofPackages)
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
