import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdir, symlink } from "node:fs/promises"
import { BranchName } from "../../src/git/RefNames.js"
import { plain, sandbox, type Sandbox } from "../support/Repository.js"
import { mainBranch, serviceOf } from "./Scenario.js"

/** The kinds of what is in the way, after something was done to a repository. */
const after = (
  name: string,
  prepare: (world: Sandbox, top: string) => Effect.Effect<unknown>,
  expected: ReadonlyArray<readonly [string, RegExp]>,
  target?: BranchName
) =>
  it.scopedLive(name, () =>
    Effect.gen(function* () {
      const world = yield* sandbox
      const top = yield* plain(world)
      yield* prepare(world, top)
      const service = yield* serviceOf(world)
      const found = yield* service.problems(yield* service.open(top), target)
      expect(found.map(({ kind }) => kind)).toEqual(expected.map(([kind]) => kind))
      for (const [i, [, words]] of expected.entries()) expect(found[i]?.message).toMatch(words)
    })
  )

after("a repository in order has no problem", () => Effect.void, [], mainBranch)

after("a detached HEAD has no branch to work for", (world, top) => world.git(top, "checkout", "--quiet", "--detach"), [
  ["detached", /git switch/]
])

after(
  "a detached HEAD is no problem for a branch that was named",
  (world, top) => world.git(top, "checkout", "--quiet", "--detach"),
  [],
  mainBranch
)

after("a branch without a commit", (world, top) => world.git(top, "checkout", "--quiet", "--orphan", "new"), [
  ["unborn", /branch new has no commit yet.*git commit/]
])

after(
  "a branch that is not there, or is a tag",
  (world, top) => world.git(top, "tag", "v1"),
  [["missing", /no branch v1.*git branch/]],
  BranchName.make("v1")
)

after(
  "a branch that is another name for one",
  (world, top) => world.git(top, "symbolic-ref", "refs/heads/alias", "refs/heads/main"),
  [["symbolic", /another name for main/]],
  BranchName.make("alias")
)

after(
  "a rebase that was not ended",
  (world, top) =>
    Effect.gen(function* () {
      yield* world.git(top, "checkout", "--quiet", "-b", "side")
      yield* world.git(top, "commit", "--quiet", "--allow-empty", "-m", "two")
      yield* world.git(top, "-c", "sequence.editor=echo break >", "rebase", "--quiet", "-i", "main")
    }).pipe(Effect.asVoid),
  [["operation", /a rebase is in progress in .*finish it or abort it/]],
  mainBranch
)

after(
  "a merge that was not ended",
  (world, top) => world.write(`${top}/.git/MERGE_HEAD`, ""),
  [["operation", /a merge is in progress/]],
  mainBranch
)

after(
  "submodules",
  (world, top) =>
    Effect.gen(function* () {
      const other = yield* plain(world, "other")
      yield* world.git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, "sub")
      yield* world.git(top, "commit", "--quiet", "-m", "sub")
    }),
  [["submodules", /submodules are not supported \(sub\)/]]
)

after(
  "files that are kept by LFS",
  (world, top) =>
    Effect.gen(function* () {
      yield* world.write(`${top}/assets/.gitattributes`, "# big\n*.bin filter=lfs diff=lfs merge=lfs -text\n")
      yield* world.write(`${top}/assets/a.bin`, "big\n")
      yield* world.git(top, "add", ".")
      yield* world.git(top, "commit", "--quiet", "-m", "lfs")
    }),
  [["filter", /the content filter lfs is not supported/]]
)

after(
  "content filters, when they are configured",
  (world, top) =>
    Effect.gen(function* () {
      yield* world.write(
        `${top}/.gitattributes`,
        "*.x filter=known\n*.y filter=unknown\n# *.z filter=lfs\n*.none filter=lfs\n"
      )
      for (const file of ["a.x", "a.y", "a.z"]) yield* world.write(`${top}/${file}`, "a\n")
      yield* world.git(top, "add", ".")
      yield* world.git(top, "commit", "--quiet", "-m", "filter")
      yield* world.git(top, "config", "filter.known.clean", "cat")
    }),
  [["filter", /the content filter known is not supported/]]
)

