import { describe, expect, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { unknownId } from "../../support/jobs.js"
import { task, unit } from "../../tasks/Jobs.js"
import { forbidden } from "../hostile.js"
import * as Charlotte from "../process/Charlotte.js"
import * as Daemon from "../process/Daemon.js"
import * as CommandLine from "./CommandLine.js"
import { escapes, Here, layer as daemon, tasks } from "./Here.js"

const name = `${escapes}a "b".txt`

/** `wide` does to files what can be done to them. */
const files = (root: string) => ({
  ...tasks(root),
  "wide/charlotte.yaml": "agent: script\nattempts: 1\n",
  "wide/a/IMPLEMENTATION_PLAN.md": unit(),
  "wide/a/01-one.md": task(
    1,
    [
      `printf '%s\\n' '${escapes}' > '${name}'`,
      "printf 'one\\n2\\nthree' > a.txt",
      "git mv b.txt 'moved b.txt'",
      "chmod +x .gitignore",
      "rm dir/c.txt",
      "ln -s ../a.txt dir/c.txt",
      "printf '\\000' > binary"
    ].join("\n"),
    "true"
  ),
  "wide/b/IMPLEMENTATION_PLAN.md": unit(["a"]),
  "wide/b/01-two.md": task(1, "echo two > two.txt", "true"),
  // The first attempt is discarded.
  "lost/charlotte.yaml": "agent: script\nattempts: 2\n",
  "lost/a/IMPLEMENTATION_PLAN.md": unit(),
  "lost/a/01-one.md": task(
    1,
    `test -e '${root}/lost' || { touch '${root}/lost'; echo lost > lost.txt; git checkout -q --detach; }`,
    "true"
  )
})

layer(daemon(files), { excludeTestServices: true, timeout: "5 minutes" })("charlotte diff", (it) => {
  it.scoped("prints a patch that git applies, of the whole job and of one unit", () =>
    Effect.gen(function* () {
      const { complete, git, repository, root, run, write } = yield* Here
      const id = yield* complete("wide")
      const whole = yield* run("diff", id)
      expect([whole.code, whole.err]).toEqual([0, ""])
      yield* write(`${root}/patch`, whole.out)
      yield* git(root, "clone", "--quiet", repository, "copy")
      // What cannot be in a text is named only, and git refuses to apply that.
      yield* git(`${root}/copy`, "apply", "--index", "--exclude", "binary", `${root}/patch`)
      const tree = (yield* git(`${root}/copy`, "write-tree")).trim()
      const differing = yield* git(
        repository,
        "diff",
        "--no-ext-diff",
        "--name-only",
        tree,
        `charlotte/${id}/result`
      ).pipe(Effect.catchAllDefect(() => Effect.succeed("")))
      expect(yield* git(`${root}/copy`, "ls-files")).toContain("moved b.txt")
      expect(differing.split("\n").filter((file) => file !== "" && file !== "binary")).toEqual([])
      expect(whole.out).toContain("Binary files /dev/null and b/binary differ\n")
      const two = yield* run("diff", "latest", "b")
      expect(two.out).toMatch(/^diff --git a\/tasks\/wide\/b\/01-two.md b\/tasks\/wide\/b\/01-two.md\n--- a\//)
      expect(two.out).toMatch(
        /\ndiff --git a\/two.txt b\/two.txt\nnew file mode 100644\n--- \/dev\/null\n\+\+\+ b\/two.txt\n@@ -0,0 \+1 @@\n\+two\n$/
      )
    })
  )

  it.scoped("prints what one task of a unit has changed", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const one = yield* run("diff", "latest", "b", "--task", "1")
      expect(one).toEqual(yield* run("diff", "latest", "b"))
      expect(one.out).toContain("+++ b/two.txt")
      const { code, err, out } = yield* run("diff", "latest", "b", "--task", "2")
      expect([code, out]).toEqual([2, ""])
      expect(err).toMatch(
        /^charlotte: there is no diff of task 2 of unit b of job (\w{26}): the unit has no such task; see: charlotte show \1\n$/
      )
      expect(yield* run("diff", "latest", "--task", "1")).toEqual({
        code: 2,
        out: "",
        err: "charlotte: --task needs a unit: charlotte diff JOB UNIT --task N; see: charlotte diff --help\n"
      })
      expect((yield* run("diff", "latest", "b", "--task", "1", "--unfinished", "last")).err).toBe(
        "charlotte: --task and --unfinished exclude each other; see: charlotte diff --help\n"
      )
      expect(yield* run("diff", "latest", "b", "--task", "0")).toMatchObject({ code: 2, out: "" })
    })
  )

  it.scoped("prints the changed lines of each file with --stat, and what the API answers with --json", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const stat = yield* run("diff", "latest", "--stat")
      expect(stat.code).toBe(0)
      expect(stat.out).toMatch(/\n a\.txt +\| 4 \+\+--\n/)
      expect(stat.out).toMatch(/\n b\.txt => moved b\.txt +\| 0\n/)
      expect(stat.out).toMatch(/\n binary +\| Bin\n/)
      expect(stat.out).toMatch(/\n 9 files changed, \d+ insertions\(\+\), \d+ deletions\(-\)\n$/)
      const json = JSON.parse((yield* run("diff", "latest", "b", "--json")).out)
      expect(json).toMatchObject({
        base: expect.stringMatching(/^[0-9a-f]{40}$/),
        head: expect.stringMatching(/^[0-9a-f]{40}$/),
        files: [{ path: "tasks/wide/b/01-two.md" }, { path: "two.txt", status: "added", patch: "@@ -0,0 +1 @@\n+two" }]
      })
      expect(JSON.parse((yield* run("diff", "latest", "--json", "--stat")).out).files[0]).not.toHaveProperty("patch")
    })
  )

  it.scoped("strips control sequences on a terminal, and shows that nothing has changed yet", () =>
    Effect.gen(function* () {
      const { fresh, onTerminal, reached, release, run, submit } = yield* Here
      const { code, out } = yield* onTerminal(100, "diff", "latest", "--no-pager")
      expect(code).toBe(0)
      expect(out).not.toMatch(forbidden)
      expect(out).toContain("\n one\n-two\n-three\n+2\n+three\n\\ No newline at end of file\n")
      expect((yield* onTerminal(60, "diff", "latest", "--stat", "--no-pager")).out).not.toMatch(forbidden)
      yield* fresh
      const id = yield* submit("waiting")
      yield* reached
      expect(yield* onTerminal(80, "diff", id)).toMatchObject({
        code: 0,
        out: `· job ${id} has changed nothing so far\n`
      })
      expect(yield* run("diff", id)).toEqual({ code: 0, out: "", err: "" })
      expect((yield* run("diff", id, "a", "--stat")).out).toMatch(/^ tasks\/waiting\/a\/01-one\.md \| 2 \+-\n/)
      yield* release
      expect((yield* run("watch", id)).code).toBe(0)
    })
  )

  it.scoped("explains what it cannot show", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const id = (yield* run("jobs", "--all", "--limit", "1", "--json")).out.match(/"id":"(\w{26})"/)?.[1]
      expect(yield* run("diff", "latest", "nowhere")).toEqual({
        code: 2,
        out: "",
        err: `charlotte: there is no diff of unit nowhere of job ${id}: it has no such unit; see: charlotte show ${id}\n`
      })
      expect(yield* run("diff", unknownId)).toMatchObject({ code: 2, out: "" })
      expect(yield* run("diff")).toMatchObject({
        code: 2,
        err: "charlotte: missing argument <job>; see: charlotte diff --help\n"
      })
    })
  )

  it.scoped("completes jobs, and the units of the job that is named", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const offered = (...words: ReadonlyArray<string>) =>
        Effect.map(run("__complete", ...words), ({ out }) => out.split("\n").map((line) => line.split("\t")[0]))
      expect(yield* offered("diff", "la")).toEqual(["latest", ""])
      expect(yield* offered("diff", "latest", "")).toEqual(["a", "b", ""])
      expect(yield* offered("diff", "latest", "b")).toEqual(["b", ""])
      expect(yield* offered("diff", "nonsense!", "")).toEqual([""])
    })
  )

  it.scoped("ends without a word where its reader is gone", () =>
    Effect.gen(function* () {
      const here = yield* Here
      expect(yield* CommandLine.make(here)(["diff", "latest"], { isClosed: true }).answer).toEqual({
        code: 141,
        out: "",
        err: ""
      })
    })
  )

  it.scoped("prints the unfinished work of a unit by the number of its snapshot", () =>
    Effect.gen(function* () {
      const { complete, run } = yield* Here
      const id = yield* complete("lost")
      expect((yield* run("show", id)).out).toContain(`charlotte diff ${id} a --unfinished 1`)
      const one = yield* run("diff", id, "a", "--unfinished", "1")
      expect(one).toEqual({
        code: 0,
        err: "",
        out: "diff --git a/lost.txt b/lost.txt\nnew file mode 100644\n--- /dev/null\n+++ b/lost.txt\n@@ -0,0 +1 @@\n+lost\n"
      })
      expect(yield* run("diff", id, "a", "--unfinished", "last")).toEqual(one)
      expect((yield* run("diff", id, "a", "--unfinished", "1", "--stat")).out).toMatch(/^ lost\.txt +\| 1 \+\n/)
      expect(yield* run("diff", id, "a", "--unfinished", "2")).toEqual({
        code: 2,
        out: "",
        err: `charlotte: there is no such snapshot of unit a of job ${id}; there is: 1\n`
      })
      expect(yield* run("diff", id, "--unfinished", "1")).toMatchObject({
        code: 2,
        err: "charlotte: --unfinished needs a unit: charlotte diff JOB UNIT --unfinished N; see: charlotte diff --help\n"
      })
      expect(yield* run("diff", id, "a", "--unfinished", "0")).toMatchObject({ code: 2 })
    })
  )
})

