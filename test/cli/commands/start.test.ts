import { expect, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { JobId } from "charlotte"
import { forbidden } from "../hostile.js"
import { escapes, Here, layer as daemon, tasks } from "./Here.js"

const Submitted = Schema.parseJson(Schema.Struct({ id: JobId.JobId }))

/** Two jobs at a time. */
const files = (root: string) => ({
  ...tasks(root),
  [`bent${escapes}/a/IMPLEMENTATION_PLAN.md`]: "---\ndepends_on: [nobody]\n---\n",
  [`bent${escapes}/a/01-one.md`]: `---\ntask: 1\nbackpressure: ""\n---\n\n# One\n`
})

layer(daemon(files, { CHARLOTTE_MAX_JOBS: "2" }), { excludeTestServices: true, timeout: "5 minutes" })(
  "charlotte start",
  (it) => {
    it.scoped("prints only the job id in a pipe, and also how to watch it on a terminal", () =>
      Effect.gen(function* () {
        const { onTerminal, repository, run } = yield* Here
        const words = ["start", "tasks/good", "--repo", repository, "--no-land"]
        const { code, err, out } = yield* run(...words, "--label", "a=b")
        expect([code, err, out]).toEqual([0, "", expect.stringMatching(/^\w{26}\n$/)])
        const id = out.trim()
        expect((yield* run("watch", id)).code).toBe(0)
        const terminal = yield* onTerminal(80, ...words)
        expect(terminal.out).toMatch(/^(\w{26})\nwatch it with: charlotte watch \1\n$/)
        yield* run("watch", "latest")
        const json = yield* run(...words, "--json")
        expect([json.code, json.err]).toEqual([0, ""])
        expect((yield* run("watch", Schema.decodeSync(Submitted)(json.out).id)).code).toBe(0)
      })
    )

    it.scoped("validates everything and starts nothing with --dry-run", () =>
      Effect.gen(function* () {
        const { repository, run } = yield* Here
        const before = yield* run("jobs")
        const { code, out } = yield* run("start", "tasks/good", "--repo", repository, "--dry-run")
        expect(code).toBe(0)
        expect(out).toMatch(/^wave 1\n└─ a\n {3}└─ 1 Good red ?work\n[^]*1 to do, agent script\n$/)
        expect((yield* run("jobs")).out.split("\n")).toHaveLength(before.out.split("\n").length)
      })
    )

    it.scoped("is refused at capacity or on a conflict, naming the job and the fix", () =>
      Effect.gen(function* () {
        const { git, reached, repository, run } = yield* Here
        const start = (branch: string, ...more: ReadonlyArray<string>) =>
          run("start", "tasks/waiting", "--repo", repository, "--target", branch, ...more)
        const id = (yield* start("main")).out.trim()
        yield* reached
        expect(yield* start("main")).toEqual({
          code: 75,
          out: "",
          err: expect.stringMatching(
            new RegExp(
              `^charlotte: job ${id} already works on branch main of ${repository}; watch it with: charlotte watch ${id}; to wait behind it, add --key KEY --on-key queue\\n$`
            )
          )
        })
        const conflict = yield* start("main", "--json")
        expect([conflict.code, JSON.parse(conflict.err)]).toMatchObject([75, { _tag: "JobConflict", jobId: id }])

        for (const branch of ["other", "third"]) yield* git(repository, "branch", branch)
        expect((yield* start("other")).code).toBe(0)
        const full = { _tag: "MaxJobsReached", message: "max jobs (2) reached", maxJobs: 2, reason: "permits" }
        expect(yield* start("third")).toEqual({
          code: 75,
          out: "",
          err: `charlotte: ${full.message}; add --queue to wait for a permit, or stop a job; list them with: charlotte jobs --status running\n`
        })
        const json = yield* start("third", "--json")
        expect([json.code, json.out, JSON.parse(json.err)]).toEqual([75, "", full])
        expect((yield* run("stop", "--all")).code).toBe(0)
      })
    )

    it.scoped("uses an agent that was configured after the daemon started, and refuses an invalid configuration", () =>
      Effect.gen(function* () {
        const { home, repository, run, write } = yield* Here
        const start = Effect.suspend(() =>
          run("start", "tasks/good", "--repo", repository, "--no-land", "--agent", "late")
        )
        expect((yield* start).err).toContain('unknown agent "late"')
        yield* write(
          `${home}/config.yaml`,
          "agents:\n  late: { command: [sh, -c, 'cat > /dev/null; echo one > one'] }\n"
        )
        const { code, err, out } = yield* start
        expect([code, err]).toEqual([0, ""])
        expect((yield* run("watch", out.trim())).code).toBe(0)
        yield* write(`${home}/config.yaml`, "agents:\n  late: { comand: [sh] }\n")
        expect(yield* start).toEqual({
          code: 2,
          out: "",
          err: expect.stringContaining(
            `${home}/config.yaml:2: has the unknown key "comand" in agents.late: did you mean "command"?`
          )
        })
        yield* write(`${home}/config.yaml`, "")
      })
    )

    it.scoped("lists all problems of the tasks as file:line", () =>
      Effect.gen(function* () {
        const { repository, run } = yield* Here
        const { code, err, out } = yield* run("start", `tasks/bent${escapes}`, "--repo", repository)
        expect([code, out]).toEqual([2, ""])
        expect(err).not.toMatch(forbidden)
        expect(err).toMatch(/^tasks\/bent ?red\/a\/01-one\.md:3: .*\n/m)
        expect(err).toMatch(/^tasks\/bent ?red\/a\/IMPLEMENTATION_PLAN\.md:2: .*nobody.*\n/m)
      })
    )

    it.scoped("explains missing arguments and how to fix them", () =>
      Effect.gen(function* () {
        const { repository, root, run } = yield* Here
        const there = ["--repo", repository]
        const table: ReadonlyArray<readonly [words: ReadonlyArray<string>, err: RegExp]> = [
          [[], /^charlotte: missing argument <tasksDir>; see: charlotte start --help\n$/],
          [["tasks/none", ...there], /^tasks\/none: .*\n$/],
          [["", ...there], /^\.: contains no tasks: .*\n$/],
          [["tasks/good", "--repo", `${root}/home`], /^charlotte: .* git repository.*\n$/],
          [["tasks/good", "--repo", `${root}/none`], /^charlotte: .*\/none.*\n$/],
          [["tasks/good", ...there, "--target", "none"], /^charlotte: targetBranch: .*none.*\n$/],
          [["tasks/good", ...there, "--target", "--upload-pack=x"], /^charlotte: .*\n$/],
          [["tasks/good", ...there, "--agent", `none${escapes}`], /^charlotte: .*none.*script.*\n$/],
          [
            ["tasks/good", ...there, "--concurrency", "0"],
            /^charlotte: invalid value "0" for --concurrency: expected a whole number.*\n$/
          ],
          [["tasks/good", "tasks/bad", ...there], /^charlotte: unexpected argument "tasks\/bad"; see: .*\n$/]
        ]
        for (const [words, expected] of table) {
          const { code, err, out } = yield* run("start", ...words)
          expect([words, code, out, err]).toEqual([words, 2, "", expect.stringMatching(expected)])
          expect(err).not.toMatch(forbidden)
        }
      })
    )
  }
)
