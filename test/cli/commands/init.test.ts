import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import * as Repository from "../../support/Repository.js"
import * as CommandLine from "./CommandLine.js"

/** Everything below a directory, with its kind, mode and content. */
const everything = (root: string, directory = ""): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(root, directory)).flatMap((entry): ReadonlyArray<readonly [string, string]> => {
      const name = join(directory, entry)
      const path = join(root, name)
      const stats = lstatSync(path)
      const content = stats.isFile() ? readFileSync(path, "latin1") : stats.isSymbolicLink() ? readlinkSync(path) : ""
      const below = stats.isDirectory() ? everything(root, name) : []
      return [[name, `${stats.mode.toString(8)} ${content}`], ...below]
    })
  )

const written = ["charlotte.yaml", "first", "first/01-hello.md", "first/IMPLEMENTATION_PLAN.md"]

interface Way {
  /** Lines of shell in `$PWD`, a repository with a commit and a `package.json` whose test would leave a file. */
  readonly prepare: string
  /** Relative to the root of the sandbox, in which the repository is `repository`. */
  readonly from?: string
  readonly to?: ReadonlyArray<string>
}

const run = ({ from = "repository", prepare, to = [] }: Way, ...more: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const top = yield* Repository.plain(world)
    const { root } = world
    yield* world.write(`${top}/package.json`, '{"scripts":{"test":"touch ran"}}')
    yield* world.shell(top, "git add . && git commit --quiet -m project")
    yield* world.shell(top, prepare)
    const before = everything(root)
    const variables = { CHARLOTTE_HOME: `${root}/charlotte`, PATH: `${root}/bin` }
    const command = CommandLine.make({ ...world, variables })
    const { code, err, out } = yield* command(["init", ...to, "--repo", `${root}/${from}`, ...more]).answer
    const after = everything(root)
    expect([...before].filter(([name, content]) => after.get(name) !== content)).toEqual([])
    return {
      code,
      err: err.replaceAll(root, ""),
      out,
      added: [...after.keys()].filter((name) => !before.has(name)).sort(),
      top
    }
  })

const refused: ReadonlyArray<readonly [title: string, says: RegExp, way: Way]> = [
  ["a file", /tasks is there already, and is a file/, { prepare: "echo mine > tasks" }],
  ["a symbolic link", /is a symbolic link/, { prepare: "mkdir ../out && ln -s ../out tasks" }],
  ["a dangling symbolic link", /is a symbolic link/, { prepare: "ln -s ../nowhere tasks" }],
  ["a link to a file", /is a symbolic link/, { prepare: "ln -s a.txt tasks" }],
  ["a FIFO", /is a special file/, { prepare: "mkfifo tasks" }],
  ["Tasks", /Tasks is there already, and some machines cannot tell it from tasks/, { prepare: "mkdir Tasks" }],
  ["a file TASKS", /TASKS is there already/, { prepare: "echo mine > TASKS" }],
  ["other files", /tasks is there already, and is not empty/, { prepare: "mkdir tasks && echo mine > tasks/a.rb" }],
  ["a hidden file", /tasks is there already, and is not empty/, { prepare: "mkdir tasks && touch tasks/.keep" }],
  [
    "charlotte.yaml",
    /tasks is a directory of tasks already; add a task with: charlotte task new UNIT TITLE/,
    { prepare: "mkdir tasks && echo mine > tasks/charlotte.yaml" }
  ],
  ["a directory charlotte.yaml", /tasks is a directory of tasks/, { prepare: "mkdir -p tasks/charlotte.yaml" }],
  [
    "a link charlotte.yaml",
    /tasks is a directory of tasks/,
    { prepare: "mkdir tasks && ln -s ../a.txt tasks/charlotte.yaml" }
  ],
  ["a task", /tasks is a directory of tasks/, { prepare: "mkdir tasks && echo mine > tasks/01-mine.md" }],
  ["a unit", /tasks is a directory of tasks/, { prepare: "mkdir -p tasks/a && touch tasks/a/IMPLEMENTATION_PLAN.md" }],
  [
    "what an interrupted init may leave",
    /tasks is a directory of tasks already; add a task with: charlotte task new UNIT TITLE/,
    { prepare: "mkdir -p tasks/first && echo > tasks/charlotte.yaml && touch tasks/first/IMPLEMENTATION_PLAN.md" }
  ],
  ["an ignored name", /git ignores tasks; name another directory/, { prepare: "echo tasks/ >> .gitignore" }],
  [
    "a link above it",
    /dir-link is there already, and is a symbolic link/,
    { prepare: "ln -s dir dir-link", to: ["dir-link/new"] }
  ],
  ["a file above it", /a\.txt is there already, and is a file/, { prepare: "", to: ["a.txt/new"] }],
  ["a directory above it in another case", /dir is there already, and some machines/, { prepare: "", to: ["DIR/new"] }],
  [
    "a directory outside",
    /\.\.\/out is outside the repository \/repository/,
    { prepare: "mkdir ../out", to: ["../out"] }
  ],
  ["a link to outside", /is a symbolic link/, { prepare: "mkdir ../out && ln -s ../out out", to: ["out/new"] }],
  [".git", /is inside \.git/, { prepare: "", to: [".git/tasks"] }],
  [".GIT", /is inside \.git/, { prepare: "", to: [".GIT/tasks"] }],
  ["another repository", /sub is in another repository/, { prepare: "git init --quiet sub", to: ["sub/tasks"] }],
  ["the top level", /\. is there already, and is not empty/, { prepare: "", to: ["."] }],
  ["a name with a line break", /the name of the directory cannot be used/, { prepare: "", to: ["ta\nsks"] }],
  [
    "no repository",
    /is not the working tree of a git repository.*git init/,
    { prepare: "mkdir ../none", from: "none" }
  ],
  ["a bare repository", /it is a bare repository/, { prepare: "git init --quiet --bare ../bare", from: "bare" }],
  ["a git directory", /it is inside a git directory/, { prepare: "", from: "repository/.git" }],
  ["a directory that does not exist", /it does not exist/, { prepare: "", from: "gone" }]
]

