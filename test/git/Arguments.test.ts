import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { busy, sandbox } from "../support/Repository.js"
import { AbsolutePath, BranchName, RepoPath } from "../../src/git/RefNames.js"
import { branch, enter, mainBranch, subject, work, worktree } from "./Scenario.js"

interface Call {
  readonly args: ReadonlyArray<string>
  readonly variables: Readonly<Record<string, string>>
}

/** A git that writes down how it was called, and then is git. */
const shim = (log: string, real: string) => `#!/bin/sh
f=${log}/$$
{ for a in "$@"; do printf '%s\\0' "$a"; done; } > $f.args
env -0 > $f.env
exec ${real} "$@"
`

const callsIn = (log: string): ReadonlyArray<Call> =>
  readdirSync(log)
    .filter((name) => name.endsWith(".args"))
    .map((name) => ({
      args: readFileSync(`${log}/${name}`, "utf8").split("\0").slice(0, -1),
      variables: Object.fromEntries(
        readFileSync(`${log}/${name.replace(/args$/, "env")}`, "utf8")
          .split("\0")
          .filter((line) => line !== "")
          .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
      )
    }))

/** Every operation there is, with data that would be options. */
const everything = Effect.gen(function* () {
  const box = yield* sandbox
  const top = yield* busy(box)
  const log = `${box.root}/log`
  yield* box.write(`${log}/.keep`, "")
  const real = execFileSync("which", ["git"]).toString().trim()
  yield* box.write(`${box.root}/bin/git`, shim(log, real), 0o755)
  const PATH = `${box.root}/bin:/usr/bin:/bin`
  const world = yield* enter(box, top, { variables: { ...box.environment.variables, PATH } })
  const { main, repository, service } = world
  const tree = yield* worktree(world, "u")
  yield* box.write(`${tree.path}/--upload-pack=x`, "x\n")
  const { commit: one } = yield* service.commit(repository, tree, {
    ...subject("--amend", 1),
    body: "--amend",
    since: main
  })
  const two = yield* work(world, "v", { "-rf": "x\n" })
  yield* service.status(repository, tree)
  yield* service.doneTasks(repository, { from: main, to: one })
  yield* service.merge(repository, { ours: one, theirs: two, subject: subject("--force") })
  yield* service.readFile(repository, one, RepoPath.make("--upload-pack=x"))
  yield* service.differing(repository, main, [RepoPath.make("-x"), RepoPath.make("a.txt")])
  yield* service.createBranch(repository, branch("w"), main)
  yield* service.advance(repository, branch("w"), { from: main, to: one })
  yield* service.advance(repository, mainBranch, { from: main, to: one })
  yield* service.problems(repository, mainBranch)
  yield* service.problems(repository)
  yield* Effect.flip(service.resolve(repository, BranchName.make("none")))
  yield* service.ownBranches(repository)
  yield* service.worktrees(repository)
  yield* service.removeWorktree(repository, tree.path)
  yield* service.deleteBranch(repository, tree.branch)
  yield* Effect.flip(service.removeWorktree(repository, AbsolutePath.make(`${top}/dir`)))
  return { calls: callsIn(log), root: box.root }
})

it.scopedLive("no datum comes before --end-of-options, but for the ids of parents", () =>
  Effect.gen(function* () {
    const { calls, root } = yield* everything
    const commands = new Set(calls.map(({ args }) => args[0]))
    expect([...commands].toSorted()).toEqual(
      expect.arrayContaining([
        "cat-file",
        "commit-tree",
        "log",
        "ls-tree",
        "merge",
        "merge-base",
        "merge-tree",
        "read-tree",
        "update-ref",
        "worktree"
      ])
    )
    for (const { args } of calls) {
      const end = args.indexOf("--end-of-options")
      const before = end < 0 ? args : args.slice(0, end)
      const parents = before.flatMap((arg, i) => (arg === "-p" ? [i + 1] : []))
      for (const [i, arg] of before.entries()) {
        if (parents.includes(i)) expect(arg).toMatch(/^[0-9a-f]{40}$/)
        else expect(arg, args.join(" ")).not.toMatch(/[0-9a-f]{40}|charlotte\/|refs\/|main|upload-pack|amend/)
        expect(arg).not.toContain(root)
      }
      // What comes after it is a full ref, the id of an object, a path from the root, or one of our own branches.
      for (const arg of end < 0 ? [] : args.slice(end + 1))
        expect(arg).toMatch(/^(refs\/.*|\^?[0-9a-f]{40}|\/.*|charlotte\/.*|blob|--upload-pack=x|\.gitattributes)$/)
    }
  })
)

it.scopedLive("git gets an environment of its own: no foreign variable, and every switch that keeps it quiet", () =>
  Effect.gen(function* () {
    const { calls } = yield* everything
    const known =
      /^GIT_(DIR|COMMON_DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|CONFIG_COUNT|CONFIG_(KEY|VALUE)_\d+|CONFIG_GLOBAL|CONFIG_NOSYSTEM|TERMINAL_PROMPT|ASKPASS|EDITOR|SEQUENCE_EDITOR|PAGER|OPTIONAL_LOCKS|PROGRESS_DELAY|LITERAL_PATHSPECS|NO_REPLACE_OBJECTS|NO_LAZY_FETCH|ALLOW_PROTOCOL|(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE))$/
    for (const { args, variables } of calls) {
      const names = Object.keys(variables)
      for (const name of names.filter(
        (name) => name.startsWith("GIT_") && name !== "GIT_EXEC_PATH" && name !== "GIT_PREFIX"
      ))
        expect(name).toMatch(known)
      expect(names.filter((name) => name.startsWith("CHARLOTTE_") || /TOKEN|SECRET/.test(name))).toEqual([])
      expect(variables).toMatchObject({ LC_ALL: "C", GIT_TERMINAL_PROMPT: "0" })
      const configured = Object.fromEntries(
        Array.from({ length: Number(variables["GIT_CONFIG_COUNT"]) }, (_, i) => [
          variables[`GIT_CONFIG_KEY_${i}`],
          variables[`GIT_CONFIG_VALUE_${i}`]
        ])
      )
      expect(configured).toMatchObject({
        "core.hooksPath": "/dev/null",
        "core.fsmonitor": "false",
        "commit.gpgSign": "false"
      })
      // The configuration of the machine is listed, and never obeyed.
      if (args[0] !== "config") expect(variables["GIT_CONFIG_NOSYSTEM"]).toBe("1")
      // Nor is the user's own, but when a repository is opened.
      if (!["version", "rev-parse", "var", "config"].includes(args[0] ?? ""))
        expect(variables["GIT_CONFIG_GLOBAL"]).toBe("")
    }
  })
)

it("what runs in the place of git's environment is read in one place, without variables of git's", async () => {
  const { GitEnvironmentRef } = await import("../../src/git/GitEnvironment.js")
  const environment = Effect.runSync(GitEnvironmentRef)
  expect(Object.keys(environment.variables).filter((name) => name.startsWith("GIT_"))).toEqual([])
  expect(environment.variables["PATH"]).toBe(process.env["PATH"])
})
