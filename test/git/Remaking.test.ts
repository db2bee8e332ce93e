import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { rename, rm, symlink, writeFile } from "node:fs/promises"
import type { Worktree } from "../../src/git/Worktrees.js"
import { branch, close, pathIn, scenario, subject, type World, worktree } from "./Scenario.js"

type Mischief = (tree: Worktree, world: World) => Promise<unknown> | Effect.Effect<unknown>

/** A worktree with a commit, and then what a process in it has done. */
const after = (world: World, mischief: Mischief) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* world.write(`${tree.path}/done.txt`, "done\n")
    const { commit } = yield* service.commit(repository, tree, subject("Done", 1))
    const doing = mischief(tree, world)
    yield* Effect.isEffect(doing) ? doing : Effect.promise(() => doing)
    const again = Effect.gen(function* () {
      yield* service.removeWorktree(repository, tree.path)
      yield* service.restore(repository, tree.branch, commit)
      return yield* service.addWorktree(repository, { path: tree.path, branch: tree.branch })
    })
    return { tree, commit, again }
  })

const madeAgain = (name: string, mischief: Mischief) =>
  scenario(`a worktree is made again after a process has ${name}`, (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      const { again, commit, tree } = yield* after(world, mischief)
      const fresh = yield* again
      expect(fresh).toMatchObject({ path: realpathSync(tree.path), branch: tree.branch })
      expect(yield* service.status(repository, fresh)).toMatchObject({ commit, changed: [] })
      expect(yield* world.git(fresh.path, "status", "--porcelain=v2", "--branch")).toBe(
        `# branch.oid ${commit}\n# branch.head ${fresh.branch}\n`
      )
      expect(readFileSync(`${fresh.path}/done.txt`, "utf8")).toBe("done\n")
      expect(yield* service.worktrees(repository)).toEqual([fresh])
      yield* service.commit(repository, fresh, { ...subject("More", 2), since: commit })
      yield* service.removeWorktree(repository, fresh.path)
      expect(existsSync(fresh.path)).toBe(false)
      expect(yield* service.worktrees(repository)).toEqual([])
    })
  )

const moved = (world: World) => `${world.root}/worktrees/moved`

madeAgain("deleted its .git", (tree) => rm(`${tree.path}/.git`))
madeAgain("made a repository of it", async (tree) => {
  await rm(`${tree.path}/.git`)
  execFileSync("git", ["init", "--quiet", tree.path])
})
madeAgain("closed all of it", async (tree) => close(tree.path))
madeAgain("switched to another branch", (tree, world) => world.git(tree.path, "switch", "--quiet", "-c", "charlotte/x"))
madeAgain("begun a rebase", (tree, world) =>
  Effect.exit(world.git(tree.path, "rebase", "--quiet", "--exec", "false", "HEAD~1"))
)
madeAgain("begun a merge", (tree, world) => world.write(`${tree.clone}/MERGE_HEAD`, `${world.main}\n`))
madeAgain("left locks", (tree, world) =>
  Effect.forEach([`${tree.clone}/index.lock`, `${tree.clone}/HEAD.lock`], (file) => world.write(file, ""))
)
madeAgain("left the lock of its branch", (tree, world) =>
  world.write(`${world.top}/.git/refs/heads/${tree.branch}.lock`, "")
)
madeAgain("locked it", (tree, world) => world.git(world.top, "worktree", "lock", tree.path))
madeAgain("moved it without git", (tree, world) => rename(tree.path, moved(world)))
/** What a user does who finds it. */
const removed = (tree: Worktree, world: World) =>
  Effect.zipRight(
    Effect.promise(() => rm(tree.path, { recursive: true })),
    world.git(world.top, "worktree", "prune")
  )