const accepted: ReadonlyArray<readonly [title: string, way: Way, where?: string]> = [
  ["an empty directory", { prepare: "mkdir tasks" }, "repository/tasks"],
  ["a subdirectory", { prepare: "", from: "repository/dir" }],
  ["a directory that is named", { prepare: "", to: ["dir/new/tasks"] }, "repository/dir/new/tasks"],
  ["a repository without a commit", { prepare: "git init --quiet ../unborn", from: "unborn" }, "unborn/tasks"],
  ["a linked worktree", { prepare: "git worktree add --quiet ../linked", from: "linked" }, "linked/tasks"],
  ["a detached HEAD", { prepare: "git switch --quiet --detach" }],
  [
    "a submodule",
    {
      prepare:
        "git init --quiet ../other && git -C ../other commit --quiet --allow-empty -m one && git -c protocol.file.allow=always submodule --quiet add ../other sub",
      from: "repository/sub"
    },
    "repository/sub/tasks"
  ],
  ["a path with a symbolic link", { prepare: "ln -s repository ../link", from: "link" }],
  [
    "files with CRLF line endings",
    {
      prepare: String.raw`printf '{\r\n"scripts":{"test":"x"},\r\n"dependencies":{}}\r\n' > package.json; printf '*.log\r\n' > .gitignore`
    }
  ],
  ["a directory .charlotte", { prepare: "mkdir -p .charlotte/worktrees && echo mine > .charlotte/charlotte.db" }],
  [
    "staged and changed files",
    { prepare: "echo staged > a.txt && git add a.txt && echo dirty > a.txt && echo new > new" }
  ],
  [
    "hooks and programs in the configuration",
    {
      prepare: `for hook in pre-commit post-checkout post-index-change fsmonitor-watchman; do
        printf '#!/bin/sh\\ntouch %s/ran\\n' "$PWD" > .git/hooks/$hook && chmod +x .git/hooks/$hook; done
        git config core.fsmonitor .git/hooks/fsmonitor-watchman`
    }
  ]
]