describe("charlotte diff without a daemon", () => {
  it.scopedLive(
    "prints the same, and shows it in the pager of a terminal",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(files)
        const run = (...argv: ReadonlyArray<string>) => CommandLine.make(world)(argv).answer
        yield* Daemon.up(world)
        const id = (yield* run("start", "tasks/wide", "--repo", world.repository, "--target", "main")).out.trim()
        yield* run("watch", id)
        const online = yield* run("diff", id)
        yield* Daemon.down(world)
        expect(yield* run("diff", id)).toEqual(online)

        const onTerminal = (command: string, variables: Readonly<Record<string, string>>) =>
          Charlotte.run(world, `exec script --quiet --return --command '${command}' /dev/null`, {
            variables: { SHELL: "/bin/sh", PAGER: "false", ...variables }
          })
        const paged = yield* onTerminal(`charlotte diff ${id} b`, { GIT_PAGER: `tee '${world.root}/paged'` })
        expect(paged.code).toBe(0)
        const shown = readFileSync(`${world.root}/paged`, "utf8")
        expect(shown).toContain("\u001b[32m+two\u001b[39m\n")
        expect(paged.out.replaceAll("\r\n", "\n")).toContain(shown)
        // A pager that is quit before the end is no failure.
        expect(yield* onTerminal(`charlotte diff ${id}`, { GIT_PAGER: "head -n 1" })).toMatchObject({
          code: 0,
          err: ""
        })
        const direct = yield* onTerminal(`charlotte diff ${id} b --no-pager`, { NO_COLOR: "1" })
        expect(direct.out.replaceAll("\r\n", "\n")).toMatch(/\n@@ -0,0 \+1 @@\n\+two\n$/)
      }),
    300_000
  )
})
