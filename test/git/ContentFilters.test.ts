import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { ObjectId } from "../../src/git/RefNames.js"
import { plain, sandbox } from "../support/Repository.js"
import { enter, mainBranch, scenario, serviceOf, subject, work, type World, worktree } from "./Scenario.js"

/** Configures a filter whose program leaves a trace and turns everything into capitals. */
const configure = (world: World, file: string, name = "loud") =>
  Effect.gen(function* () {
    const program = `${world.root}/filter`
    yield* world.write(program, `#!/bin/sh\ntouch '${world.root}/ran'\nexec tr a-z A-Z\n`, 0o755)
    for (const key of ["clean", "smudge"])
      yield* world.git(world.root, "config", "--file", file, `filter.${name}.${key}`, program)
  })

const hasRun = ({ root }: World) => existsSync(`${root}/ran`)

/** What git gives for its own rules and for those of the user's. */
const home = ({ root }: World) => ({
  config: `${root}/home/.gitconfig`,
  attributes: `${root}/home/.config/git/attributes`
})

/** A commit by somebody else's git, past all that is looked at here. */
const foreign = (world: World, files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const path = `${world.root}/foreign`
    yield* world.git(
      world.top,
      "-c",
      "core.hooksPath=/dev/null",
      "worktree",
      "add",
      "--quiet",
      "--detach",
      path,
      "main"
    )
    for (const [file, content] of Object.entries(files)) yield* world.write(`${path}/${file}`, content)
    yield* world.git(path, "add", "--all")
    yield* world.git(path, "commit", "--quiet", "-m", "foreign")
    const commit = ObjectId.make((yield* world.git(path, "rev-parse", "HEAD")).trim())
    yield* world.git(world.top, "worktree", "remove", "--force", path)
    return commit
  })

const filtered = (files: ReadonlyArray<string>, declared: string) => ({
  _tag: "ContentFiltered",
  filter: "loud",
  files,
  declared
})

/** What an agent leaves in a worktree is refused, and the branch stays. */
const refusesCommit = (
  name: string,
  options: {
    readonly prepare: (world: World) => Effect.Effect<unknown>
    readonly files: Readonly<Record<string, string>>
    readonly expected: (world: World) => Readonly<Record<string, unknown>>
  }
) =>
  scenario(`a commit is refused: ${name}`, (world) =>
    Effect.gen(function* () {
      const { repository, service } = world
      yield* options.prepare(world)
      const tree = yield* worktree(world, "u")
      for (const [file, content] of Object.entries(options.files)) yield* world.write(`${tree.path}/${file}`, content)
      const error = yield* Effect.flip(service.commit(repository, tree, subject("x")))
      expect(error).toMatchObject(options.expected(world))
      expect((yield* service.status(repository, tree)).commit).toBe(world.main)
      expect(hasRun(world)).toBe(false)
    })
  )

