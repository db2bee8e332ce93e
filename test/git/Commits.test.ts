import { expect } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, TestContext } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises"
import type { Committed } from "../../src/git/Commits.js"
import { type ObjectId, RepoPath } from "../../src/git/RefNames.js"
import { branch, enter, jobId, scenario, subject, type World, worktree } from "./Scenario.js"

const at = (world: World, commit: ObjectId, path: string) =>
  Effect.map(world.service.readFile(world.repository, commit, RepoPath.make(path)), Option.map(String))

scenario("a commit holds all that is in the worktree: new, changed, gone, renamed, linked, made executable", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* world.write(`${tree.path}/a.txt`, "changed\n")
    yield* world.write(`${tree.path}/new/deep/file.txt`, "new\n")
    yield* world.write(`${tree.path}/noise.log`, "ignored\n")
    yield* Effect.promise(async () => {
      await rm(`${tree.path}/b.txt`)
      // A directory where a file was, and a file where a directory was.
      await mkdir(`${tree.path}/b.txt`)
      await writeFile(`${tree.path}/b.txt/inside.txt`, "inside\n")
      await rm(`${tree.path}/dir`, { recursive: true })
      await writeFile(`${tree.path}/dir`, "now a file\n")
      await symlink("a.txt", `${tree.path}/link`)
      await writeFile(`${tree.path}/run.sh`, "")
      await chmod(`${tree.path}/run.sh`, 0o755)
    })
    const { changed } = yield* service.status(repository, tree)
    expect(changed).toEqual([
      "a.txt",
      "b.txt",
      "b.txt/inside.txt",
      "dir",
      "dir/c.txt",
      "link",
      "new/deep/file.txt",
      "run.sh"
    ])
    const { commit } = yield* service.commit(repository, tree, subject("All of it", 1))
    expect(yield* world.git(tree.path, "ls-tree", "-r", "--format=%(objectmode) %(path)", commit)).toBe(
      [
        "100644 .gitignore",
        "100644 a.txt",
        "100644 b.txt/inside.txt",
        "100644 dir",
        "120000 link",
        "100644 new/deep/file.txt",
        "100755 run.sh",
        ""
      ].join("\n")
    )
    expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
    expect(existsSync(`${tree.path}/noise.log`)).toBe(true)
  })
)

scenario("a commit of many files flushes them to the disk together, not one by one", (world) =>
  Effect.gen(function* () {
    const trace = `${world.root}/trace.json`
    const variables = { ...world.environment.variables, GIT_TRACE2_EVENT: trace }
    const { repository, service } = yield* enter(world, world.top, { variables })
    const tree = yield* worktree({ ...world, repository, service }, "u")
    for (let i = 0; i < 100; i++) yield* world.write(`${tree.path}/many/${i}.txt`, `${i}\n`)
    yield* service.commit(repository, tree, subject("Many", 1))
    // Each command reports them at its end.
    const flushes = readFileSync(trace, "utf8").matchAll(/"name":"hardware-flush","count":(\d+)/g)
    const counts = [...flushes].map(([, count]) => Number(count))
    expect(counts.length).toBeGreaterThan(0)
    expect(Math.max(...counts)).toBeLessThan(10)
  })
)

scenario("a commit says who, what and why, at the time of the clock", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    const { commit } = yield* service
      .commit(repository, tree, { ...subject("  Fix\n the \x1b[31mthing ", 3), body: "Because.\n\nIt was broken." })
      .pipe(Effect.provide(TestContext.TestContext))
    expect(yield* world.git(tree.path, "log", "-1", "--format=%an <%ae>%n%cn <%ce>%n%at %ct%n%B", commit)).toBe(
      [
        "Ada Lovelace <ada@example.com>",
        "Ada Lovelace <ada@example.com>",
        "0 0",
        "Fix the [31mthing",
        "",
        "Because.",
        "",
        "It was broken.",
        "",
        `Charlotte-Job: ${jobId}`,
        "Charlotte-Unit: u",
        "Charlotte-Task: 3",
        "",
        ""
      ].join("\n")
    )
  })
)

