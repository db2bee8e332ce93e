import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import { AbsolutePath } from "../../src/git/RefNames.js"
import { branch, pathIn, scenario, serviceOf, subject, work, worktree } from "./Scenario.js"

scenario("a worktree holds the files of its commit, as git in it agrees", (world) =>
  Effect.gen(function* () {
    const tree = yield* worktree(world, "u")
    expect(readFileSync(`${tree.path}/dir/c.txt`, "utf8")).toBe("c\n")
    expect(yield* world.git(tree.path, "status", "--porcelain=v2", "--branch")).toBe(
      `# branch.oid ${world.main}\n# branch.head ${tree.branch}\n`
    )
    expect(yield* world.service.worktrees(world.repository)).toEqual([tree])
  })
)

scenario("a continued job makes its worktree again on its existing branch", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const done = yield* work(world, "u", { "done.txt": "done\n" })
    yield* service.removeWorktree(repository, pathIn(world, "u"))
    expect(yield* Effect.flip(worktree(world, "u"))).toMatchObject({ _tag: "BranchExists", branch: branch("u") })
    const tree = yield* service.addWorktree(repository, { path: pathIn(world, "u"), branch: branch("u") })
    expect(readFileSync(`${tree.path}/done.txt`, "utf8")).toBe("done\n")
    expect(yield* service.status(repository, tree)).toMatchObject({ commit: done, changed: [] })
  })
)

scenario("no worktree is made within a checkout or where something is, and nothing is left of the attempt", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const tree = yield* worktree(world, "u")
    yield* Effect.promise(() => symlink(top, `${world.root}/link`))
    const at = (path: string) => {
      const options = { path: AbsolutePath.make(path), branch: branch("v"), from: main }
      return Effect.map(Effect.flip(service.addWorktree(repository, options)), (error) => error._tag)
    }
    expect(yield* at(`${top}/v`)).toBe("PathTaken")
    expect(yield* at(`${world.root}/link/v`)).toBe("PathTaken")
    expect(yield* at(`${top}/.git/v`)).toBe("PathTaken")
    expect(yield* at(`${tree.path}/v`)).toBe("PathTaken")
    expect(yield* at(tree.path)).toBe("PathTaken")
    expect(yield* at(`${top}/a.txt`)).toBe("PathTaken")
    expect((yield* service.ownBranches(repository)).map((own) => own.branch)).toEqual([branch("u")])
  })
)

scenario("a worktree whose making fails halfway leaves nothing behind", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    const blob = (yield* world.git(top, "rev-parse", "main:a.txt")).trim()
    const file = `${top}/.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`
    yield* Effect.promise(() => rename(file, `${world.root}/object`))
    const error = yield* Effect.flip(worktree(world, "u"))
    yield* Effect.promise(() => rename(`${world.root}/object`, file))
    expect(error).toMatchObject({ _tag: "GitFailed", operation: "read-tree" })
    expect(existsSync(pathIn(world, "u"))).toBe(false)
    expect(yield* service.ownBranches(repository)).toEqual([])
    expect(yield* service.worktrees(repository)).toEqual([])
  })
)

scenario("what an agent leaves in a worktree does not keep it from being removed", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const again = (name: string, leave: (path: string) => Promise<unknown> | Effect.Effect<unknown>) =>
      Effect.gen(function* () {
        const tree = yield* worktree(world, name)
        const left = leave(tree.path)
        yield* Effect.isEffect(left) ? left : Effect.promise(() => left)
        yield* service.removeWorktree(repository, tree.path)
        expect(existsSync(tree.path), name).toBe(false)
        expect(yield* service.worktrees(repository), name).toEqual([])
        yield* service.removeWorktree(repository, tree.path)
      })
    yield* again("dirty", (path) => writeFile(`${path}/a.txt`, "dirty\n"))
    yield* again("closed", async (path) => {
      await mkdir(`${path}/cache/deep`, { recursive: true })
      await writeFile(`${path}/cache/deep/file`, "")
      await chmod(`${path}/cache/deep`, 0o555)
      await chmod(`${path}/cache`, 0o000)
    })
    yield* again("gone", (path) => rm(path, { recursive: true }))
    yield* again("unlinked", (path) => rm(`${path}/.git`))
    yield* again("locked", (path) => world.git(world.top, "worktree", "lock", path))
    yield* again("switched", (path) => world.git(path, "switch", "--quiet", "-c", "charlotte/else"))
    yield* again("nested", (path) => world.git(path, "init", "--quiet", "nested"))
    yield* Effect.promise(() => mkdir(`${world.root}/precious`))
    yield* Effect.promise(() => writeFile(`${world.root}/precious/file`, ""))
    yield* again("linked", (path) => symlink(`${world.root}/precious`, `${path}/link`))
    yield* again("replaced", async (path) => {
      await rm(path, { recursive: true })
      await symlink(`${world.root}/precious`, path)
    })
    expect(existsSync(`${world.root}/precious/file`)).toBe(true)
  })
)

scenario("only what was made here is removed", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    const refused = (path: string) =>
      Effect.map(Effect.flip(service.removeWorktree(repository, AbsolutePath.make(path))), (error) => error._tag)
    yield* world.git(top, "worktree", "add", "--quiet", `${world.root}/mine`, "-b", "mine")
    yield* world.git(top, "worktree", "add", "--quiet", "--no-checkout", `${world.root}/bare`, "-b", "bare")
    yield* world.write(`${world.root}/notes/todo.txt`, "")
    for (const path of [
      top,
      `${top}/.git`,
      world.root,
      "/",
      `${world.root}/mine`,
      `${world.root}/bare`,
      `${world.root}/notes`
    ])
      expect(yield* refused(path), path).toBe("WorktreeBroken")
    yield* Effect.promise(() => rm(`${world.root}/bare`, { recursive: true }))
    expect(yield* refused(`${world.root}/bare`)).toBe("WorktreeBroken")
    expect(existsSync(`${world.root}/mine/a.txt`)).toBe(true)
    yield* world.git(top, "worktree", "remove", "--force", `${world.root}/mine`)
    yield* world.git(top, "worktree", "prune")
    yield* world.git(top, "branch", "-D", "mine", "bare")
  })
)