refusesCommit("rules of the agent, for its own file, with a filter of the user's", {
  prepare: (world) => configure(world, home(world).config),
  files: { ".gitattributes": "*.x filter=loud\n", "new.x": "new\n" },
  expected: (world) => ({ ...filtered(["new.x"], ".gitattributes"), configured: home(world).config })
})
refusesCommit("rules of the agent, for files that it has not changed", {
  prepare: (world) => configure(world, home(world).config),
  files: { "dir/.gitattributes": "* filter=loud\n" },
  expected: () => filtered(["dir/.gitattributes", "dir/c.txt"], "dir/.gitattributes")
})
refusesCommit("a macro", {
  prepare: (world) => configure(world, home(world).config),
  files: { ".gitattributes": "[attr]shout filter=loud\n", "dir/.gitattributes": "c.txt shout\n" },
  expected: () => filtered(["dir/c.txt"], ".gitattributes")
})
refusesCommit("a file for which the user's own attributes ask", {
  prepare: (world) =>
    Effect.zipRight(configure(world, home(world).config), world.write(home(world).attributes, "*.x filter=loud\n")),
  files: { "new.x": "new\n" },
  expected: (world) => filtered(["new.x"], home(world).attributes)
})
refusesCommit("a file that LFS would keep, where LFS is not installed", {
  prepare: () => Effect.void,
  files: { ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": "big\n" },
  expected: () => ({ _tag: "ContentFiltered", filter: "lfs", files: ["a.bin"], configured: null })
})

scenario("a commit is no business of filters that no file asks for, or that have no program", (world) =>
  Effect.gen(function* () {
    const { repository, service } = world
    yield* configure(world, home(world).config)
    const tree = yield* worktree(world, "u")
    yield* world.write(
      `${tree.path}/.gitattributes`,
      "*.none filter=loud\n*.x filter=unknown\n*.y !filter\n*.z -filter\n"
    )
    for (const file of ["a.x", "a.y", "a.z"]) yield* world.write(`${tree.path}/${file}`, `${file}\n`)
    const { commit } = yield* service.commit(repository, tree, subject("x"))
    expect(yield* world.git(tree.path, "show", `${commit}:a.x`)).toBe("a.x\n")
  })
)

/** Nothing of it comes to the checkout, and no program is run. */
const refusesLanding = (
  name: string,
  options: {
    readonly prepare: (world: World) => Effect.Effect<unknown>
    readonly files: Readonly<Record<string, string>>
    readonly afterOpening?: (world: World) => Effect.Effect<unknown>
    readonly expected: Readonly<Record<string, unknown>>
  }
) =>
  it.scopedLive(`a landing in a checkout is refused: ${name}`, () =>
    Effect.gen(function* () {
      const box = yield* sandbox
      const top = yield* plain(box)
      const before = yield* enter(box, top)
      const commit = yield* foreign(before, options.files)
      yield* options.prepare(before)
      const world = yield* enter(box, top)
      yield* options.afterOpening?.(world) ?? Effect.void
      const status = yield* world.git(top, "status", "--porcelain")
      const error = yield* Effect.flip(
        world.service.advance(world.repository, mainBranch, { from: world.main, to: commit })
      )
      expect(error).toMatchObject(options.expected)
      expect(hasRun(world)).toBe(false)
      expect(yield* world.git(top, "rev-parse", "main")).toBe(`${world.main}\n`)
      expect(yield* world.git(top, "status", "--porcelain")).toBe(status)
    })
  )

const rules = { ".gitattributes": "*.x filter=loud\n", "new.x": "new\n" }

refusesLanding("a filter of the repository", {
  prepare: (world) => configure(world, `${world.top}/.git/config`),
  files: rules,
  expected: filtered(["new.x"], ".gitattributes")
})
refusesLanding("a filter of the user's", {
  prepare: (world) => configure(world, home(world).config),
  files: rules,
  expected: filtered(["new.x"], ".gitattributes")
})
refusesLanding("a filter that the user has configured since the job began", {
  prepare: () => Effect.void,
  files: rules,
  afterOpening: (world) => configure(world, home(world).config),
  expected: filtered(["new.x"], ".gitattributes")
})
refusesLanding("attributes of the repository that no commit holds", {
  prepare: (world) =>
    Effect.zipRight(
      configure(world, `${world.top}/.git/config`),
      world.write(`${world.top}/.git/info/attributes`, "*.x filter=loud\n")
    ),
  files: { "new.x": "new\n" },
  expected: { _tag: "ContentFiltered", declared: expect.stringMatching(/\.git\/info\/attributes$/) }
})
refusesLanding("attributes that lie in the checkout uncommitted", {
  prepare: (world) =>
    Effect.zipRight(
      configure(world, `${world.top}/.git/config`),
      world.write(`${world.top}/dir/.gitattributes`, "*.x filter=loud\n")
    ),
  files: { "dir/new.x": "new\n" },
  expected: filtered(["dir/new.x"], "dir/.gitattributes")
})

it.scopedLive("a landing runs no program for rules that only together ask for it", () =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const top = yield* plain(box)
    yield* box.write(`${top}/.gitattributes`, "*.other -text\n")
    yield* box.git(top, "add", ".")
    yield* box.git(top, "commit", "--quiet", "-m", "attributes")
    const before = yield* enter(box, top)
    const commit = yield* foreign(before, { ".gitattributes": "[attr]shout filter=loud\n", "dir/new.x": "new\n" })
    yield* configure(before, `${top}/.git/config`)
    yield* box.write(`${top}/dir/.gitattributes`, "*.x shout\n")
    const world = yield* enter(box, top)
    yield* world.service.advance(world.repository, mainBranch, { from: world.main, to: commit })
    expect(hasRun(world)).toBe(false)
  })
)

scenario("a worktree with a file that asks for a filter is not made", (world) =>
  Effect.gen(function* () {
    const commit = yield* foreign(world, rules)
    yield* configure(world, home(world).config)
    expect(yield* Effect.flip(worktree(world, "u", commit))).toMatchObject(filtered(["new.x"], ".gitattributes"))
    expect(existsSync(`${world.root}/worktrees/u`)).toBe(false)
    expect(hasRun(world)).toBe(false)
  })
)

scenario("a merge of rules with the files that they are for is refused", (world) =>
  Effect.gen(function* () {
    yield* configure(world, home(world).config)
    const ours = yield* work(world, "rules", { ".gitattributes": "*.x filter=loud\n" })
    const theirs = yield* work(world, "files", { "new.x": "new\n" })
    const merge = world.service.merge(world.repository, { ours, theirs, subject: subject("Merge") })
    expect(yield* Effect.flip(merge)).toMatchObject(filtered(["new.x"], ".gitattributes"))
    expect(hasRun(world)).toBe(false)
  })
)

