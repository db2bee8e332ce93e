import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import type { GitError } from "../../src/git/GitError.js"
import { BranchName } from "../../src/git/RefNames.js"
import { busy, type Sandbox, sandbox, untouched } from "../support/Repository.js"
import { branch, enter, mainBranch, scenario, subject, work, worktree, type World } from "./Scenario.js"

/** A program that leaves a trace when it is run. */
const trap = (world: Sandbox, name: string) =>
  Effect.as(
    world.write(`${world.root}/traps/${name}`, `#!/bin/sh\ntouch ${world.root}/ran-${name}\nexit 1\n`, 0o755),
    `${world.root}/traps/${name}`
  )

const ran = (world: Sandbox) => readdirSync(world.root).filter((name) => name.startsWith("ran-"))

const hookNames = [
  "pre-commit",
  "prepare-commit-msg",
  "commit-msg",
  "post-commit",
  "pre-merge-commit",
  "post-merge",
  "post-checkout",
  "post-rewrite",
  "post-index-change",
  "reference-transaction",
  "pre-auto-gc",
  "fsmonitor-watchman"
]

const settings = [
  "core.fsmonitor",
  "core.pager",
  "core.editor",
  "core.askPass",
  "core.sshCommand",
  "core.alternateRefsCommand",
  "credential.helper",
  "sequence.editor",
  "gpg.program",
  "gpg.ssh.program",
  "diff.external",
  "filter.evil.clean",
  "filter.evil.smudge",
  "filter.evil.process",
  "merge.evil.driver",
  "diff.evil.command",
  "diff.evil.textconv",
  "trailer.charlotte-task.command",
  "trailer.charlotte-task.cmd",
  "uploadpack.packObjectsHook",
  "interactive.diffFilter"
]

const switches = [
  "commit.gpgSign",
  "tag.gpgSign",
  "log.showSignature",
  "merge.verifySignatures",
  "rebase.autoStash",
  "merge.autoStash"
]

const attributes = "* diff=evil\n"
const filtering = "* filter=evil merge=evil diff=evil\n"

/** All that a process in a worktree can think of, in the configuration at `file`. */
const plantIn = (world: Sandbox, top: string, file: string) =>
  Effect.gen(function* () {
    const set = (key: string, value: string) => world.git(top, "config", "--file", file, key, value)
    for (const key of settings) yield* set(key, yield* trap(world, key))
    for (const key of switches) yield* set(key, "true")
    for (const name of ["update-ref", "commit-tree", "merge-tree", "worktree", "add", "merge", "log"])
      yield* set(`alias.${name}`, `!${yield* trap(world, `alias-${name}`)}`)
  })

const plantHooks = (world: Sandbox, directory: string) =>
  Effect.gen(function* () {
    for (const name of hookNames)
      yield* world.write(`${directory}/${name}`, `#!/bin/sh\ntouch ${world.root}/ran-hook-${name}\n`, 0o755)
  })

/** A job's way through git, but for landing in a checkout. */
const everything = (world: World) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const one = yield* work(world, "one", { ".gitattributes": attributes, "a.txt": "ONE\ntwo\nthree\n" })
    const tree = yield* worktree(world, "two")
    yield* world.write(`${tree.path}/.gitattributes`, attributes)
    yield* world.write(`${tree.path}/a.txt`, "one\ntwo\nTHREE\n")
    expect((yield* service.status(repository, tree)).changed).toEqual([".gitattributes", "a.txt"])
    const { commit: two } = yield* service.commit(repository, tree, subject("two", 1))
    const merged = yield* service.merge(repository, { ours: one, theirs: two, subject: subject("Merge") })
    if (merged._tag !== "Merged") return expect(merged._tag).toBe("Merged")
    yield* service.doneTasks(repository, { from: main, to: merged.commit })
    const { files } = yield* service.diff(repository, { base: main, head: merged.commit })
    expect(files.map(({ additions, path }) => [path, additions])).toEqual([
      [".gitattributes", 1],
      ["a.txt", 2]
    ])
    yield* service.createBranch(repository, branch("result"), main)
    yield* service.advance(repository, branch("result"), { from: main, to: merged.commit })
    const again = yield* worktree(world, "again", merged.commit)
    yield* service.status(repository, again)
    yield* service.problems(repository, mainBranch)
    yield* service.removeWorktree(repository, again.path)
    return merged.commit
  })