scenario("a task whose work was committed already, or changed nothing, is done with an empty commit", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* world.write(`${tree.path}/agent.txt`, "by the agent\n")
    yield* world.git(tree.path, "add", ".")
    yield* world.git(tree.path, "commit", "--quiet", "-m", "by the agent")
    const { commit } = yield* service.commit(repository, tree, { ...subject("Done", 1), since: main })
    expect(yield* at(world, commit, "agent.txt")).toEqual(Option.some("by the agent\n"))
    expect(yield* world.git(tree.path, "log", "--format=%s", `${main}..${commit}`)).toBe("Done\nby the agent\n")
    expect(yield* service.doneTasks(repository, { from: main, to: commit })).toMatchObject([{ task: 1, commit }])
  })
)

scenario("what an agent staged, hid or left half merged in the index makes no difference", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* world.git(tree.path, "update-index", "--assume-unchanged", "a.txt")
    yield* world.git(tree.path, "update-index", "--skip-worktree", "b.txt")
    yield* world.git(tree.path, "rm", "--quiet", "--cached", "dir/c.txt")
    yield* world
      .git(tree.path, "config", "core.splitIndex", "true")
      .pipe(
        Effect.zipRight(world.git(tree.path, "update-index", "--split-index")),
        Effect.zipRight(world.git(tree.path, "config", "--unset", "core.splitIndex"))
      )
    for (const file of ["a.txt", "b.txt", "dir/c.txt"]) yield* world.write(`${tree.path}/${file}`, "changed\n")
    expect((yield* service.status(repository, tree)).changed).toEqual(["a.txt", "b.txt", "dir/c.txt"])
    const { commit } = yield* service.commit(repository, tree, subject("All"))
    for (const file of ["a.txt", "b.txt", "dir/c.txt"])
      expect(yield* at(world, commit, file)).toEqual(Option.some("changed\n"))
    yield* world.write(`${tree.clone}/index`, "no index at all")
    yield* world.write(`${tree.path}/a.txt`, "again\n")
    const { commit: next } = yield* service.commit(repository, tree, subject("Again"))
    expect(yield* at(world, next, "a.txt")).toEqual(Option.some("again\n"))
    expect(yield* world.git(tree.path, "status", "--porcelain")).toBe("")
  })
)

scenario("a HEAD that was moved is refused, and the branch stays where it is", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    const { commit: first } = yield* service.commit(repository, tree, subject("First", 1))
    const refused = (since?: ObjectId) => {
      const options = { ...subject("x"), ...(since === undefined ? {} : { since }) }
      return Effect.map(Effect.flip(service.commit(repository, tree, options)), (error) => error.message)
    }
    yield* world.git(tree.path, "checkout", "--quiet", "--detach")
    expect(yield* refused()).toContain(`expected ${tree.branch}, found no branch`)
    yield* world.git(tree.path, "checkout", "--quiet", "-b", "elsewhere")
    expect(yield* refused()).toContain("found elsewhere")
    yield* world.git(tree.path, "checkout", "--quiet", tree.branch)
    yield* world.git(tree.path, "branch", "--quiet", "-D", "elsewhere")
    yield* world.git(tree.path, "reset", "--quiet", "--hard", main)
    expect(yield* refused(first)).toContain(`expected a commit that contains ${first}, found ${main}`)
    yield* world.write(`${tree.clone}/MERGE_HEAD`, `${first}\n`)
    expect(yield* refused()).toContain("a merge is in progress")
    expect(yield* service.resolve(repository, tree.branch)).toBe(main)
  })
)

scenario("a branch that was made another name for the user's is not followed", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* world.git(tree.path, "symbolic-ref", `refs/heads/${tree.branch}`, "refs/heads/other")
    yield* world.write(`${tree.path}/a.txt`, "changed\n")
    const error = yield* Effect.flip(service.commit(repository, tree, subject("x")))
    expect(error.message).toContain(`expected ${tree.branch}, found other`)
    yield* world.git(world.top, "symbolic-ref", `refs/heads/${tree.branch}`, "refs/heads/other")
    const advance = service.advance(repository, tree.branch, { from: main, to: main })
    expect((yield* Effect.flip(advance))._tag).toBe("SymbolicBranch")
    expect((yield* Effect.flip(service.deleteBranch(repository, tree.branch)))._tag).toBe("SymbolicBranch")
  })
)