describe("charlotte init", () => {
  it.scopedLive.each(refused)("writes nothing where there is %s", ([, says, way]) =>
    Effect.gen(function* () {
      const { added, code, err, out } = yield* run(way)
      expect(err).toMatch(says)
      expect([code, out, added]).toEqual([2, "", []])
    })
  )

  it.scopedLive.each(accepted)("writes three files, and nothing else, in %s", ([, way, where = "repository/tasks"]) =>
    Effect.gen(function* () {
      const { added, code, err } = yield* run(way)
      expect([code, err]).toEqual([0, ""])
      const isNew = (name: string) => written.includes(name)
      expect(added.filter((name) => name.startsWith(`${where}/`)).map((name) => name.slice(where.length + 1))).toEqual(
        written
      )
      expect(
        added.filter((name) => !isNew(name.slice(where.length + 1)) && !`${where}/`.startsWith(`${name}/`))
      ).toEqual([])
    })
  )

  it.scopedLive("prints what it has found, or that it has found none, and what else keeps a job from beginning", () =>
    Effect.gen(function* () {
      const found = yield* run({
        prepare: "mkdir ../bin && printf '#!/bin/sh\\n' > ../bin/codex && chmod +x ../bin/codex"
      })
      expect(found.out).toMatch(/^project {2}npm\ngate {5}npm test\nagent {4}codex\n/)
      const none = yield* run({ prepare: "rm package.json && git switch --quiet --detach" })
      expect(none.out).toContain(
        "gate     no command that runs tests was found: write it as baseline in charlotte.yaml, such as baseline: [make test]; the first task is judged by its file alone\n"
      )
      expect(none.out).toContain(
        "agent    script, which runs the sh blocks of tasks, since no coding agent is on the PATH\n"
      )
      expect(none.out).toMatch(/first {2}HEAD is detached, .*git switch/)
      const around = yield* run({ prepare: "git init --quiet ..", from: "." })
      expect(around.out).toMatch(/first {2}\S*\/charlotte\/worktrees lies inside .*set CHARLOTTE_HOME/)
    })
  )

  it.scopedLive(
    "prints the commands that make a job possible: who commits, what git has to ignore, and the first commit",
    () =>
      Effect.gen(function* () {
        const { out } = yield* run(
          {
            prepare:
              "git init --quiet ../unborn && cd ../unborn && echo '{\"dependencies\":{}}' > package.json && printf '*.log' > .gitignore && rm ../home/.gitconfig",
            from: "unborn"
          },
          "--json"
        )
        const { next }: { readonly next: ReadonlyArray<string> } = JSON.parse(out)
        expect(next.map((line) => line.replace(/\S*(\/[\w-]+\/unborn)/g, "UNBORN"))).toEqual([
          "git -C UNBORN config user.name 'Your Name'",
          "git -C UNBORN config user.email you@example.com",
          "printf '\\n%s/\\n' node_modules >> UNBORN/.gitignore",
          "git -C UNBORN add --all && git -C UNBORN commit --message 'A first commit'",
          "charlotte run UNBORN/tasks --repo UNBORN"
        ])
      })
  )

  it.scopedLive("commits nothing but the tasks where a project leaves nothing that git has to ignore", () =>
    Effect.gen(function* () {
      const prepare = "git rm --quiet package.json && touch go.mod && git add go.mod && git commit --quiet -m go"
      const { out, top } = yield* run({ prepare }, "--json")
      const { next }: { readonly next: ReadonlyArray<string> } = JSON.parse(out)
      expect(next.map((line) => line.replaceAll(top, "TOP"))).toEqual([
        "git -C TOP add -- TOP/tasks && git -C TOP commit --message 'A first task' -- TOP/tasks",
        "charlotte run TOP/tasks --repo TOP"
      ])
    })
  )

  it.scopedLive("says how agents can read an .env that git ignores", () =>
    Effect.gen(function* () {
      const { top } = yield* run({ prepare: "touch .env && echo .env >> .gitignore" })
      expect(readFileSync(`${top}/tasks/charlotte.yaml`, "utf8")).toContain("\n# copy: [.env]\n")
    })
  )

  it.scopedLive("names a file for the first task that is not there yet", () =>
    Effect.gen(function* () {
      const { top } = yield* run({ prepare: "touch .env hello.md HELLO-2.md" })
      expect(readFileSync(`${top}/tasks/first/01-hello.md`, "utf8")).toContain(
        "backpressure: test -s HELLO-3.md && npm test\n"
      )
      expect(readFileSync(`${top}/tasks/charlotte.yaml`, "utf8")).not.toContain(".env")
    })
  )
})