it.scopedLive("the traps do spring when git is run without care", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    const top = yield* busy(world)
    yield* plantHooks(world, `${top}/.git/hooks`)
    yield* plantIn(world, top, `${top}/.git/config`)
    yield* world.git(top, "config", "commit.gpgSign", "false")
    yield* world.write(`${top}/.gitattributes`, filtering)
    yield* Effect.exit(world.git(top, "add", "."))
    yield* Effect.exit(world.git(top, "status"))
    yield* Effect.exit(world.git(top, "branch", "x"))
    expect(ran(world)).toEqual(
      expect.arrayContaining(["ran-core.fsmonitor", "ran-filter.evil.process", "ran-hook-reference-transaction"])
    )
  })
)

it.scopedLive(
  "planted hooks, programs, filters, drivers, aliases and includes do not run, even in a repository opened with them",
  () =>
    Effect.gen(function* () {
      const box = yield* sandbox
      const top = yield* busy(box)
      yield* plantHooks(box, `${top}/.git/hooks`)
      yield* plantHooks(box, `${box.root}/hooks`)
      yield* plantIn(box, top, `${top}/.git/config`)
      yield* plantIn(box, top, `${box.root}/included`)
      yield* plantIn(box, top, `${box.root}/home/.gitconfig`)
      yield* box.git(top, "config", "include.path", `${box.root}/included`)
      yield* box.git(top, "config", "core.hooksPath", `${box.root}/hooks`)
      yield* box.write(`${top}/.git/info/attributes`, attributes)
      yield* Effect.promise(() => rm(`${box.root}/ran-core.fsmonitor`, { force: true }))
      yield* untouched(
        box,
        top,
        Effect.gen(function* () {
          for (const name of ran(box)) yield* Effect.promise(() => rm(`${box.root}/${name}`))
          const world = yield* enter(box, top)
          const commit = yield* everything(world)
          expect(commit).toMatch(/^[0-9a-f]{40}$/)
          expect(ran(box)).toEqual([])
        })
      )
      yield* box.write(`${top}/.git/info/attributes`, filtering)
      yield* untouched(
        box,
        top,
        Effect.gen(function* () {
          for (const name of ran(box)) yield* Effect.promise(() => rm(`${box.root}/${name}`))
          const world = yield* enter(box, top)
          expect(yield* Effect.flip(worktree(world, "u"))).toMatchObject({ _tag: "ContentFiltered", filter: "evil" })
          expect(ran(box)).toEqual([])
        })
      )
    })
)

it.scopedLive("hooks, programs, aliases and includes do not run either when the work lands in a checkout", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const top = yield* busy(box)
    yield* plantHooks(box, `${top}/.git/hooks`)
    yield* plantIn(box, top, `${box.root}/included`)
    yield* box.git(top, "config", "include.path", `${box.root}/included`)
    const world = yield* enter(box, top)
    const done = yield* work(world, "u", { "new.txt": "new\n" })
    for (const name of ran(box)) yield* Effect.promise(() => rm(`${box.root}/${name}`))
    const landed = yield* world.service.advance(world.repository, mainBranch, { from: world.main, to: done })
    expect(landed).toEqual({ _tag: "Checkout", path: top })
    expect(ran(box)).toEqual([])
    expect(yield* box.git(top, "-c", "core.fsmonitor=false", "stash", "list")).toMatch(/^stash@\{0\}.*\n$/)
  })
)

/** Plants something in the user's repository while a job is on its way, and sees that each change is refused by its name. */
const detected = (name: string, plant: (world: World) => Effect.Effect<unknown>, changes: ReadonlyArray<string>) =>
  it.scopedLive(`${name}: detected, refused, never run`, () =>
    Effect.gen(function* () {
      const box = yield* sandbox
      const top = yield* busy(box)
      const world = yield* enter(box, top)
      const { main, repository, service } = world
      const tree = yield* worktree(world, "u")
      const { commit: done } = yield* service.commit(repository, tree, subject("before", 1))
      yield* plant(world)
      for (const trace of ran(box)) yield* Effect.promise(() => rm(`${box.root}/${trace}`))
      yield* untouched(
        box,
        top,
        Effect.gen(function* () {
          const refused: ReadonlyArray<Effect.Effect<unknown, GitError>> = [
            service.commit(repository, tree, subject("after", 2)),
            service.advance(repository, mainBranch, { from: main, to: done }),
            service.open(top, { fingerprint: repository.fingerprint })
          ]
          for (const change of refused) {
            const error = yield* Effect.flip(change)
            expect(error).toMatchObject({ _tag: "RepositoryChanged", path: top, changes })
          }
          // To clear up is still possible.
          yield* service.removeWorktree(repository, tree.path)
          expect(existsSync(tree.path)).toBe(false)
          expect(ran(box)).toEqual([])
        })
      )
    })
  )