after("a branch that leaves no room", (world, top) => world.git(top, "branch", "charlotte"), [
  ["name", /git branch -m charlotte/]
])

it.scopedLive("all problems are reported together: a shallow clone without an identity, in the middle of a merge", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    const top = yield* plain(world)
    yield* world.git(top, "commit", "--quiet", "--allow-empty", "-m", "two")
    yield* world.git(world.root, "clone", "--quiet", "--depth=1", `file://${top}`, "shallow")
    yield* world.write(`${world.root}/shallow/.git/MERGE_HEAD`, "")
    yield* world.write(`${world.root}/home/.gitconfig`, "")
    const service = yield* serviceOf(world)
    const found = yield* service.problems(yield* service.open(`${world.root}/shallow`), mainBranch)
    expect(found.map(({ kind }) => kind)).toEqual(["identity", "shallow", "operation"])
    expect(found[0]?.message).toContain("git config --global user.name")
    expect(found[1]?.message).toContain("git fetch --unshallow")
  })
)

it.scopedLive("a partial clone", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    const top = yield* plain(world)
    yield* world.git(top, "config", "uploadpack.allowFilter", "true")
    yield* world.git(world.root, "clone", "--quiet", "--filter=blob:limit=1m", `file://${top}`, "partial")
    const service = yield* serviceOf(world)
    const found = yield* service.problems(yield* service.open(`${world.root}/partial`))
    expect(found.map(({ kind }) => kind)).toEqual(["partial"])
  })
)

it.scopedLive("a fresh repository without a commit can be opened, and says so", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    yield* Effect.promise(() => mkdir(`${world.root}/fresh`))
    yield* world.git(`${world.root}/fresh`, "init", "--quiet")
    const service = yield* serviceOf(world)
    const repository = yield* service.open(`${world.root}/fresh`)
    expect(yield* service.head(repository)).toEqual({ _tag: "Unborn", branch: "main" })
    expect((yield* service.problems(repository)).map(({ kind }) => kind)).toEqual(["unborn"])
  })
)

after(
  "a branch that is checked out twice",
  (world, top) => world.git(top, "worktree", "add", "--quiet", "--force", `${world.root}/again`, "main"),
  [["checkouts", /^the branch main is checked out in \S+ and \S+\/again; .* switch /]],
  mainBranch
)

it.scopedLive("a branch that is checked out twice is no problem for a job that does not land", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    const top = yield* plain(world)
    yield* world.git(top, "worktree", "add", "--quiet", "--force", `${world.root}/again`, "main")
    const service = yield* serviceOf(world)
    expect(yield* service.problems(yield* service.open(top), mainBranch, { lands: false })).toEqual([])
  })
)

it.scopedLive("worktrees that would lie inside the repository, there already or not", () =>
  Effect.gen(function* () {
    const world = yield* sandbox
    const top = yield* plain(world)
    yield* Effect.promise(() => symlink(top, `${world.root}/link`))
    const service = yield* serviceOf(world)
    const repository = yield* service.open(top)
    const find = (worktrees: string) => service.problems(repository, mainBranch, { worktrees })
    expect(yield* find(`${world.root}/home/worktrees`)).toEqual([])
    expect(yield* find(`${top}-2/worktrees`)).toEqual([])
    for (const inside of [`${top}/home/worktrees`, `${world.root}/link/home`, `${top}/.git/home`, top])
      expect(yield* find(inside)).toMatchObject([
        {
          kind: "worktrees",
          message: expect.stringMatching(/ lies inside .*; set CHARLOTTE_HOME to a directory outside/)
        }
      ])
  })
)
