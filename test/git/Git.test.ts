import { expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { addAndCommitCommand, command, diffCommand, mergeCommand } from "../../src/git/shellQuote.js"
import { ObjectId, RepoPath, resultBranch } from "../../src/git/RefNames.js"
import { plain, sandbox } from "../support/Repository.js"
import { branch, enter, jobId, mainBranch, pathIn, subject, worktree } from "./Scenario.js"

const formats = {
  "as git makes it": "",
  "that counts in SHA-256": "[init]\n\tdefaultObjectFormat = sha256\n",
  "that keeps its refs in tables": "[init]\n\tdefaultRefFormat = reftable\n"
}

// A git that does not know a format leaves the setting aside, and makes the repository as ever.
it.scopedLive.each(Object.entries(formats))(
  "a job's way through git, from worktree to landing, in a repository %s",
  ([, format]) =>
    Effect.gen(function* () {
      const box = yield* sandbox
      const home = `${box.root}/home/.gitconfig`
      yield* box.write(home, readFileSync(home, "utf8") + format)
      const world = yield* enter(box, yield* plain(box))
      const { main, repository, service, top } = world
      const result = resultBranch(jobId)
      expect(yield* service.problems(repository, mainBranch)).toEqual([])
      yield* service.createBranch(repository, result, main)

      const tree = yield* worktree(world, "u")
      yield* world.write(`${tree.path}/one.txt`, "1\n")
      yield* service.commit(repository, tree, subject("First", 1))
      yield* world.write(`${tree.path}/two.txt`, "2\n")
      const { commit: done } = yield* service.commit(repository, tree, { ...subject("Second", 2), since: main })
      expect(yield* service.doneTasks(repository, { from: main, to: done })).toMatchObject([
        { jobId, unit: "u", task: 1 },
        { jobId, unit: "u", task: 2, commit: done }
      ])

      const put = [{ path: RepoPath.make("one.txt"), content: "one\n", was: "1\n" }]
      const other = yield* world.service.addWorktree(repository, {
        path: pathIn(box, "v"),
        branch: branch("v"),
        from: main
      })
      const { commit: theirs, replaced } = yield* service.commit(repository, other, { ...subject("Theirs", 3), put })
      expect(replaced).toEqual(["one.txt"])
      const both = yield* service.merge(repository, { ours: main, theirs, subject: subject("Merge v") })
      expect(both).toEqual({ _tag: "FastForward", commit: theirs })
      expect(yield* service.restore(repository, other.branch, main)).toBe(true)
      yield* service.forward(repository, other, { from: main, to: theirs })
      expect(yield* service.status(repository, other)).toMatchObject({ commit: theirs, changed: [] })
      expect(yield* service.commits(repository, { from: done, to: theirs })).toBe(1)
      expect(yield* service.contains(repository, theirs)).toBe(true)
      expect(yield* service.contains(repository, ObjectId.make("1".repeat(theirs.length)))).toBe(false)
      yield* service.removeWorktree(repository, other.path)

      const merged = yield* service.merge(repository, { ours: main, theirs: done, subject: subject("Merge u") })
      expect(merged).toMatchObject({ _tag: "FastForward", commit: done })
      yield* service.advance(repository, result, { from: main, to: done })
      const landed = yield* service.advance(repository, mainBranch, { from: main, to: done })
      expect(landed).toEqual({ _tag: "Checkout", path: top })
      expect(readFileSync(`${top}/two.txt`, "utf8")).toBe("2\n")
      expect(yield* world.git(top, "status", "--porcelain")).toBe("")
      const file = yield* service.readFile(repository, done, RepoPath.make("one.txt"))
      expect(Option.map(file, String)).toEqual(Option.some("1\n"))

      yield* service.removeWorktree(repository, tree.path)
      for (const { branch } of yield* service.ownBranches(repository)) yield* service.deleteBranch(repository, branch)
      expect(existsSync(pathIn(box, "u"))).toBe(false)
      expect(yield* service.worktrees(repository)).toEqual([])
      expect(yield* service.ownBranches(repository)).toEqual([])
      expect(yield* world.git(top, "worktree", "list", "--porcelain")).not.toContain("worktrees/u")
    })
)

it("commands for people can be pasted into a shell", () => {
  const result = resultBranch(jobId)
  const top = "/home/me/my project"
  expect(diffCommand(top, mainBranch, result)).toBe(
    `git -C '/home/me/my project' diff main...charlotte/${jobId}/result`
  )
  expect(mergeCommand("/r", result)).toBe(`git -C /r merge charlotte/${jobId}/result`)
  expect(mergeCommand(top, mainBranch, { fastForwardOnly: true })).toBe(`git -C '${top}' merge --ff-only main`)
  expect(addAndCommitCommand("/r", ["a.md", "it's.md"])).toBe(
    `git -C /r add -- a.md 'it'\\''s.md' && git -C /r commit -- a.md 'it'\\''s.md'`
  )
})

it("whatever words are in a command, the shell reads the same ones, and no control character is left in it", () => {
  const words = [
    "",
    "a b",
    "$(x)",
    "'",
    "\\",
    "\x1b[2J'\\",
    "\n",
    "é",
    "\u202e",
    "😀\t",
    "~",
    "*",
    "!x",
    "#",
    "a=b",
    "-n"
  ]
  const line = command("printf", "%s\\0", ...words)
  expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(execFileSync("bash", ["-c", line], { encoding: "utf8" }).split("\0")).toEqual([...words, ""])
})

it.scopedLive("the command that adds and commits takes names as they are, and leaves alone what else is staged", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const top = yield* plain(box)
    const files = [":(top)a.md", "b?.md", "c d.md"]
    for (const file of [...files, "staged.txt", "bx.md"]) yield* box.write(`${top}/${file}`, "")
    yield* box.git(top, "add", "staged.txt")
    const line = addAndCommitCommand(top, files)
    execFileSync("bash", ["-c", line], {
      env: { PATH: process.env["PATH"], HOME: `${box.root}/home`, EDITOR: "echo x >" }
    })
    expect(yield* box.git(top, "show", "--name-only", "--format=")).toBe(`${files.join("\n")}\n`)
  })
)