const configured = (key: string) => (world: World) =>
  Effect.flatMap(trap(world, "program"), (program) => world.git(world.top, "config", key, program))

for (const name of ["info/attributes", "info/grafts", "objects/info/alternates", "shallow"])
  detected(
    name,
    (world) => world.write(`${world.top}/.git/${name}`, name === "info/attributes" ? "*.x -text\n" : `${world.main}\n`),
    [name]
  )
detected("a merge driver", configured("merge.evil.driver"), ["setting merge.evil.driver"])
detected("a program that shows files", configured("diff.evil.textconv"), ["setting diff.evil.textconv"])
detected("options for a branch", configured("branch.main.mergeOptions"), ["setting branch.main.mergeoptions"])
detected(
  "a filter with its attributes",
  (world) =>
    Effect.gen(function* () {
      yield* configured("filter.evil.clean")(world)
      yield* world.write(`${world.top}/.git/info/attributes`, filtering)
    }),
  ["info/attributes", "setting filter.evil.clean"]
)
detected(
  "an include",
  (world) =>
    Effect.gen(function* () {
      const file = `${world.root}/planted`
      yield* world.git(world.top, "config", "--file", file, "filter.evil.smudge", yield* trap(world, "program"))
      yield* world.git(world.top, "config", "include.path", file)
    }),
  ["setting filter.evil.smudge"]
)
detected(
  "configuration of a worktree",
  (world) =>
    Effect.gen(function* () {
      yield* world.git(world.top, "config", "extensions.worktreeConfig", "true")
      yield* world.git(world.top, "config", "--worktree", "filter.evil.clean", yield* trap(world, "program"))
    }),
  ["setting extensions.worktreeconfig", "setting filter.evil.clean"]
)

it.scopedLive("what git is kept from reading on every call is no change, and never run", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const top = yield* busy(box)
    const world = yield* enter(box, top)
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* plantHooks(world, `${top}/.git/hooks`)
    yield* plantHooks(world, `${box.root}/hooks`)
    for (const key of [
      "core.fsmonitor",
      "core.pager",
      "core.sshCommand",
      "gpg.program",
      "credential.helper",
      "alias.log"
    ])
      yield* configured(key)(world)
    yield* box.git(top, "config", "core.hooksPath", `${box.root}/hooks`)
    for (const key of switches) yield* box.git(top, "config", key, "true")
    for (const trace of ran(box)) yield* Effect.promise(() => rm(`${box.root}/${trace}`))
    const { commit: done } = yield* service.commit(repository, tree, subject("after", 1))
    yield* service.advance(repository, mainBranch, { from: main, to: done })
    yield* service.open(top, { fingerprint: repository.fingerprint })
    expect(ran(box)).toEqual([])
  })
)

it.scopedLive("what is planted from within a worktree stays there: it is neither run nor a change", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const top = yield* busy(box)
    yield* untouched(
      box,
      top,
      Effect.gen(function* () {
        const world = yield* enter(box, top)
        const { main, repository, service } = world
        const tree = yield* worktree(world, "u")
        const directory = (yield* box.git(tree.path, "rev-parse", "--absolute-git-dir")).trim()
        yield* plantHooks(world, `${directory}/hooks`)
        yield* plantIn(world, tree.path, `${directory}/config`)
        yield* plantIn(world, tree.path, `${box.root}/included`)
        yield* box.git(tree.path, "config", "include.path", `${box.root}/included`)
        yield* box.git(tree.path, "config", "core.worktree", `${box.root}/home`)
        yield* box.git(tree.path, "config", "core.hooksPath", `${directory}/hooks`)
        yield* box.write(`${tree.path}/a.txt`, "changed\n")
        yield* box.write(`${directory}/info/attributes`, filtering)
        for (const trace of ran(box)) yield* Effect.promise(() => rm(`${box.root}/${trace}`))
        expect((yield* service.status(repository, tree)).changed).toEqual(["a.txt"])
        const { commit: done } = yield* service.commit(repository, tree, subject("x", 1))
        const other = BranchName.make("other")
        yield* service.advance(repository, other, { from: main, to: done })
        yield* service.removeWorktree(repository, tree.path)
        expect(ran(box)).toEqual([])
        expect(yield* box.git(top, "show", "other:a.txt")).toBe("changed\n")
        yield* box.git(top, "branch", "--force", "other", main)
      })
    )
  })
)

