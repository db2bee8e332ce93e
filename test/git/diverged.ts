import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import type { ObjectId } from "../../src/git/RefNames.js"
import type { Worktree } from "../../src/git/Worktrees.js"
import { subject, type World, worktree } from "./Scenario.js"

/** A worktree whose branch has to be moved to a merge: files changed, new, gone, and a directory in place of a file. */
export const diverged = (world: World) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const other = yield* worktree(world, "other")
    yield* Effect.promise(() => rm(`${other.path}/b.txt`))
    yield* world.write(`${other.path}/b.txt/inside.txt`, "inside\n")
    yield* world.write(`${other.path}/a.txt`, "theirs\n")
    yield* world.write(`${other.path}/new/file.txt`, "new\n")
    yield* Effect.promise(() => rm(`${other.path}/dir/c.txt`))
    const { commit: theirs } = yield* service.commit(repository, other, subject("theirs"))
    const tree = yield* worktree(world, "u")
    yield* world.write(`${tree.path}/mine.txt`, "mine\n")
    const { commit: from } = yield* service.commit(repository, tree, subject("mine", 1))
    const merged = yield* service.merge(repository, { ours: theirs, theirs: from, subject: subject("Merge") })
    if (merged._tag !== "Merged") return yield* Effect.dieMessage(merged._tag)
    return { tree, from, to: merged.commit }
  })

/** The branch and every file are those of the commit, as git in the worktree agrees. */
export const standsAt = (world: World, tree: Worktree, commit: ObjectId) =>
  Effect.gen(function* () {
    expect(yield* world.service.resolve(world.repository, tree.branch)).toBe(commit)
    expect(yield* world.service.status(world.repository, tree)).toMatchObject({ commit, changed: [] })
    expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
    expect(existsSync(`${tree.clone}/index.lock`)).toBe(false)
  })