scenario("repositories within the worktree are refused by name; ignored ones are not", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    yield* world.git(tree.path, "init", "--quiet", "dir/nested")
    const refused = Effect.flip(service.commit(repository, tree, subject("x")))
    expect(yield* refused).toMatchObject({ _tag: "NestedRepository", directories: ["dir/nested"] })
    yield* world.write(`${tree.path}/dir/nested/file`, "")
    yield* world.git(`${tree.path}/dir/nested`, "add", ".")
    yield* world.git(`${tree.path}/dir/nested`, "commit", "--quiet", "-m", "nested")
    expect(yield* refused).toMatchObject({ _tag: "NestedRepository", directories: ["dir/nested"] })
    yield* world.git(tree.path, "-c", "advice.addEmbeddedRepo=false", "add", "dir/nested")
    yield* world.git(tree.path, "commit", "--quiet", "-m", "a submodule of sorts")
    expect(yield* refused).toMatchObject({ _tag: "NestedRepository", directories: ["dir/nested"] })
    yield* world.git(tree.path, "rm", "--quiet", "--cached", "dir/nested")
    yield* world.git(tree.path, "commit", "--quiet", "-m", "not any more")
    yield* world.write(`${tree.path}/.gitignore`, "nested\n")
    yield* service.commit(repository, tree, subject("ok"))
  })
)

scenario("where the file system ignores case, a new file goes to the committed directory of its name", (world) =>
  Effect.gen(function* () {
    yield* world.git(world.top, "config", "core.ignorecase", "true")
    const { repository, service } = yield* enter(world, world.top)
    const tree = yield* worktree(world, "u")
    yield* world.write(`${tree.path}/DIR/new.txt`, "new\n")
    yield* world.write(`${tree.path}/a.txt`, "changed\n")
    const { changed, commit } = yield* service.commit(repository, tree, subject("x"))
    expect(changed).toEqual(["a.txt", "dir/new.txt"])
    expect(yield* world.git(world.top, "diff", "--name-only", world.main, commit)).toBe("a.txt\ndir/new.txt\n")
    yield* world.git(world.top, "config", "--unset", "core.ignorecase")
  })
)

scenario(
  "a directory that became a link is gone with its files, and the link is committed unless it is ignored",
  (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      for (const [name, rules, left] of [
        ["linked", "", "dir"],
        ["ignored", "dir\n", ".gitignore"]
      ] as const) {
        const tree = yield* worktree(world, name)
        yield* world.write(`${tree.path}/.gitignore`, rules)
        yield* Effect.promise(() => rm(`${tree.path}/dir`, { recursive: true }))
        yield* Effect.promise(() => symlink("..", `${tree.path}/dir`))
        const { changed, commit, ignored } = yield* service.commit(repository, tree, subject(name))
        expect(changed).toContain("dir/c.txt")
        expect(ignored).toEqual(rules === "" ? [] : ["dir"])
        const files = yield* world.git(world.top, "ls-tree", "-r", "--name-only", commit)
        expect(files).not.toContain("dir/")
        expect(files.split("\n")).toContain(left)
        expect(yield* service.status(repository, tree)).toMatchObject({ commit, changed: [] })
      }
    })
)

scenario("a name that looks like git's own words is a name", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const tree = yield* worktree(world, "u")
    const id = "1".repeat(40)
    yield* world.write(`${tree.path}/160000 ${id} 0\tx`, "")
    const { commit } = yield* service.commit(repository, tree, subject("x"))
    expect(yield* service.status(repository, tree)).toMatchObject({ commit, changed: [] })
    const nested = `100644 ${id} 0\tnested`
    yield* world.git(tree.path, "init", "--quiet", nested)
    const refused = { _tag: "NestedRepository", directories: [nested] }
    expect(yield* Effect.flip(service.commit(repository, tree, subject("x")))).toMatchObject(refused)
    expect(yield* Effect.flip(service.status(repository, tree))).toMatchObject(refused)
  })
)

