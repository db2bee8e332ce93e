import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { BranchName, type ObjectId } from "../../src/git/RefNames.js"
import { busy, sandbox, snapshot, untouched } from "../support/Repository.js"
import { branch, enter, mainBranch, scenario, subject, work, worktree, type World } from "./Scenario.js"

const other = BranchName.make("other")

/** A commit that no branch of the user's holds. */
const advance = (world: World, name: BranchName, from: ObjectId, to: ObjectId) =>
  world.service.advance(world.repository, name, { from, to })

it.scopedLive("a branch that is checked out moves with its files, and the work in progress stays as it is", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const world = yield* enter(box, yield* busy(box))
    const { main, top } = world
    const done = yield* work(world, "u", { "a.txt": "changed\n", "new/file.txt": "new\n" })
    const before = yield* snapshot(world, top)
    expect(yield* advance(world, mainBranch, main, done)).toEqual({ _tag: "Checkout", path: top })
    const after = yield* snapshot(world, top)

    const { ["a.txt"]: a, ["new/file.txt"]: file, ...rest } = after.files
    const { ["a.txt"]: old, ...others } = before.files
    expect(rest).toEqual(others)
    expect([a === old, file === undefined]).toEqual([false, false])
    const isMain = (line: string) => line.startsWith("refs/heads/main ")
    expect(after.refs.filter((line) => !isMain(line))).toEqual(before.refs.filter((line) => !isMain(line)))
    expect({ ...after, files: 0, refs: 0, index: 0 }).toEqual({ ...before, files: 0, refs: 0, index: 0 })
    expect(yield* world.git(top, "status", "--porcelain")).toBe(" M b.txt\nA  staged.txt\n?? untracked.txt\n")
    expect(yield* world.git(top, "show", ":staged.txt")).toBe("staged\n")
    expect(yield* advance(world, mainBranch, main, done)).toEqual({ _tag: "Already" })
  })
)

scenario("uncommitted work that is in the way is named, and nothing is lost", (world) =>
  Effect.gen(function* () {
    const { main, top } = world
    const refused = (name: string, files: Readonly<Record<string, string>>) =>
      Effect.gen(function* () {
        const done = yield* work(world, name, files)
        const error = yield* Effect.flip(advance(world, mainBranch, main, done))
        expect(error).toMatchObject({ _tag: "CheckoutInTheWay", path: top, branch: "main", files: Object.keys(files) })
        expect(error.message).toContain("commit or move it away")
        expect(yield* world.service.resolve(world.repository, mainBranch)).toBe(main)
      })
    yield* refused("dirty", { "b.txt": "theirs\n" })
    yield* refused("staged", { "staged.txt": "theirs\n" })
    yield* refused("untracked", { "untracked.txt": "theirs\n" })
  })
)

scenario("a file that is only ignored is the user's too", (world) =>
  Effect.gen(function* () {
    const tree = yield* worktree(world, "u")
    yield* world.write(`${tree.path}/.gitignore`, "")
    yield* world.write(`${tree.path}/ignored.log`, "theirs\n")
    yield* world.service.commit(world.repository, tree, subject("x"))
    yield* world.write(`${tree.path}/.gitignore`, "*.log\n")
    const { commit: done } = yield* world.service.commit(world.repository, tree, subject("y"))
    const error = yield* Effect.flip(advance(world, mainBranch, world.main, done))
    expect(error).toMatchObject({ _tag: "CheckoutInTheWay", files: ["ignored.log"] })
    expect(readFileSync(`${world.top}/ignored.log`, "utf8")).toBe("ignored\n")
  })
)

it.scopedLive("a branch that is not checked out moves alone", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const world = yield* enter(box, yield* busy(box))
    const { main, top } = world
    const done = yield* work(world, "u", { "a.txt": "changed\n", "b.txt": "changed\n" })
    const before = yield* snapshot(world, top)
    expect(yield* advance(world, other, main, done)).toEqual({ _tag: "Reference" })
    const after = yield* snapshot(world, top)
    expect(after).toEqual({
      ...before,
      refs: before.refs.map((line) => (line.startsWith("refs/heads/other ") ? `refs/heads/other ${done}` : line))
    })
  })
)

it.scopedLive("a branch that is checked out in a linked worktree moves with the files there", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const world = yield* enter(box, yield* busy(box))
    const { main, top } = world
    const linked = `${world.root}/linked`
    yield* world.git(top, "worktree", "add", "--quiet", linked, "other")
    yield* world.write(`${linked}/note.txt`, "note\n")
    const done = yield* work(world, "u", { "a.txt": "changed\n" })
    const before = yield* snapshot(world, top)
    expect(yield* advance(world, other, main, done)).toEqual({ _tag: "Checkout", path: linked })
    expect(readFileSync(`${linked}/a.txt`, "utf8")).toBe("changed\n")
    expect(yield* world.git(linked, "status", "--porcelain")).toBe("?? note.txt\n")
    const after = yield* snapshot(world, top)
    expect({ ...after, refs: [] }).toEqual({ ...before, refs: [] })
  })
)