scenario("a worktree that was tampered with is not worked in, and the user's checkout neither", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    const tampered = (
      name: string,
      tamper: (path: string, gitDir: string) => Promise<unknown> | Effect.Effect<unknown>
    ) =>
      Effect.gen(function* () {
        const tree = yield* worktree(world, name)
        yield* world.write(`${tree.path}/new.txt`, "new\n")
        const tampered = tamper(tree.path, tree.gitDir)
        yield* Effect.isEffect(tampered) ? tampered : Effect.promise(() => tampered)
        expect((yield* Effect.flip(service.commit(repository, tree, subject("x"))))._tag, name).toBe("WorktreeBroken")
        expect((yield* Effect.flip(service.status(repository, tree)))._tag, name).toBe("WorktreeBroken")
        expect(yield* service.resolve(repository, tree.branch)).toBe(world.main)
      })
    yield* tampered("deleted", (path) => rm(`${path}/.git`))
    yield* tampered("elsewhere", (path) => writeFile(`${path}/.git`, `gitdir: ${top}/.git\n`))
    yield* tampered("registered", (path, gitDir) => writeFile(`${path}/.git`, `gitdir: ${gitDir}\n`))
    yield* tampered("linked", async (path) => {
      await rm(`${path}/.git`)
      await symlink(`${top}/.git`, `${path}/.git`)
    })
    yield* tampered("initialised", (path) =>
      Effect.zipRight(
        Effect.promise(() => rm(`${path}/.git`)),
        world.git(path, "init", "--quiet")
      )
    )
    yield* tampered("moved", async (path) => {
      await rename(path, `${path}-moved`)
      await symlink(top, path)
    })
    yield* tampered("common", (_, gitDir) => writeFile(`${gitDir}/commondir`, `${world.root}/elsewhere\n`))
    yield* tampered("unmarked", (_, gitDir) => rm(`${gitDir}/charlotte`))
    yield* tampered("gone", (path) => rm(path, { recursive: true }))
  })
)

scenario("a worktree whose making a crash has cut off is found, to be removed with its branch", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    // One of the user's own on a branch of such a name is his, without the note that comes first.
    yield* world.git(top, "worktree", "add", "--quiet", "-b", "charlotte/his", pathIn(world, "his"), main)
    // Before its mark was made, before the mark had its text, and while git did not know the branch yet.
    for (const cutOff of [
      (gitDir: string) => rm(`${gitDir}/charlotte`),
      (gitDir: string) => writeFile(`${gitDir}/charlotte`, ""),
      (gitDir: string) =>
        rm(`${gitDir}/charlotte`).then(() => writeFile(`${gitDir}/HEAD`, "0000000000000000000000000000000000000000\n"))
    ]) {
      const tree = yield* worktree(world, "u")
      yield* Effect.promise(() => cutOff(tree.gitDir))
      expect(yield* service.worktrees(repository)).toEqual([tree])
      yield* service.removeWorktree(repository, tree.path)
      yield* service.deleteBranch(repository, tree.branch)
      expect(existsSync(tree.path)).toBe(false)
      expect(yield* service.worktrees(repository)).toEqual([])
    }
  })
)

scenario("a user's sparse checkout is not copied: a worktree has all files", (world) =>
  Effect.gen(function* () {
    const plain = yield* world.service.open(world.top)
    yield* world.git(world.root, "clone", "--quiet", world.top, "sparse")
    const top = `${world.root}/sparse`
    yield* world.git(top, "sparse-checkout", "set", "nothing")
    const repository = yield* world.service.open(top)
    expect(repository.identity).not.toBe(plain.identity)
    const path = pathIn(world, "u")
    const tree = yield* world.service.addWorktree(repository, { path, branch: branch("u"), from: world.main })
    expect(existsSync(`${path}/dir/c.txt`)).toBe(true)
    yield* world.git(path, "checkout", "--quiet", tree.branch)
    expect(yield* world.service.status(repository, tree)).toMatchObject({ commit: world.main, changed: [] })
  })
)

scenario("the branch of a worktree is found although git cannot list them while another one is removed", (world) =>
  Effect.gen(function* () {
    const { main, repository, root, service, top } = world
    yield* service.createBranch(repository, branch("v"), main)
    yield* world.git(top, "worktree", "add", "--quiet", `${root}/mine`, branch("v"))
    const executable = `${root}/bin/git`
    const failing = `#!/bin/sh
case "$*" in "worktree list"*) if rm '${root}/removing' 2>/dev/null; then
  echo "fatal: Invalid path '${repository.commonDir}/worktrees/gone': No such file or directory" >&2
  exit 128
fi;; esac
exec git "$@"
`
    yield* world.write(executable, failing, 0o755)
    yield* world.write(`${root}/removing`, "")
    const beside = yield* serviceOf(world, { executable })
    const error = yield* Effect.flip(beside.deleteBranch(repository, branch("v")))
    expect(error).toMatchObject({ _tag: "BranchCheckedOut", path: `${root}/mine` })
    expect(existsSync(`${root}/removing`)).toBe(false)
  })
)
