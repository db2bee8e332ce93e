/** Snapshots of unfinished work: complete, put back byte for byte, and without a trace in the user's repository. */
import { describe, expect } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { AbsolutePath } from "../../src/git/RefNames.js"
import { Snapshot } from "../../src/git/Snapshot.js"
import type { Worktree } from "../../src/git/Worktrees.js"
import { branch, pathIn, scenario, serviceOf, subject, type World, worktree } from "./Scenario.js"

const packOf = (world: World) => `${world.root}/unfinished/1.pack`

const take = (world: World, { path }: Pick<Worktree, "path">, name = "u") =>
  world.service.takeSnapshot(world.repository, {
    path,
    branch: branch(name),
    base: world.main,
    pack: packOf(world)
  })

const taken = (world: World, tree: Pick<Worktree, "path">) =>
  Effect.map(take(world, tree), (snapshot) =>
    Snapshot.$is("Taken")(snapshot) ? snapshot : expect.fail(`it is ${snapshot._tag}`)
  )

/** All files and links below a directory, by name in bytes. */
const filesOf = (directory: string, prefix = ""): ReadonlyArray<readonly [string, string]> =>
  readdirSync(Buffer.from(`${directory}/${prefix}`, "latin1"), { encoding: "buffer" }).flatMap(
    (bytes): ReadonlyArray<readonly [string, string]> => {
      const name = `${prefix}${bytes.toString("latin1")}`
      const path = Buffer.from(`${directory}/${name}`, "latin1")
      const stats = lstatSync(path)
      if (name === ".git") return []
      if (stats.isDirectory()) return filesOf(directory, `${name}/`)
      const content = stats.isSymbolicLink() ? readlinkSync(path) : readFileSync(path).toString("base64")
      return [[name, `${(stats.mode & 0o100) === 0 ? "" : "x"} ${content}`]]
    }
  )

/** Makes the worktree again with the files of a snapshot. */
const again = (world: World, { path }: Worktree, commit: Effect.Effect.Success<ReturnType<typeof taken>>["commit"]) =>
  Effect.gen(function* () {
    const { main, repository, service } = world
    yield* service.removeWorktree(repository, path)
    yield* service.restore(repository, branch("u"), main)
    const unfinished = { pack: packOf(world), base: main, commit }
    return yield* service.addWorktree(repository, { path, branch: branch("u"), unfinished })
  })

/** The user's repository, with each object and each ref of it. */
const contents = ({ git, top }: World) =>
  Effect.all([
    git(top, "cat-file", "--batch-all-objects", "--batch-check", "--unordered"),
    git(top, "for-each-ref"),
    git(top, "fsck", "--full", "--strict")
  ])

const change = (path: string, script: string) =>
  Effect.sync(() => execFileSync("sh", ["-euc", script], { cwd: path, stdio: "pipe" }))

