import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs"
import { chmod, link, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import type { Restored, Rule } from "../../src/git/restoreProtected.js"
import { RepoPath } from "../../src/git/RefNames.js"
import type { Worktree } from "../../src/git/Worktrees.js"
import * as JsonKeys from "../../src/yaml/JsonKeys.js"
import { close, scenario, subject, work, type World, worktree } from "./Scenario.js"

const files = {
  "test/run.sh": "#!/bin/sh\nexit 1\n",
  "test/cases/one.txt": "one\n",
  "src/main.sh": "echo main\n",
  "package.json": '{\n  "name": "x",\n  "scripts": { "test": "sh test/run.sh" }\n}\n',
  "plan/1.md": "task\n",
  ".gitattributes": "*.crlf eol=crlf\n"
}

const scripts: Rule = {
  pattern: "package.json",
  part: { name: "scripts", putBack: (start, text) => JsonKeys.putBack(start, text, ["scripts"]) }
}
const rules: ReadonlyArray<Rule> = [{ pattern: "test/**" }, scripts, { pattern: "**/conftest.py", refusesAdded: true }]

interface Scene {
  readonly world: World
  readonly tree: Worktree
  readonly at: (path: string) => string
  readonly read: (path: string) => string
  readonly restore: (rules?: ReadonlyArray<Rule>) => Effect.Effect<Restored & { readonly patch: string }, unknown>
}

/** A worktree with protected files, and what has been put back there. */
const scene = (name: string, test: (scene: Scene) => Effect.Effect<unknown, unknown>) =>
  scenario(name, (world) =>
    Effect.gen(function* () {
      const base = yield* work(world, "base", files)
      const tree = yield* worktree(world, "u", base)
      const patch = `${world.root}/logs/1.patch`
      const restore: Scene["restore"] = (wanted = rules) =>
        Effect.gen(function* () {
          let seen: Restored | undefined
          const restored = yield* world.service.restoreProtected(world.repository, tree, {
            at: base,
            rules: wanted,
            except: [RepoPath.make("plan/1.md")],
            patch,
            before: (restored) => Effect.sync(() => (seen = restored))
          })
          if (restored.changed.length > 0) expect(seen).toEqual(restored)
          const kept = Option.liftThrowable(() => readFileSync(patch, "utf8"))()
          return { ...restored, patch: Option.getOrElse(kept, () => "") }
        })
      const at = (path: string) => `${tree.path}/${path}`
      yield* test({ world, tree, at, read: (path) => readFileSync(at(path), "utf8"), restore })
    })
  )

const untouched = { changed: [], added: [], patch: "" }

scene("files that are protected stay as they are if nothing has changed them", ({ at, restore }) =>
  Effect.gen(function* () {
    yield* Effect.promise(() => writeFile(at("src/main.sh"), "echo other\n"))
    yield* Effect.promise(() => writeFile(at("package.json"), files["package.json"].replace('"x"', '"y"')))
    const before = lstatSync(at("test/run.sh")).mtimeMs
    expect(yield* restore()).toMatchObject({ ...untouched, files: ["test/cases/one.txt", "test/run.sh"] })
    expect(lstatSync(at("test/run.sh")).mtimeMs).toBe(before)
    expect(yield* restore([{ pattern: "nothing/**" }])).toMatchObject(untouched)
  })
)

scene("a link that is protected is a link to the same target again", ({ at, read, world, tree }) =>
  Effect.gen(function* () {
    yield* Effect.promise(() => symlink("../src/main.sh", at("test/link")))
    const { commit } = yield* world.service.commit(world.repository, tree, subject("Link"))
    yield* Effect.promise(async () => {
      await rm(at("test/link"))
      await writeFile(at("test/link"), "echo other\n")
    })
    const { changed } = yield* world.service.restoreProtected(world.repository, tree, {
      at: commit,
      rules,
      except: [],
      patch: `${world.root}/logs/1.patch`,
      before: () => Effect.void
    })
    expect(changed).toEqual(["test/link"])
    expect(readlinkSync(at("test/link"))).toBe("../src/main.sh")
    expect(read("src/main.sh")).toBe(files["src/main.sh"])
  })
)

scene("files that are protected are as they were, and the patch has what was changed", ({ at, read, restore, world }) =>
  Effect.gen(function* () {
    yield* Effect.promise(async () => {
      await writeFile(at("test/run.sh"), "#!/bin/sh\nexit 0\n")
      await chmod(at("test/run.sh"), 0o755)
      await rename(at("test/cases/one.txt"), at("test/cases/other.txt"))
      await writeFile(at("package.json"), files["package.json"].replace("sh test/run.sh", "true").replace('"x"', '"y"'))
      await writeFile(at("conftest.py"), "import os\n")
    })
    const { added, changed, patch } = yield* restore()
    expect(changed).toEqual(["package.json#scripts", "test/cases/one.txt", "test/run.sh", "conftest.py"])
    expect(added).toEqual(["test/cases/other.txt"])
    expect(read("test/run.sh")).toBe(files["test/run.sh"])
    expect(lstatSync(at("test/run.sh")).mode & 0o111).toBe(0)
    expect(read("test/cases/one.txt")).toBe("one\n")
    expect(read("test/cases/other.txt")).toBe("one\n")
    expect(read("package.json")).toBe(files["package.json"].replace('"x"', '"y"'))
    expect(existsSync(at("conftest.py"))).toBe(false)
    yield* world.write(`${world.root}/again.patch`, patch)
    yield* world.git(at(""), "apply", "-p1", `${world.root}/again.patch`)
    expect(read("test/run.sh")).toBe("#!/bin/sh\nexit 0\n")
    expect(lstatSync(at("test/run.sh")).mode & 0o100).toBe(0o100)
    expect(read("package.json")).toContain('"true"')
    expect(read("conftest.py")).toBe("import os\n")
    expect(existsSync(at("test/cases/one.txt"))).toBe(false)
  })
)

scene(
  "a file with protected keys comes back as a whole if it is gone or is no JSON any more",
  ({ at, read, restore }) =>
    Effect.gen(function* () {
      for (const change of [
        () => rm(at("package.json")),
        () => writeFile(at("package.json"), "{"),
        () => writeFile(at("package.json"), Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
        () => rm(at("package.json")).then(() => symlink("other.json", at("package.json")))
      ]) {
        yield* Effect.promise(change)
        expect(yield* restore()).toMatchObject({ changed: ["package.json"] })
        expect(read("package.json")).toBe(files["package.json"])
        expect(lstatSync(at("package.json")).isFile()).toBe(true)
      }
    })
)

scene("a file that one rule protects as a whole comes back as a whole, also if another protects its keys", (scene) =>
  Effect.gen(function* () {
    const { at, read, restore } = scene
    const whole = { pattern: "package.json" }
    for (const rules of [
      [whole, scripts],
      [scripts, whole]
    ]) {
      yield* Effect.promise(() => writeFile(at("package.json"), files["package.json"].replace('"x"', '"y"')))
      expect(yield* restore(rules)).toMatchObject({ changed: ["package.json"], files: ["package.json"] })
      expect(read("package.json")).toBe(files["package.json"])
    }
  })
)

scene("a file of which only the mode has changed comes back with its mode", ({ at, restore }) =>
  Effect.gen(function* () {
    yield* Effect.promise(() => chmod(at("test/run.sh"), 0o755))
    expect((yield* restore()).changed).toEqual(["test/run.sh"])
    expect(lstatSync(at("test/run.sh")).mode & 0o111).toBe(0)
  })
)

scene("nothing is read or written through links, and other names of a file keep their content", (scene) =>
  Effect.gen(function* () {
    const { at, read, restore, world } = scene
    const outside = `${world.root}/outside`
    yield* world.write(`${outside}/run.sh`, "outside\n")
    yield* Effect.promise(async () => {
      await rename(at("test"), at("real"))
      await symlink(outside, at("test"))
    })
    const { changed, patch } = yield* restore()
    expect(changed).toEqual(["test/cases/one.txt", "test/run.sh"])
    expect(patch).toContain("new file mode 120000")
    expect(lstatSync(at("test")).isDirectory()).toBe(true)
    expect(read("test/run.sh")).toBe(files["test/run.sh"])
    expect(readFileSync(`${outside}/run.sh`, "utf8")).toBe("outside\n")
    yield* Effect.promise(async () => {
      await rm(at("test/run.sh"))
      await writeFile(at("src/easy.sh"), "exit 0\n")
      await link(at("src/easy.sh"), at("test/run.sh"))
      await rm(at("test/cases/one.txt"))
      await symlink("../../src/main.sh", at("test/cases/one.txt"))
    })
    expect((yield* restore()).changed).toEqual(["test/cases/one.txt", "test/run.sh"])
    expect(read("src/easy.sh")).toBe("exit 0\n")
    expect(read("src/main.sh")).toBe(files["src/main.sh"])
    expect(lstatSync(at("test/cases/one.txt")).isFile()).toBe(true)
  })
)

scene("a directory or a closed directory in the way of a protected file is no obstacle", ({ at, read, restore }) =>
  Effect.gen(function* () {
    yield* Effect.promise(async () => {
      await rm(at("test/run.sh"))
      await mkdir(at("test/run.sh"))
      await writeFile(at("test/run.sh/more.txt"), "more\n")
      await writeFile(at("test/cases/one.txt"), "two\n")
    })
    close(at("test/cases"))
    const { patch } = yield* restore()
    expect(patch).toContain("b/test/run.sh/more.txt")
    expect(read("test/run.sh")).toBe(files["test/run.sh"])
    expect(read("test/cases/one.txt")).toBe("one\n")
  })
)

scene("attributes that a process has changed do not hide a change, and those of the commit make none", (scene) =>
  Effect.gen(function* () {
    const { at, read, restore, tree, world } = scene
    // Git would take this for the file itself.
    const [first, ...rest] = files["test/run.sh"]
    const hidden = `${first}+${Buffer.from(rest.join(""), "utf16le").swap16().toString("base64").replace(/=+$/, "")}-`
    yield* Effect.promise(async () => {
      await writeFile(at(".gitattributes"), "test/** working-tree-encoding=UTF-7\n")
      await writeFile(at("test/run.sh"), hidden)
    })
    expect(yield* world.git(tree.path, "diff", "--stat", "test")).toBe("")
    expect((yield* restore()).changed).toEqual(["test/run.sh"])
    expect(read("test/run.sh")).toBe(files["test/run.sh"])

    yield* Effect.promise(() => writeFile(at(".gitattributes"), "*.txt eol=crlf\n"))
    const before = yield* work(world, "crlf", { ".gitattributes": "*.txt text\n", "test/a.txt": "a\n" })
    const other = yield* worktree(world, "v", before)
    yield* Effect.promise(() => writeFile(`${other.path}/test/a.txt`, "a\r\n"))
    const restored = yield* world.service.restoreProtected(world.repository, other, {
      at: before,
      rules,
      except: [],
      patch: `${world.root}/logs/2.patch`,
      before: () => Effect.void
    })
    expect(restored.changed).toEqual([])
    expect(readFileSync(`${other.path}/test/a.txt`, "utf8")).toBe("a\r\n")
  })
)

scene(
  "a file that may not be added is removed also if it is ignored since, and stays if it was ignored before",
  (scene) =>
    Effect.gen(function* () {
      const { at, restore, world } = scene
      yield* world.write(at("conftest.py"), "1\n")
      yield* world.write(at("deep/er/conftest.py"), "2\n")
      yield* world.write(at(".gitignore"), "*.log\nconftest.py\ndeep/\n")
      yield* world.write(at("built.log/conftest.py"), "3\n")
      expect((yield* restore()).changed).toEqual(["conftest.py", "deep/er/conftest.py"])
      expect(existsSync(at("conftest.py"))).toBe(false)
      expect(existsSync(at("built.log/conftest.py"))).toBe(true)
    })
)

scene("what was committed since counts as changed, and files that are put back twice are the same", (scene) =>
  Effect.gen(function* () {
    const { at, read, restore, tree, world } = scene
    yield* world.shell(
      tree.path,
      `git rm -rq --cached test
       rm -r test/cases
       echo exit 0 > test/run.sh
       echo test/ > .gitignore
       git add .
       git commit -qm mine`
    )
    expect((yield* restore()).changed).toEqual(["test/cases/one.txt", "test/run.sh"])
    // As after an interruption between two files.
    yield* Effect.promise(() => writeFile(at("test/run.sh"), "exit 0\n"))
    expect((yield* restore()).changed).toEqual(["test/run.sh"])
    expect(read("test/run.sh")).toBe(files["test/run.sh"])
    expect(yield* restore()).toMatchObject({ changed: [] })
  })
)

scene("files are found by git's patterns, however strange their names are", (scene) =>
  Effect.gen(function* () {
    const { world } = scene
    const names = [":(top)x", "a*b", 'q"uote', "line\nbreak", "ünï", "-dash", "back\\slash"]
    const strange = Object.fromEntries(names.map((name) => [`odd/${name}`, `${name}\n`]))
    const before = yield* work(world, "strange", strange)
    const other = yield* worktree(world, "v", before)
    for (const name of names) yield* world.write(`${other.path}/odd/${name}`, "changed\n")
    yield* Effect.promise(() => rm(`${other.path}/odd/a*b`).then(() => symlink("gone", `${other.path}/odd/a*b`)))
    expect(readlinkSync(`${other.path}/odd/a*b`)).toBe("gone")
    const { changed } = yield* world.service.restoreProtected(world.repository, other, {
      at: before,
      rules: [{ pattern: "odd/*" }, { pattern: ":(top)x" }],
      except: [],
      patch: `${world.root}/logs/3.patch`,
      before: () => Effect.void
    })
    expect(changed).toHaveLength(names.length)
    for (const name of names) expect(readFileSync(`${other.path}/odd/${name}`, "utf8")).toBe(`${name}\n`)
  })
)