describe("charlotte task new", () => {
  const files = {
    "tasks/api/IMPLEMENTATION_PLAN.md": "",
    "tasks/api/01-a.md": "",
    "tasks/api/007-b.md": "",
    "tasks/named/IMPLEMENTATION_PLAN.md": "---\nunit: web\n---\n"
  }

  const repository = Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const top = yield* Repository.plain(world)
    for (const [file, text] of Object.entries(files)) yield* world.write(`${top}/${file}`, text)
    const command = CommandLine.make({ ...world, variables: { CHARLOTTE_HOME: `${world.root}/charlotte` } })
    const create = (words: ReadonlyArray<string>, terminal?: CommandLine.Terminal) =>
      Effect.map(command(["task", "new", ...words, "--repo", top], terminal).answer, ({ code, err, out }) => ({
        code,
        err: err.replaceAll(top, ""),
        out: out.replaceAll(top, "")
      }))
    return { world, top, create }
  })

  it.scopedLive("writes the next number of a unit, of whatever directory, and prints the path", () =>
    Effect.gen(function* () {
      const { create, top, world } = yield* repository
      const first = yield* create(["api", 'Say "no": # C #', "--gate", "make test # all"])
      expect(first).toEqual({ code: 0, err: "", out: "/tasks/api/008-say-no-c.md\n" })
      expect(readFileSync(`${top}/tasks/api/008-say-no-c.md`, "utf8")).toMatch(
        /^---\ntask: 8\n.*\nbackpressure: "make test # all"\n---\n\n# Say "no": # C # #\n$/
      )
      yield* world.write(`${top}/go.mod`, "")
      expect((yield* create(["web", "x"])).out).toBe("/tasks/named/01-x.md\n")
      expect(readFileSync(`${top}/tasks/named/01-x.md`, "utf8")).toContain("\nbackpressure: go test ./...\n")
      const fresh = yield* create(["parser", "../../x", "--json"])
      expect(JSON.parse(fresh.out)).toMatchObject({ file: "/tasks/parser/01-x.md", task: 1, isNewUnit: true })
      expect(readFileSync(`${top}/tasks/parser/IMPLEMENTATION_PLAN.md`, "utf8")).toBe("")
      const shown = yield* create(["parser", "y"], { isTerminal: true, columns: 200 })
      expect(shown.out).toMatch(
        /^\/tasks\/parser\/02-y\.md\nwrite below its title .*\n {2}git .* commit --message y -- /
      )
    })
  )

  it.scopedLive("says that there is no gate, and refuses what it cannot write", () =>
    Effect.gen(function* () {
      const { create, top, world } = yield* repository
      expect((yield* create(["api", "x"])).err).toMatch(/^charlotte: it has no gate yet: set backpressure/)
      const before = everything(top)
      const refusal = (...words: ReadonlyArray<string>) =>
        Effect.map(create(words), ({ code, err }) => {
          expect(code).toBe(2)
          return err
        })
      expect(yield* refusal("api", " \n")).toMatch(/the title is empty; quote it/)
      expect(yield* refusal("API", "x")).toMatch(/there is a unit api; use that name/)
      expect(yield* refusal("Named", "x")).toMatch(/named is there already, and some machines/)
      expect(yield* refusal("../up", "x")).toMatch(/"..\/up" cannot be the name of a unit/)
      expect(yield* refusal("api", "x", "--tasks", "none")).toMatch(/none .*does not exist.*charlotte init/)
      expect(yield* refusal("web", "x", "--tasks", "tasks/api")).toMatch(
        /tasks\/api has task files itself, so it is one unit, api/
      )
      yield* world.shell(top, "ln -s ../../dir tasks/linked")
      expect(yield* refusal("linked", "x")).toMatch(/is a symbolic link/)
      yield* world.shell(top, "rm tasks/linked")
      expect(everything(top)).toEqual(before)
    })
  )
})