describe("a snapshot of unfinished work", () => {
  scenario("is put back byte for byte, all unstaged, and leaves no object and no ref in the repository", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      const before = yield* contents(world)
      yield* change(
        tree.path,
        `printf 'one\\r\\ntwo\\r\\n' > a.txt
         rm b.txt
         rm -r dir && echo 'a file now' > dir
         printf '\\000\\001\\377 %s' binary > image.bin
         printf '#!/bin/sh\\n' > run.sh && chmod 755 run.sh
         ln -s nowhere/at/all link
         mkdir -p 'deep/er "quoted"' && echo x > "deep/er \\"quoted\\"/new
line"
         printf x > "$(printf 'latin-\\351')"
         : > empty
         echo staged > staged && git add staged
         echo ignored > ignored.log
         printf '* text eol=crlf\\n*.txt filter=lfs ident\\n' > .gitattributes
         mkdir vacant`
      )
      const wanted = filesOf(tree.path).filter(([name]) => name !== "ignored.log")
      const snapshot = yield* taken(world, tree)
      expect(snapshot.leftOut).toEqual([])
      expect(snapshot.isOnBranch).toBe(true)
      const restored = yield* again(world, tree, snapshot.commit)
      expect(filesOf(tree.path)).toEqual(wanted)
      expect(yield* world.git(restored.path, "diff", "--cached", "--name-only")).toBe("")
      expect(existsSync(`${tree.path}/vacant`)).toBe(false)
      expect(yield* contents(world)).toEqual(before)
      // The work is recognised as the same.
      expect(yield* taken(world, tree)).toEqual(snapshot)
    })
  )

  scenario("has the commits of the agent, also those that its branch does not have", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      const before = yield* contents(world)
      yield* change(
        tree.path,
        `git config user.name agent; git config user.email agent@example.com
         echo kept > kept.log && git add --force kept.log && git commit --quiet -m 'on the branch'
         git checkout --quiet --detach && echo more > more.txt && git add . && git commit --quiet -m detached
         git checkout --quiet - && echo uncommitted > a.txt
         git checkout --quiet --detach @{-2}`
      )
      const snapshot = yield* taken(world, tree)
      expect(snapshot.leftOut).toEqual([])
      yield* again(world, tree, snapshot.commit)
      expect(readFileSync(`${tree.path}/kept.log`, "utf8")).toBe("kept\n")
      const { files } = yield* world.service.diffSnapshot(world.repository, {
        pack: packOf(world),
        base: world.main,
        commit: snapshot.commit
      })
      expect(files.map(({ path }) => path)).toContain("kept.log")
      expect(yield* contents(world)).toEqual(before)
    })
  )

  scenario("shows whether its agent has left the branch or gone back on it", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      const isOnBranch = Effect.map(taken(world, tree), (snapshot) => snapshot.isOnBranch)
      yield* change(
        tree.path,
        `git config user.name agent; git config user.email agent@example.com
         echo new > new.txt && git add . && git commit --quiet -m ahead`
      )
      expect(yield* isOnBranch).toBe(true)
      yield* change(tree.path, "git checkout --quiet --detach")
      expect(yield* isOnBranch).toBe(false)
      yield* change(
        tree.path,
        'git checkout --quiet - && echo more > new.txt && mkdir "$(git rev-parse --git-dir)/rebase-merge"'
      )
      expect(yield* isOnBranch).toBe(false)
      yield* change(
        tree.path,
        `rmdir "$(git rev-parse --git-dir)/rebase-merge"
         git update-ref 'refs/heads/${tree.branch}' "$(git commit-tree -m 'another history' HEAD^{tree})"`
      )
      expect(yield* isOnBranch).toBe(false)
    })
  )

  scenario("leaves out what cannot be saved, and names it", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      const server = createServer().listen(`${tree.path}/socket`)
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      yield* change(
        tree.path,
        `rm a.txt && mkfifo a.txt
         mkfifo pipe
         git init --quiet nested && echo x > nested/x
         truncate -s 21M large
         mkdir many && for i in 1 2 3 4 5 6 7 8 9 10 11; do truncate -s 19M many/$i && echo $i >> many/$i; done
         echo good > good`
      )
      const snapshot = yield* taken(world, tree)
      expect(snapshot.leftOut).toEqual([
        { path: "nested/", reason: "a nested repository" },
        { path: "a.txt", reason: "no regular file" },
        { path: "large", reason: "larger than 20 MB" },
        { path: "many/9", reason: "beyond 200 MB in all" }
      ])
      yield* change(tree.path, "rm -r many large nested")
      yield* again(world, tree, snapshot.commit)
      expect(readFileSync(`${tree.path}/good`, "utf8")).toBe("good\n")
      expect(readFileSync(`${tree.path}/a.txt`, "utf8")).toBe("one\ntwo\nthree\n")
    })
  )

  scenario("is made of a worktree without its git directories, or with a broken one", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      yield* change(tree.path, `echo new > new.txt; rm .git; echo nonsense > '${tree.clone}/HEAD'`)
      const broken = yield* taken(world, tree)
      yield* change(tree.path, `rm -r '${tree.clone}'`)
      // Nothing shows any more that HEAD was moved.
      expect(broken.isOnBranch).toBe(false)
      expect(yield* taken(world, tree)).toEqual({ ...broken, isOnBranch: true })
    })
  )

  scenario("has the files even if the commits of the agent cannot be read", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      yield* change(
        tree.path,
        `git config user.name agent; git config user.email agent@example.com
         echo committed > new.txt && git add . && git commit --quiet -m lost
         find '${tree.clone}/objects' -type f -path '*/??/*' -delete`
      )
      const { commit, leftOut } = yield* taken(world, tree)
      expect(leftOut).toMatchObject([{ path: "the commits that were made there" }])
      yield* again(world, tree, commit)
      expect(readFileSync(`${tree.path}/new.txt`, "utf8")).toBe("committed\n")
    })
  )

  scenario("is not made of a worktree without changes, or without files yet", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      expect(yield* take(world, tree)).toEqual(Snapshot.Unchanged({ leftOut: [] }))
      yield* change(tree.path, "touch a.txt; echo ignored > ignored.log")
      expect(yield* take(world, tree)).toEqual(Snapshot.Unchanged({ leftOut: [] }))
      // After a restart, all files are read.
      const restarted = { ...world, service: yield* serviceOf(world) }
      expect(yield* take(restarted, tree)).toEqual(Snapshot.Unchanged({ leftOut: [] }))
      expect(yield* take(world, { path: AbsolutePath.make(pathIn(world, "none")) })).toEqual(Snapshot.Absent())
      yield* change(tree.path, `rm '${tree.clone}/index' '${tree.gitDir}/charlotte-index' a.txt`)
      expect(yield* take(world, tree)).toEqual(Snapshot.Absent())
      expect(existsSync(packOf(world))).toBe(false)
    })
  )

  scenario("succeeds while files are truncated and written", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      const script = `
        const { ftruncateSync, openSync, writeSync } = require("node:fs")
        const names = Array.from({ length: 20 }, (_, i) => "big-" + i)
        const files = ["a.txt", ...names].map((name) => openSync(name, "w"))
        const bytes = Buffer.alloc(300_000, 1)
        const turn = () => {
          for (const file of files) { writeSync(file, bytes, 0, bytes.length, 0); ftruncateSync(file, 10) }
          setImmediate(turn)
        }
        turn()`
      yield* Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, ["-e", script], { cwd: tree.path, stdio: "ignore" })),
        (child) =>
          Effect.async<void>((resume) => {
            child.once("exit", () => resume(Effect.void))
            child.kill("SIGKILL")
          })
      )
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => existsSync(`${tree.path}/big-19`) })
      for (let i = 0; i < 20; i++) {
        // After a restart, all files are read.
        const service = i % 2 === 0 ? world.service : yield* serviceOf(world)
        expect(yield* taken({ ...world, service }, tree)).toMatchObject({ files: 21, leftOut: [] })
      }
    })
  )

  scenario("is given up at once by an interruption, and leaves no pack", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      const bin = `${world.root}/bin`
      mkdirSync(bin)
      yield* world.write(
        `${bin}/git`,
        `#!/bin/sh\n[ "$1" = fast-import ] && { touch '${bin}/reached'; exec sleep 600; }\nexec git "$@"\n`
      )
      chmodSync(`${bin}/git`, 0o755)
      const service = yield* serviceOf(world, { executable: `${bin}/git` })
      yield* change(tree.path, "echo new > new.txt")
      const fiber = yield* Effect.fork(take({ ...world, service }, tree))
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => existsSync(`${bin}/reached`) })
      yield* Fiber.interrupt(fiber)
      expect(existsSync(packOf(world))).toBe(false)
    })
  )

  scenario("shows its changes in pages, like those of two commits", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      yield* change(tree.path, "echo changed > a.txt; rm b.txt; echo new > new.txt")
      const { commit } = yield* taken(world, tree)
      const options = { pack: packOf(world), base: world.main, commit }
      const page = yield* world.service.diffSnapshot(world.repository, options)
      expect(page.next).toEqual(Option.none())
      expect(page.files).toMatchObject([
        { path: "a.txt", status: "modified", patch: "@@ -1,3 +1 @@\n-one\n-two\n-three\n+changed" },
        { path: "b.txt", status: "deleted" },
        { path: "new.txt", status: "added", additions: 1 }
      ])
      const rest = yield* world.service.diffSnapshot(world.repository, { ...options, from: 2 })
      expect(rest.files.map(({ path }) => path)).toEqual(["new.txt"])
      expect(statSync(packOf(world)).size).toBeGreaterThan(0)
    })
  )

  scenario("lets a job commit the work that was put back", (world) =>
    Effect.gen(function* () {
      const tree = yield* worktree(world, "u")
      yield* change(tree.path, "echo changed > a.txt; rm b.txt; echo new > new.txt")
      const { commit } = yield* taken(world, tree)
      const restored = yield* again(world, tree, commit)
      const { changed } = yield* world.service.commit(world.repository, restored, subject("work", 1))
      expect(changed).toEqual(["a.txt", "b.txt", "new.txt"])
    })
  )
})
