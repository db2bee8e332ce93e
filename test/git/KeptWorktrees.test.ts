import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { existsSync } from "node:fs"
import { mkdir, rm, symlink, writeFile } from "node:fs/promises"
import { branch, pathIn, scenario, serviceOf, type World, work, worktree } from "./Scenario.js"

const reopen = (world: World, name: string, at = world.main) =>
  world.service.reopenWorktree(world.repository, { path: pathIn(world, name), branch: branch(name), at })

/** All files of a worktree, with their modes and contents, and what git says about them. */
const look = (world: World, path: string) =>
  world.shell(
    path,
    `find . -name .git -prune -o -type f -printf '%m ' -exec sha256sum {} ';' -o -type l -printf '%p -> %l\\n' | sort
     git status --porcelain=v2 --branch`
  )

scenario("a reopened worktree holds all files and commits, and the user's repository none of them", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const tree = yield* worktree(world, "u")
    yield* world.shell(
      tree.path,
      `printf 'a\\000b\\377' > binary; printf 'a\\r\\n' > crlf; echo run > run; chmod +x run; ln -s nowhere link
       git add binary; git commit --quiet -m mine
       rm b.txt; echo more >> a.txt; echo staged > staged; git add staged`
    )
    const before = yield* look(world, tree.path)
    const refs = yield* world.git(top, "for-each-ref")
    // Another manager has no cached index.
    const other: World = { ...world, service: yield* serviceOf(world) }
    for (const manager of [world, other]) {
      expect(yield* reopen(manager, "u")).toEqual(Option.some(tree))
      expect(yield* look(world, tree.path)).toBe(before)
      expect(yield* world.git(top, "for-each-ref")).toBe(refs)
      expect(yield* world.git(top, "log", "--all", "--format=%s")).not.toContain("mine")
    }
    const { changed } = yield* other.service.status(repository, tree)
    expect(changed).toEqual(["a.txt", "b.txt", "crlf", "link", "run", "staged"])
    expect(yield* service.isAncestor(repository, main, yield* service.resolve(repository, tree.branch))).toBe(true)
  })
)

scenario("a worktree is reopened without the locks of killed processes, and with the index of its commit", (world) =>
  Effect.gen(function* () {
    const commit = yield* work(world, "u", { "done.txt": "done\n" })
    const [tree] = yield* world.service.worktrees(world.repository)
    const { clone = "", gitDir = "", path = "" } = tree ?? {}
    yield* Effect.promise(async () => {
      await mkdir(`${world.root}/elsewhere`)
      await writeFile(`${world.root}/elsewhere/kept.lock`, "")
      await symlink(`${world.root}/elsewhere`, `${clone}/refs/elsewhere`)
      for (const lock of [`${clone}/refs/heads/x.lock`, `${clone}/HEAD.lock`, `${gitDir}/index.lock`])
        await writeFile(lock, "")
    })
    // As a kill leaves it between the branch and the index of a commit.
    yield* world.shell(path, `git read-tree '${world.main}'; touch '${clone}/index.lock'`)
    expect(yield* reopen(world, "u", commit)).toEqual(Option.some(tree))
    expect(yield* world.shell(path, `find '${clone}' '${gitDir}' -name '*.lock'`)).toBe("")
    expect(existsSync(`${world.root}/elsewhere/kept.lock`)).toBe(true)
    expect(yield* world.git(path, "status", "--porcelain")).toBe("")
  })
)

scenario("a worktree is not reopened if its creation was interrupted, or if it is gone", (world) =>
  Effect.gen(function* () {
    expect(yield* reopen(world, "none")).toEqual(Option.none())
    const { clone, gitDir } = yield* worktree(world, "u")
    yield* Effect.promise(() => Promise.all([rm(`${clone}/index`), rm(`${gitDir}/charlotte-index`)]))
    expect(yield* reopen(world, "u")).toEqual(Option.none())
  })
)

for (const [what, lines, tag] of [
  ["is on another branch", "git switch --quiet -c else", "HeadMoved"],
  ["went back behind its last good commit", "git reset --quiet --hard HEAD~1", "WorktreeBroken"],
  ["was amended", "git commit --quiet --amend -m amended", "WorktreeBroken"],
  [
    "is in the middle of a merge",
    "git switch --quiet -c side; echo 1 > a.txt; git commit --quiet -am 1; git switch --quiet -; echo 2 > a.txt; git commit --quiet -am 2; git merge --quiet side || true",
    "OperationInProgress"
  ],
  ["lost its branch", "git update-ref -d HEAD", "BranchMissing"],
  ["lost its .git", "rm .git", "WorktreeBroken"],
  [
    "lost an object of its commits",
    'echo new > new; git add new; git commit --quiet -m new; id=$(git rev-parse HEAD:new); rm -f "$(git rev-parse --git-path objects)/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-)"',
    "WorktreeBroken"
  ]
] as const)
  scenario(`a worktree is not reopened if it ${what}`, (world) =>
    Effect.gen(function* () {
      const commit = yield* work(world, "u", { "done.txt": "done\n" })
      yield* world.shell(pathIn(world, "u"), lines)
      expect(yield* Effect.flip(reopen(world, "u", commit))).toMatchObject({ _tag: tag })
      expect(yield* world.git(world.top, "rev-parse", branch("u"))).toBe(`${commit}\n`)
    })
  )