scenario("a merge of files that a merge driver of the user's is for is a conflict", (world) =>
  Effect.gen(function* () {
    const { repository, service, top } = world
    yield* world.write(`${world.root}/driver`, `#!/bin/sh\ntouch '${world.root}/ran'\n`, 0o755)
    yield* world.git(top, "config", "--file", home(world).config, "merge.mine.driver", `${world.root}/driver`)
    const base = yield* work(world, "base", { ".gitattributes": "a.txt merge=mine\nb.txt merge=union\n" })
    const ours = yield* work(world, "ours", { "a.txt": "ONE\ntwo\nthree\n", "b.txt": "ours\n" }, base)
    const theirs = yield* work(world, "theirs", { "a.txt": "one\ntwo\nTHREE\n", "b.txt": "theirs\n" }, base)
    expect(yield* service.merge(repository, { ours, theirs, subject: subject("Merge") })).toEqual({
      _tag: "Conflict",
      files: ["a.txt"]
    })
    expect(hasRun(world)).toBe(false)
  })
)

scenario(
  "a file for a merge driver of the user's is no conflict where both sides have merged the same change",
  (world) =>
    Effect.gen(function* () {
      const { repository, service, top } = world
      yield* world.git(top, "config", "--file", home(world).config, "merge.mine.driver", "false")
      const base = yield* work(world, "base", { ".gitattributes": "a.txt merge=mine\n" })
      const left = yield* work(world, "left", { "left.txt": "left\n" }, base)
      const right = yield* work(world, "right", { "a.txt": "right\ntwo\nthree\n" }, base)
      const merge = (ours: ObjectId, theirs: ObjectId) =>
        Effect.flatMap(service.merge(repository, { ours, theirs, subject: subject("Merge") }), (merged) =>
          merged._tag === "Merged" ? Effect.succeed(merged.commit) : Effect.dieMessage(merged._tag)
        )
      const ours = yield* merge(left, right)
      const start = yield* merge(right, left)
      const theirs = yield* work(world, "theirs", { "a.txt": "right\ntwo\ntheirs\n" }, start)
      expect(yield* world.git(top, "show", `${yield* merge(ours, theirs)}:a.txt`)).toBe("right\ntwo\ntheirs\n")
    })
)

/** What is said when a job is submitted. */
const problem = (
  name: string,
  prepare: (world: World) => Effect.Effect<unknown>,
  message: RegExp,
  variables: Readonly<Record<string, string>> = {}
) =>
  it.scopedLive(`a file in the target that asks for a filter is a problem: ${name}`, () =>
    Effect.gen(function* () {
      const box = yield* sandbox
      const top = yield* plain(box)
      const root = { GIT_CONFIG_SYSTEM: `${box.root}/system` }
      const environment = { ...box.environment, variables: { ...box.environment.variables, ...root, ...variables } }
      const world = yield* enter({ ...box, environment }, top)
      yield* prepare(world)
      const service = yield* serviceOf(world)
      const found = yield* service.problems(yield* service.open(top), mainBranch)
      expect(found.map(({ kind }) => kind)).toEqual(["filter"])
      expect(found[0]?.message).toMatch(message)
      expect(hasRun(world)).toBe(false)
    })
  )

problem(
  "by the user's attributes and configuration",
  (world) =>
    Effect.zipRight(configure(world, home(world).config), world.write(home(world).attributes, "b.txt filter=loud\n")),
  /content filter loud is not supported.*home\/\.config\/git\/attributes requires it for b\.txt, and .*home\/\.gitconfig configures its program/
)
problem(
  "by a file of attributes that the user has named",
  (world) =>
    Effect.gen(function* () {
      yield* configure(world, home(world).config)
      yield* world.write(`${world.root}/home/mine`, "b.txt filter=loud\n")
      yield* world.git(world.root, "config", "--global", "core.attributesFile", "~/mine")
    }),
  /home\/mine requires it for b\.txt/
)
problem(
  "by the configuration of the machine",
  (world) =>
    Effect.gen(function* () {
      yield* configure(world, `${world.root}/system`)
      yield* world.write(`${world.root}/mine`, "b.txt filter=loud\n")
      yield* world.git(
        world.root,
        "config",
        "--file",
        `${world.root}/system`,
        "core.attributesFile",
        `${world.root}/mine`
      )
    }),
  /\/mine requires it for b\.txt, and .*\/system configures its program/
)
problem(
  "by attributes of the repository that no commit holds",
  (world) =>
    Effect.gen(function* () {
      yield* configure(world, `${world.top}/.git/config`)
      yield* Effect.promise(() => mkdir(`${world.top}/.git/info`, { recursive: true }))
      yield* world.write(`${world.top}/.git/info/attributes`, "* filter=loud\n")
    }),
  /info\/attributes requires it for \.gitignore, a\.txt, b\.txt, and .*config configures its program/
)
