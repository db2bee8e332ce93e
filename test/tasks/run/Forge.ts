/** A site with a repository, to which a bare one stands in, and a stand-in for `gh`. */
import { Effect } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import type { GitEnvironment } from "../../../src/git/GitEnvironment.js"
import type * as Repository from "../../support/Repository.js"

export const page = "https://github.com/acme/app"

/** A stand-in for `gh pr list` and `gh pr create`; with a step, a test can hold it before and after it opens a pull request. */
const gh = (root: string, step: string | undefined) => `#!/bin/sh
cd '${root}/forge'
step() { ${step === undefined ? ":" : `(WITNESS='${step.replace(/\/step$/, "")}' STEP="$1" . '${step}')`}; }
echo "$2" >> calls
if test -e broken; then echo "HTTP 502 from $2" >&2; exit 1; fi
case $2 in
list) if test -e opened; then tail -n 1 opened; fi ;;
create)
  step gh-create
  shift 2
  printf '%s\\n' "$@" > args
  echo '${page}/pull/7' >> opened
  step gh-created
  echo '${page}/pull/7' ;;
esac
`

/** The directories of a `PATH`, without a program that may be installed on this machine. */
const without = (root: string, path: string, name: string): string =>
  path
    .split(":")
    .map((directory, at) => {
      if (!existsSync(`${directory}/${name}`)) return directory
      const links = `${root}/bin-${at}`
      mkdirSync(links)
      for (const other of readdirSync(directory))
        if (other !== name) symlinkSync(`${directory}/${other}`, `${links}/${other}`)
      return links
    })
    .join(":")

/** Adds the remote to a repository. */
export const make = (
  world: Repository.Sandbox,
  top: string,
  { hasGh = true, step }: { readonly hasGh?: boolean; readonly step?: string } = {}
) =>
  Effect.gen(function* () {
    const { environment, root, write } = world
    const remote = `${root}/remote.git`
    yield* world.git(root, "init", "--quiet", "--bare", remote)
    yield* world.git(root, "config", "--global", `url.${remote}.insteadOf`, `${page}.git`)
    yield* world.git(top, "remote", "add", "origin", `${page}.git`)
    yield* write(`${root}/forge/calls`, "")
    if (hasGh) yield* write(`${root}/forge/bin/gh`, gh(root, step), 0o755)
    const path = `${root}/forge/bin:${without(root, environment.variables["PATH"] ?? "", "gh")}`
    const read = (name: string) =>
      Effect.sync(() => (existsSync(`${root}/forge/${name}`) ? readFileSync(`${root}/forge/${name}`, "utf8") : ""))
    return {
      remote,
      /** The environment of a manager that finds the stand-in. */
      proposing: (environment: GitEnvironment): GitEnvironment => ({
        ...environment,
        variables: { ...environment.variables, PATH: path }
      }),
      calls: Effect.map(read("calls"), (text) => text.split("\n").filter((line) => line !== "")),
      args: Effect.map(read("args"), (text) => text.split("\n")),
      /** How many pull requests were opened. */
      opened: Effect.map(read("opened"), (text) => text.split("\n").length - 1),
      /** The branches of the remote. */
      pushed: Effect.map(world.git(remote, "for-each-ref", "--format=%(refname:short)"), (names) =>
        names.split("\n").filter((name) => name !== "")
      )
    }
  })