madeAgain("removed it", removed)
madeAgain("removed it, and gone on to write there", (tree, world) =>
  Effect.zipRight(removed(tree, world), world.write(`${tree.path}/late.txt`, ""))
)
madeAgain("removed it and added it", (tree, world) =>
  Effect.zipRight(removed(tree, world), world.git(world.top, "worktree", "add", "--quiet", tree.path, tree.branch))
)
madeAgain("deleted its clone", (tree) => rm(tree.clone, { recursive: true }))
madeAgain("deleted its git directory", (tree) => rm(tree.gitDir, { recursive: true }))
madeAgain("taken our mark from it", (tree) => rm(`${tree.gitDir}/charlotte`))
madeAgain("written rubbish into its git directory", async (tree) => {
  await writeFile(`${tree.clone}/HEAD`, "rubbish\n")
  await writeFile(`${tree.gitDir}/commondir`, "/nowhere\n")
  await writeFile(`${tree.clone}/index`, "rubbish\n")
})
madeAgain("deleted its branch", (tree, world) => world.git(world.top, "update-ref", "-d", `refs/heads/${tree.branch}`))
madeAgain("made its branch another name", (tree, world) =>
  world.git(world.top, "symbolic-ref", `refs/heads/${tree.branch}`, "refs/heads/main")
)
madeAgain("made a second worktree in it", (tree, world) =>
  world.git(world.top, "worktree", "add", "--quiet", "--force", `${tree.path}/second`, tree.branch)
)
madeAgain("moved the directory around it, and put a link in its place", async (_, world) => {
  await rename(`${world.root}/worktrees`, `${world.root}/elsewhere`)
  await symlink(`${world.root}/elsewhere`, `${world.root}/worktrees`)
})

scenario("a worktree that was said to be elsewhere is made again, and what is there stays", (world) =>
  Effect.gen(function* () {
    yield* world.write(`${world.root}/precious/file`, "precious\n")
    const { again, commit } = yield* after(world, (tree) =>
      writeFile(`${tree.gitDir}/gitdir`, `${world.root}/precious/.git\n`)
    )
    const fresh = yield* again
    expect(yield* world.service.status(world.repository, fresh)).toMatchObject({ commit, changed: [] })
    expect(readFileSync(`${world.root}/precious/file`, "utf8")).toBe("precious\n")
  })
)

scenario("a second worktree on the branch, not made here, is left alone and named", (world) =>
  Effect.gen(function* () {
    const second = `${world.root}/second`
    const { again, tree } = yield* after(world, (tree) =>
      world.git(world.top, "worktree", "add", "--quiet", "--force", second, tree.branch)
    )
    const refused = yield* Effect.flip(again)
    expect(refused).toMatchObject({ _tag: "BranchCheckedOut", branch: tree.branch, path: second })
    expect(refused.message).toContain(`git worktree remove ${second}`)
    expect(existsSync(`${second}/done.txt`)).toBe(true)
    expect(existsSync(tree.path)).toBe(false)
    yield* world.git(second, "rebase", "--quiet", "--exec", "false", "HEAD~1").pipe(Effect.exit)
    expect(yield* Effect.flip(again)).toMatchObject({ _tag: "BranchCheckedOut", path: second })
    yield* world.git(world.top, "worktree", "remove", "--force", second)
    yield* again
  })
)

scenario("a branch that is missing, or for which another one leaves no room, is named", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const { again, tree } = yield* after(world, (tree) =>
      Effect.zipRight(
        world.git(world.top, "update-ref", "-d", `refs/heads/${tree.branch}`),
        world.git(world.top, "branch", `${tree.branch}/more`)
      )
    )
    expect(yield* Effect.flip(again)).toMatchObject({ _tag: "BranchExists", branch: `${tree.branch}/more` })
    const missing = service.addWorktree(repository, { path: pathIn(world, "v"), branch: branch("v") })
    expect(yield* Effect.flip(missing)).toMatchObject({ _tag: "BranchMissing", branch: branch("v") })
    expect(yield* Effect.flip(worktree(world, "u"))).toMatchObject({ _tag: "BranchExists" })
    expect(existsSync(pathIn(world, "v"))).toBe(false)
    expect(yield* service.worktrees(repository)).toEqual([])
  })
)