scenario("no operation changes anything in a repository that was changed", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const done = yield* work(world, "u", { "new.txt": "new\n" })
    const refs = yield* world.git(top, "for-each-ref")
    yield* world.git(top, "config", "filter.evil.clean", "x")
    const refused: ReadonlyArray<Effect.Effect<unknown, GitError>> = [
      service.createBranch(repository, branch("v"), main),
      worktree(world, "w"),
      service.advance(repository, BranchName.make("other"), { from: main, to: done })
    ]
    for (const change of refused) {
      expect((yield* Effect.flip(change))._tag).toBe("RepositoryChanged")
    }
    yield* world.git(top, "config", "--unset", "filter.evil.clean")
    expect(yield* world.git(top, "for-each-ref")).toBe(refs)
    // Undone, it is no change.
    yield* service.createBranch(repository, branch("v"), main)
  })
)

scenario("a working tree that is said to be elsewhere is not followed", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const tree = yield* worktree(world, "u")
    const { commit: done } = yield* service.commit(repository, tree, subject("x"))
    yield* world.write(`${world.root}/precious/a.txt`, "precious\n")
    const config = readFileSync(`${top}/.git/config`, "utf8")
    yield* world.git(top, "config", "core.worktree", `${world.root}/precious`)
    const error = yield* Effect.flip(service.advance(repository, mainBranch, { from: main, to: done }))
    expect(error).toMatchObject({ _tag: "RepositoryChanged", changes: ["setting core.worktree"] })
    yield* service.removeWorktree(repository, tree.path)
    yield* world.write(`${top}/.git/config`, config)
    expect(readdirSync(`${world.root}/precious`)).toEqual(["a.txt"])
  })
)

scenario("what an include holds is part of what is compared", (world) =>
  Effect.gen(function* () {
    yield* world.write(`${world.root}/included`, "[core]\n\tattributesFile = x\n")
    const repository = yield* world.service.open(yield* copyOf(world))
    yield* world.write(`${world.root}/included`, '[core]\n\tattributesFile = y\n[filter "x"]\n\tclean = x\n')
    const error = yield* Effect.flip(world.service.createBranch(repository, branch("u"), world.main))
    expect(error).toMatchObject({
      _tag: "RepositoryChanged",
      changes: ["setting core.attributesfile", "setting filter.x.clean"]
    })
  })
)

/** A clone that includes a file. */
const copyOf = (world: World) =>
  Effect.gen(function* () {
    const top = `${world.root}/clone`
    yield* world.git(world.root, "clone", "--quiet", world.top, top)
    yield* world.git(top, "config", "include.path", `${world.root}/included`)
    return top
  })

it.scopedLive(
  "what people do to a repository all day is no change: remotes, upstreams, identities, aliases, hooks",
  () =>
    Effect.gen(function* () {
      const box = yield* sandbox
      const top = yield* busy(box)
      const { main, repository, service } = yield* enter(box, top)
      yield* box.git(top, "remote", "add", "origin", "https://example.com/x.git")
      yield* box.git(top, "config", "branch.main.remote", "origin")
      yield* box.git(top, "config", "branch.main.merge", "refs/heads/main")
      yield* box.git(top, "config", "branch.other.vscode-merge-base", "origin/main")
      yield* box.git(top, "branch", "--edit-description").pipe(Effect.exit)
      yield* box.write(`${top}/.git/hooks/another.sample`, "")
      for (const key of ["user.name", "pull.rebase", "alias.st", "maintenance.strategy", "remote.origin.prune"])
        yield* box.git(top, "config", key, "x")
      yield* box.write(`${box.root}/home/.gitconfig`, "[alias]\n\tx = status\n")
      yield* service.createBranch(repository, branch("u"), main)
    })
)

scenario("a repository within the worktree whose configuration is a trap is not looked into", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    const nested = `${tree.path}/nested`
    yield* world.git(tree.path, "init", "--quiet", "nested")
    yield* world.write(`${nested}/file`, "1\n")
    yield* world.git(nested, "add", ".")
    yield* world.git(nested, "commit", "--quiet", "-m", "x")
    yield* world.git(tree.path, "-c", "advice.addEmbeddedRepo=false", "add", "nested")
    yield* world.git(tree.path, "commit", "--quiet", "-m", "a submodule of sorts")
    yield* plantHooks(world, `${nested}/.git/hooks`)
    yield* plantIn(world, tree.path, `${nested}/.git/config`)
    yield* world.write(`${nested}/file`, "2\n")
    for (const name of ran(world)) yield* Effect.promise(() => rm(`${world.root}/${name}`))
    expect((yield* Effect.flip(service.commit(repository, tree, subject("x"))))._tag).toBe("NestedRepository")
    expect((yield* Effect.flip(service.status(repository, tree)))._tag).toBe("NestedRepository")
    expect(ran(world)).toEqual([])
  })
)