scenario("a branch that was moved meanwhile is not advanced, checked out or not", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const one = yield* work(world, "one", { "one.txt": "1\n" })
    const two = yield* work(world, "two", { "two.txt": "2\n" })
    const theirs = yield* work(world, "theirs", { "theirs.txt": "3\n" })
    yield* world.git(top, "update-ref", "refs/heads/charlotte/x", theirs)
    const x = (yield* service.ownBranches(repository)).find((own) => own.branch === "charlotte/x")?.branch
    if (x === undefined) return expect(x).toBeDefined()
    expect(yield* Effect.flip(advance(world, x, main, one))).toMatchObject({
      _tag: "BranchMoved",
      expected: main,
      actual: theirs
    })
    expect(yield* service.resolve(repository, x)).toBe(theirs)
    expect(yield* Effect.flip(advance(world, mainBranch, one, two))).toMatchObject({
      _tag: "BranchMoved",
      actual: main
    })
    expect(yield* Effect.flip(advance(world, x, theirs, two))).toMatchObject({ _tag: "NotFastForward" })
    expect((yield* Effect.flip(advance(world, BranchName.make("none"), one, two)))._tag).toBe("BranchMissing")
    // Of many who move it from the same commit, one does.
    yield* world.git(top, "update-ref", "refs/heads/charlotte/x", main)
    const results = yield* Effect.forEach([one, two, theirs], (to) => Effect.either(advance(world, x, main, to)), {
      concurrency: "unbounded"
    })
    expect(results.filter((result) => result._tag === "Right")).toHaveLength(1)
    for (const result of results) if (result._tag === "Left") expect(result.left._tag).toBe("BranchMoved")
  })
)

scenario("git itself refuses when the branch is moved between the look and the move", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const done = yield* work(world, "u", { "one.txt": "1\n" })
    const theirs = yield* work(world, "theirs", { "theirs.txt": "3\n" })
    yield* service.createBranch(repository, branch("x"), main)
    // A git that lets somebody else go first.
    const script = `#!/bin/sh
if [ "$1" = update-ref ]; then (unset GIT_DIR GIT_COMMON_DIR; cd ${top} && PATH=$REAL git update-ref refs/heads/${branch("x")} ${theirs}); fi
PATH=$REAL exec git "$@"
`
    yield* world.write(`${world.root}/bin/git`, script, 0o755)
    const { variables } = world.environment
    const raced = yield* enter(world, top, {
      variables: { ...variables, PATH: `${world.root}/bin:/usr/bin:/bin`, REAL: variables["PATH"] ?? "" }
    })
    const error = yield* Effect.flip(advance(raced, branch("x"), main, done))
    expect(error).toMatchObject({ _tag: "BranchMoved", expected: main, actual: theirs })
    expect(yield* service.resolve(repository, branch("x"))).toBe(theirs)
  })
)

scenario("nothing lands in the midst of a rebase, merge or bisection, or where a checkout is gone", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const done = yield* work(world, "u", { "new.txt": "new\n" })
    const linked = `${world.root}/linked`
    yield* world.git(top, "worktree", "add", "--quiet", "-b", "side", linked, "main")
    const side = BranchName.make("side")
    const refused = Effect.map(Effect.flip(advance(world, side, main, done)), (error) => error.message)
    yield* world.git(linked, "bisect", "start")
    expect(yield* refused).toContain(`a bisect is in progress in ${linked}`)
    yield* world.git(linked, "bisect", "reset")
    yield* world.git(linked, "commit", "--quiet", "--allow-empty", "-m", "x")
    yield* world.git(linked, "-c", "sequence.editor=echo break >", "rebase", "--quiet", "-i", "main")
    yield* world.git(top, "update-ref", "refs/heads/side", main)
    expect(yield* refused).toContain(`a rebase is in progress in ${linked}`)
    yield* world.git(linked, "rebase", "--quit")
    yield* world.git(linked, "checkout", "--quiet", "side")
    yield* Effect.promise(() => rm(linked, { recursive: true }))
    expect(yield* refused).toContain("its .git does not lead to")
    yield* world.git(top, "worktree", "prune")
    yield* world.git(top, "branch", "--quiet", "-D", "side")
    expect(existsSync(`${top}/new.txt`)).toBe(false)
    expect(yield* service.resolve(repository, mainBranch)).toBe(main)
  })
)

scenario("a branch that is checked out is not deleted", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    const error = yield* Effect.flip(service.deleteBranch(repository, tree.branch))
    expect(error).toMatchObject({ _tag: "BranchCheckedOut", path: tree.path })
    yield* service.removeWorktree(repository, tree.path)
    yield* service.deleteBranch(repository, tree.branch)
    yield* service.deleteBranch(repository, tree.branch)
  })
)

it.scopedLive("a checkout whose git directory is elsewhere is found where it is", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const origin = yield* busy(box)
    const top = `${box.root}/separate`
    yield* box.git(box.root, "clone", "--quiet", `--separate-git-dir=${box.root}/separate.git`, origin, top)
    const world = yield* enter(box, top)
    const done = yield* work(world, "u", { "new.txt": "new\n" })
    expect(yield* advance(world, mainBranch, world.main, done)).toEqual({ _tag: "Checkout", path: top })
    expect(yield* box.git(top, "status", "--porcelain")).toBe("")
    // Opened through another worktree, where the files of the main one are is not known: refused, not guessed.
    yield* box.git(top, "worktree", "add", "--quiet", "-b", "side", `${box.root}/side`)
    const side = yield* enter(box, `${box.root}/side`)
    const more = yield* work(side, "v", { "more.txt": "more\n" }, done)
    expect((yield* Effect.flip(advance(side, mainBranch, done, more)))._tag).toBe("WorktreeBroken")
    expect(yield* box.git(top, "status", "--porcelain")).toBe("")
  })
)

it.scopedLive("nothing is stashed on the way, even where the user's own merges would", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const top = yield* busy(box)
    yield* box.git(top, "config", "merge.autoStash", "true")
    const world = yield* enter(box, top)
    const done = yield* work(world, "u", { "b.txt": "theirs\n", "new.txt": "new\n" })
    yield* untouched(
      box,
      top,
      Effect.gen(function* () {
        const error = yield* Effect.flip(advance(world, mainBranch, world.main, done))
        expect(error).toMatchObject({ _tag: "CheckoutInTheWay", files: ["b.txt"] })
      })
    )
  })
)