scenario("`before` sees the commit before the branch leads to it, and its failure leaves the branch alone", (world) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    const tree = yield* worktree(world, "u")
    const seen: Array<readonly [string, string]> = []
    const before = ({ commit }: Committed) =>
      Effect.map(Effect.orDie(service.resolve(repository, tree.branch)), (now) => void seen.push([commit, now]))
    const { commit } = yield* service.commit(repository, tree, { ...subject("x", 1), before })
    expect(seen).toEqual([[commit, main]])
    const failed = service.commit(repository, tree, { ...subject("y", 2), before: () => Effect.dieMessage("no") })
    expect((yield* Effect.exit(failed))._tag).toBe("Failure")
    const entered = yield* Deferred.make<void>()
    const waiting = () => Effect.zipRight(Deferred.succeed(entered, undefined), Effect.never)
    const fiber = yield* Effect.fork(service.commit(repository, tree, { ...subject("z", 3), before: waiting }))
    yield* Deferred.await(entered)
    yield* Fiber.interrupt(fiber)
    expect(yield* service.resolve(repository, tree.branch)).toBe(commit)
    expect(existsSync(`${tree.clone}/index.lock`)).toBe(false)
    yield* service.commit(repository, tree, subject("w", 4))
  })
)

scenario("line ends are committed as the user has configured them", (world) =>
  Effect.gen(function* () {
    yield* world.git(world.top, "config", "--global", "core.autocrlf", "input")
    const repository = yield* world.service.open(world.top)
    const tree = yield* worktree({ ...world, repository }, "u")
    yield* world.write(`${tree.path}/crlf.txt`, "one\r\ntwo\r\n")
    const { commit } = yield* world.service.commit(repository, tree, subject("x"))
    expect(yield* at(world, commit, "crlf.txt")).toEqual(Option.some("one\ntwo\n"))
    expect(branch("u")).toBe(tree.branch)
  })
)

scenario("files of the user's checkout are compared as they would be committed", (world) =>
  Effect.gen(function* () {
    const { main, repository, service, top } = world
    const paths = ["a.txt", "b.txt", "dir/c.txt", "staged.txt", "untracked.txt", "none.txt", "dir"].map((path) =>
      RepoPath.make(path)
    )
    expect(yield* service.differing(repository, main, paths)).toEqual([
      "b.txt",
      "staged.txt",
      "untracked.txt",
      "none.txt",
      "dir"
    ])
    expect(yield* service.readFile(repository, main, RepoPath.make("dir"))).toEqual(Option.none())
    expect(yield* at(world, main, "b.txt")).toEqual(Option.some("b\n"))
    expect(top).toBe(repository.topLevel)
  })
)

scenario(
  "paths that are ignored in the user's checkout are distinguished from those that a commit would hold",
  (world) =>
    Effect.gen(function* () {
      const { repository, service, top } = world
      yield* world.write(`${top}/.git/info/exclude`, "secret/\n.env\n")
      yield* world.write(`${top}/secret/deep/key`, "")
      yield* world.write(`${top}/tracked.log`, "")
      yield* world.git(top, "add", "--force", "tracked.log")
      const paths = [
        "ignored.log",
        ".env",
        "secret/deep/key",
        "secret",
        "a.txt",
        "untracked.txt",
        "none",
        "tracked.log",
        ":(top)*.log",
        ":!x"
      ]
      const ignored = service.ignored(
        repository,
        paths.map((path) => RepoPath.make(path))
      )
      expect(yield* ignored).toEqual(["ignored.log", ".env", "secret/deep/key", "secret", ":(top)*.log"])
      expect(yield* service.ignored(repository, [])).toEqual([])
      yield* world.git(top, "rm", "--quiet", "--force", "tracked.log")
      yield* Effect.promise(() => rm(`${top}/secret`, { recursive: true }))
    })
)
