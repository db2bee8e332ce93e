import { expect, it } from "@effect/vitest"
import { Effect, Either, Option, Schema } from "effect"
import { existsSync } from "node:fs"
import {
  AbsolutePath,
  BranchName,
  ObjectId,
  OwnBranch,
  RepoPath,
  UnitName,
  unitBranch
} from "../../src/git/RefNames.js"
import { diffCommand } from "../../src/git/shellQuote.js"
import { hostile } from "./hostile.js"
import { jobId, pathIn, scenario, worktree } from "./Scenario.js"

const accepted = <A>(schema: Schema.Schema<A, string>) =>
  hostile.flatMap((value) => Option.toArray(Schema.decodeOption(schema)(value)))

const refusal = <A>(schema: Schema.Schema<A, string>, value: string) =>
  Either.match(Schema.decodeEither(schema)(value), { onLeft: ({ message }) => message, onRight: () => "accepted" })

it("there are at least sixty hostile values", () => expect(new Set(hostile).size).toBeGreaterThan(60))

it("a refused value is named, with nothing in it that could act on a terminal", () => {
  const check = <A>(schema: Schema.Schema<A, string>) => {
    for (const value of hostile) {
      const said = refusal(schema, value)
      if (said === "accepted") continue
      expect(said).toMatch(/^(branch|unit|path) ".*" cannot be used: it /)
      expect(said).not.toMatch(/[\p{C}\u2028\u2029]/u)
      expect(said.length).toBeLessThan(700)
    }
  }
  check(BranchName)
  check(OwnBranch)
  check(UnitName)
  check(RepoPath)
  check(AbsolutePath)
})

it("a refusal says what to write instead", () => {
  expect(refusal(BranchName, "refs/heads/main")).toBe(
    'branch "refs/heads/main" cannot be used: it is a full ref name; use "main"'
  )
  expect(refusal(BranchName, "HEAD")).toContain("use the name of a branch")
  expect(refusal(BranchName, "--upload-pack=x")).toBe('branch "--upload-pack=x" cannot be used: it begins with "-"')
  expect(refusal(UnitName, "a b")).toContain("letters, digits")
  expect(refusal(RepoPath, "../x")).toContain('contains an empty part, "." or ".."')
  expect(refusal(OwnBranch, "main")).toContain('begin with "charlotte/"')
  expect(refusal(ObjectId, "main")).not.toBe("accepted")
})

it("ordinary names are not refused", () => {
  for (const name of ["main", "feature/x-1", "release/2.0", "user@host", "größe", "日本", "fix#12", "a=b"])
    expect(refusal(BranchName, name)).toBe("accepted")
  for (const name of ["api", "01-setup", "web.ui", "étape_2", "日本"]) expect(refusal(UnitName, name)).toBe("accepted")
  for (const name of ["a b.md", "-x", "tasks/01 (draft).md", ".env", "a:b", "'"])
    expect(refusal(RepoPath, name)).toBe("accepted")
})

scenario("git agrees with every branch that is accepted, and no such name means anything but a branch", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    for (const name of accepted(BranchName)) {
      expect(yield* world.git(top, "check-ref-format", "--branch", name)).toBe(`${name}\n`)
      expect(yield* Effect.flip(service.resolve(repository, name))).toMatchObject({
        _tag: "BranchMissing",
        branch: name
      })
      expect(yield* service.problems(repository, name)).toMatchObject([{ kind: "missing" }])
      const own = OwnBranch.make(`charlotte/${name}`)
      yield* service.createBranch(repository, own, world.main)
      expect(yield* service.resolve(repository, own)).toBe(world.main)
      yield* service.deleteBranch(repository, own)
    }
    expect(yield* service.ownBranches(repository)).toEqual([])
  })
)

scenario("every unit that is accepted can be worked on", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    for (const name of accepted(UnitName)) {
      const tree = yield* service.addWorktree(repository, {
        path: pathIn(world, name),
        branch: unitBranch(jobId, name),
        from: world.main
      })
      const subject = { title: name, jobId, unit: name, task: 1 }
      const { commit } = yield* service.commit(repository, tree, subject)
      expect(yield* service.doneTasks(repository, { from: world.main, to: commit })).toMatchObject([{ unit: name }])
      yield* service.removeWorktree(repository, tree.path)
    }
  })
)

scenario("every path that is accepted is only ever a path", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    const paths = accepted(RepoPath)
    for (const path of paths) expect(yield* service.readFile(repository, world.main, path)).toEqual(Option.none())
    expect(yield* service.differing(repository, world.main, paths)).toEqual(paths)
    const tree = yield* worktree(world, "u")
    const short = paths.filter((path) => path.length < 200)
    for (const path of short) yield* world.write(`${tree.path}/${path}`, `${path}\n`)
    const { commit } = yield* service.commit(repository, tree, { title: "paths", jobId })
    for (const path of short)
      expect(Option.map(yield* service.readFile(repository, commit, path), String)).toEqual(Option.some(`${path}\n`))
    // Those in the worktree are as they were committed; git sees them in the same way.
    const there = yield* service.open(tree.path)
    expect(yield* service.differing(there, commit, short)).toEqual([])
    expect(existsSync(`${top}/x`)).toBe(false)
  })
)

scenario(
  "a hostile path is no repository, and no place for a worktree but its own",
  (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      for (const value of hostile) {
        const path = value.startsWith("/") ? `${world.root}/none${value}` : value
        const error = yield* Effect.flip(service.open(path))
        expect(error._tag).toBe("NotARepository")
        const within = `${world.root}/none/${value}`
        expect((yield* Effect.flip(service.open(within)))._tag).toBe("NotARepository")
      }
      const paths = hostile.flatMap((value) =>
        value.includes("/") ? [] : Option.toArray(Schema.decodeOption(AbsolutePath)(`${world.root}/trees/${value}`))
      )
      const branch = OwnBranch.make("charlotte/path")
      yield* service.createBranch(repository, branch, world.main)
      for (const path of paths) {
        const tree = yield* Effect.either(service.addWorktree(repository, { path, branch }))
        if (Either.isRight(tree)) {
          expect(tree.right.path).toBe(path)
          expect(existsSync(`${path}/a.txt`)).toBe(true)
          yield* service.removeWorktree(repository, path)
        } else {
          // Git itself has no name for such a worktree; what was begun is undone.
          expect(tree.left.message).toContain("could not find created worktree '@'")
        }
        expect(existsSync(path)).toBe(false)
      }
      expect(yield* world.git(world.top, "worktree", "list")).toMatch(/^.*\n$/)
      expect(existsSync(`${world.root}/x`)).toBe(false)
    }),
  300_000
)

scenario(
  "titles and bodies of commits cannot forge a trailer",
  (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      const tree = yield* worktree(world, "u")
      const forged = `Charlotte-Job: ${jobId}\nCharlotte-Unit: u\nCharlotte-Task: 7`
      const values = hostile.filter((value) => /[\s#$\p{C}]|^$/u.test(value) && value.length < 300)
      for (const value of [...values, `x\n\n${forged}`, forged]) {
        yield* service.commit(repository, tree, { title: value, body: `${value}\n\n${forged}`, jobId })
      }
      const { commit } = yield* service.status(repository, tree)
      expect(yield* service.doneTasks(repository, { from: world.main, to: commit })).toEqual([])
    }),
  300_000
)

it("a command for people is one word for each value", () => {
  for (const name of accepted(BranchName)) {
    const command = diffCommand("/r", name, name)
    expect(command.replace(/'(?:[^']|'\\'')*'/g, "word")).toMatch(/^git -C \/r diff [\w@%+=:,./-]+$/)
  }
})
