/** What `charlotte run` comes to, as a shell sees it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { lock } from "../../support/foreign.js"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

describe("charlotte run", () => {
  it.scopedLive("exits with 0 for a completed job, prints plain lines, and updates the checkout", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const { code, err, out } = yield* Charlotte.run(world, "exec charlotte run tasks")
      expect([code, err]).toEqual([0, ""])
      expect(out).not.toContain("\x1b")
      const [lines = "", summary = ""] = out.split("\n\n✓ ")
      for (const line of lines.split("\n"))
        expect(line).toMatch(/^\d\d:\d\d:\d\d (job \w{26} |[ab] {2}|[ab] \d {2}|\w)/)
      expect(lines).toMatch(/ a 1 {2}gate: grep one one\n/)
      expect(summary).toMatch(
        /^completed in \d+(\.\d)? m?s {2}job \w{26}\n\n {2}units {4}2 merged\n {2}tasks {4}3 done\n/
      )
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      expect(readFileSync(`${world.repository}/three`, "utf8")).toBe("three\n")
      expect(yield* world.git(world.repository, "status", "--porcelain")).toBe("")
    })
  )

  it.scopedLive("exits with 1 for a failed job and prints how to retry, which then completes it", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({
        ...Tasks.simple,
        "b/01-three.md": task(1, "echo almost > three", "echo it is; cat three; grep -q three three")
      }))
      const failed = yield* Charlotte.run(world, "exec charlotte run tasks")
      expect([failed.code, failed.err]).toEqual([1, ""])
      expect(failed.out).toContain("\n  ✗ b 1  Task 1\n    the gate exited with code 1: it is / almost\n")
      const log = /\n {4}log {2}(.*)\n/.exec(failed.out)?.[1] ?? ""
      expect(readFileSync(log, "utf8")).toBe("it is\nalmost\n")
      expect(yield* Tasks.done(world)).toEqual([])

      yield* world.write(`${world.repository}/tasks/b/01-three.md`, Tasks.simple["b/01-three.md"])
      yield* Charlotte.commit(world, "mended")
      const retried = yield* Charlotte.run(world, Charlotte.next(failed))
      expect([retried.code, retried.err]).toEqual([0, ""])
      expect(retried.out).toMatch(
        /\n {2}units {4}1 merged, 1 already complete\n {2}tasks {4}1 done, 2 already complete\n/
      )
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
    })
  )

  it.scopedLive(
    "--unit works on a unit and what it depends on, as if there were no others, and lands; so does its retry",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => ({
          ...Tasks.simple,
          "b/01-three.md": task(1, "echo almost > three", "grep -q three three"),
          "c/IMPLEMENTATION_PLAN.md": unit(["b"]),
          "c/01-four.md": task(1, "echo four > four", "test -f four"),
          "d/IMPLEMENTATION_PLAN.md": "",
          "d/01-broken.md": "no frontmatter"
        }))
        yield* world.write(`${world.repository}/tasks/d/02-new.md`, "not committed")
        const unknown = yield* Charlotte.run(world, "exec charlotte run tasks --unit bb")
        expect([unknown.code, unknown.err]).toEqual([2, 'tasks: has no unit "bb": did you mean "b"?\n'])
        const plan = yield* Charlotte.run(world, "exec charlotte run tasks --unit b --dry-run")
        expect([plan.code, plan.out]).toEqual([0, expect.stringContaining("\n2 units, 3 tasks, 2 waves: 3 to do")])
        const failed = yield* Charlotte.run(world, "exec charlotte run tasks --unit b")
        expect([failed.code, failed.err]).toEqual([1, ""])

        yield* world.write(`${world.repository}/tasks/b/01-three.md`, Tasks.simple["b/01-three.md"])
        yield* world.shell(world.repository, "git commit --quiet -m mended tasks/b")
        const retried = yield* Charlotte.run(world, Charlotte.next(failed))
        expect([retried.code, retried.err]).toEqual([0, ""])
        expect(retried.out).toMatch(
          /\n {2}units {4}1 merged, 1 already complete\n {2}tasks {4}1 done, 2 already complete\n/
        )
        expect(yield* Tasks.done(world)).toEqual(Tasks.all)
        expect(existsSync(`${world.repository}/four`)).toBe(false)
      })
  )

  it.scopedLive("names the branch of a failed unit and prints the end of its agent's output", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({
        "charlotte.yaml": "agent: script\nattempts: 1\n",
        "01-one.md": task(1, "echo one > one", "grep -q one one"),
        "02-two.md": task(2, "echo calling; echo '401 invalid API key' >&2; exit 1", "true", [1])
      }))
      const failed = yield* Charlotte.run(world, "exec charlotte run tasks")
      expect(failed.code).toBe(1)
      expect(failed.out).toContain("\n    the agent exited with code 1: calling / 401 invalid API key\n")
      const diff =
        /1 commit is not in the result\n {4}branch {2}charlotte\/\w+\/unit\/tasks\n {4}diff {4}git (.*)\n/.exec(
          failed.out
        )
      expect(yield* world.git(world.repository, ...(diff?.[1] ?? "").split(" "))).toContain("\n+one\n")
      const shown = yield* Charlotte.run(world, "exec charlotte show latest")
      expect(shown.out).toContain(diff?.[0])
      const elsewhere = yield* Charlotte.run(world, "exec charlotte retry latest --target gone")
      expect([elsewhere.code, elsewhere.err]).toEqual([2, expect.stringContaining("there is no branch gone")])
    })
  )

  it.scopedLive("exits with 75 when another process holds the home, and names it; doctor works meanwhile", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const first = yield* Charlotte.start(world, "exec charlotte run tasks")
      yield* Tasks.reached(world)
      yield* world.git(world.repository, "branch", "other")
      const second = yield* Charlotte.run(world, "exec charlotte run tasks --target other")
      expect([second.code, second.out]).toEqual([75, ""])
      const user = `charlotte run (pid ${first.pid}, version `
      expect(second.err).toMatch(/^charlotte: [^\n]*\n$/)
      expect(second.err).toContain(`${world.home} is in use by ${user}`)

      const doctor = yield* Charlotte.run(world, "exec charlotte doctor")
      expect([doctor.code, doctor.err]).toEqual([0, ""])
      expect(doctor.out).toContain(`✓ in use         by ${user}`)
      expect(doctor.out).toMatch(/\n✓ database .*, undamaged\n✓ jobs {11}\w{26} is running\n✓ leftovers {6}none\n/)

      yield* Tasks.release(world)
      expect((yield* first.ended).code).toBe(0)
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
    })
  )

  it.scopedLive("ends with 1 when its home is deleted under it, says so, and leaves no process of the job behind", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world((root) => ({
        ...Tasks.simple,
        "a/02-two.md": task(2, `echo $$ > '${root}/agent'; touch '${root}/reached'; exec sleep 1000`, "true", [1])
      }))
      const running = yield* Charlotte.start(world, "exec charlotte run tasks", {
        variables: { CHARLOTTE_STOP_GRACE: "1 second" }
      })
      yield* Tasks.reached(world)
      const agent = Number(readFileSync(`${world.root}/agent`, "utf8"))
      rmSync(world.home, { recursive: true })
      const { code, err, out } = yield* running.ended
      const [, job = ""] = /job (\w{26}) started/.exec(out) ?? []
      expect(err).toContain(
        `charlotte: ${world.home} was deleted or moved while job ${job} was running, so it was interrupted; if you put the directory back, resume it with: charlotte resume ${job}\n`
      )
      expect(code).toBe(1)
      expect(existsSync(`/proc/${agent}`)).toBe(false)
    })
  )

  it.scopedLive(
    "says that the job cannot be recorded while another program has locked the database, and then that it can",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world((root) => ({
          ...Tasks.waiting()(root),
          "b/01-three.md": task(1, `until test -e '${root}/last'; do sleep 0.05; done; echo three > three`, "cat three")
        }))
        const running = yield* Charlotte.start(world, "exec charlotte run tasks")
        yield* Tasks.reached(world)
        const unlock = yield* lock(`${world.home}/charlotte.db`, "BEGIN IMMEDIATE")
        yield* Tasks.release(world)
        yield* running.says(/the job cannot be recorded, and waits until it can: store: .* \(busy\): .*\n/)
        yield* unlock
        yield* running.says(/the job is recorded again\n/)
        yield* world.write(`${world.root}/last`, "")
        expect((yield* running.ended).code).toBe(0)
        expect(yield* Tasks.done(world)).toEqual(Tasks.all)
      })
  )

  it.scopedLive("prints a line of JSON for each event and one for the summary", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({
        ...Tasks.simple,
        "b/01-three.md": task(1, "printf '\\033[31mred\\n'; exit 3", "true")
      }))
      const { code, err, out } = yield* Charlotte.run(world, "exec charlotte run tasks --json")
      expect([code, err]).toEqual([1, ""])
      expect(out).not.toContain("\x1b")
      const lines = out.trimEnd().split("\n")
      const events = lines.slice(0, -1).map((line) => Schema.decodeUnknownSync(Event)(line))
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
      expect([events.at(0)?.type, events.at(-1)?.type]).toEqual(["job.started", "job.failed"])
      expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
        summary: { status: "failed", tasks: { completed: 2, failed: 1 }, failures: [{ unit: "b", task: 1 }] }
      })

      const wrong = yield* Charlotte.run(world, "exec charlotte run nowhere --json")
      expect([wrong.code, wrong.out]).toEqual([2, ""])
      expect(JSON.parse(wrong.err)).toMatchObject({ _tag: "InvalidJobConfig" })
    })
  )

  it.scopedLive("exits when the reader closes the pipe, leaving no process and a resumable job", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const piped = yield* Charlotte.run(world, "charlotte run tasks | head -1; echo ${PIPESTATUS[0]}")
      const [, id = ""] = /^\d\d:\d\d:\d\d job (\w{26}) started\n141\n$/.exec(piped.out) ?? []
      expect(piped.err).toBe(left(id))
      expect(Charlotte.processes(world)).toEqual([])
      yield* Tasks.release(world)
      expect((yield* Charlotte.run(world, `exec charlotte resume ${id}`)).code).toBe(0)
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
    })
  )

  it.scopedLive("works without standard output or standard error", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const script = "charlotte run tasks >&- 2>&-; echo $?"
      expect(yield* Charlotte.run(world, script)).toMatchObject({ out: "0\n", err: "" })
      expect(yield* Tasks.done(world)).toEqual(Tasks.all)
    })
  )

  it.scopedLive("reports a full disk", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(Tasks.waiting())
      const { code, err } = yield* Charlotte.run(world, "exec charlotte run tasks > /dev/full")
      const [, id = ""] = /resume (\w{26})\n$/.exec(err) ?? []
      expect([code, err]).toEqual([1, left(id, `cannot be written: ${full}`)])
    })
  )
})

const full = "ENOSPC: no space left on device"

const left = (id: string, how = "was closed") =>
  `charlotte: standard output ${how}, so the job was interrupted; resume it with: charlotte resume ${id}\n`

const Event = Schema.parseJson(Schema.Struct({ seq: Schema.Int, type: Schema.String }))

describe("two concurrent jobs", () => {
  it.scopedLive("in separate homes do not affect each other", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({
        ...Tasks.simple,
        "c/IMPLEMENTATION_PLAN.md": unit(),
        "c/01-c.md": task(1, "echo c > c", "true")
      }))
      yield* world.git(world.repository, "branch", "other")
      const variables = { CHARLOTTE_HOME: `${world.root}/second` }
      const both = yield* Effect.all(
        [
          Charlotte.run(world, "exec charlotte run tasks"),
          Charlotte.run(world, "exec charlotte run tasks --target other", { variables })
        ],
        { concurrency: 2 }
      )
      expect(both.map(({ code }) => code)).toEqual([0, 0])
      expect(yield* world.git(world.repository, "diff", "--stat", "main", "other")).toBe("")
    })
  )
})
