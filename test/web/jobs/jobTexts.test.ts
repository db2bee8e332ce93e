/** What the list says of jobs, and in which order. */
import { describe, expect, it } from "vitest"
import type { ListedJob } from "../../../src/web/api/models.js"
import { forEach, resumeText, retriedText, retryText, stopText } from "../../../src/web/jobs/bulk.js"
import { elapsed } from "../../../src/web/jobs/elapsed.js"
import { labelsOf, parse, retryAllOf, toFilter } from "../../../src/web/jobs/filter.js"
import { ofRecord, withoutCommand } from "../../../src/web/jobs/lastLine.js"
import { messageOf } from "../../../src/progress/payload.js"
import { baseName, jobName } from "../../../src/progress/jobName.js"
import * as format from "../../../src/progress/format.js"
import { partsOf } from "../../../src/web/ui/Progress.js"

const now = Date.parse("2026-01-31T20:00:00Z")
const minute = 60_000

const job = (id: string, more: Partial<ListedJob> = {}): ListedJob => ({
  id,
  kind: "tasks",
  status: "running",
  attempt: 1,
  tries: undefined,
  config: { repoPath: "/home/ada/greeter", tasksDir: "tasks/retry" },
  labels: {},
  priority: 0,
  createdAt: now - minute,
  startAt: undefined,
  waitsFor: undefined,
  parked: undefined,
  startedAt: now - minute,
  endedAt: undefined,
  retryOf: undefined,
  retriedAs: undefined,
  handled: undefined,
  group: undefined,
  parent: undefined,
  pinned: undefined,
  refusedBy: undefined,
  refusedAt: undefined,
  result: undefined,
  error: undefined,
  phase: undefined,
  progress: undefined,
  cost: undefined,
  unitNames: undefined,
  questions: undefined,
  ...more
})

const parked = (id: string, more: Partial<NonNullable<ListedJob["parked"]>>): ListedJob =>
  job(id, {
    status: "parked",
    parked: {
      reason: "waits",
      until: undefined,
      tentative: undefined,
      signal: undefined,
      approval: undefined,
      questions: undefined,
      decisions: undefined,
      children: undefined,
      limits: undefined,
      retry: undefined,
      ...more
    }
  })

describe("the texts of a job", () => {
  it("name it by a label, a field of its config, its repository and work, or its kind", () => {
    expect(jobName(job("a", { labels: { title: "Retries" } }))).toBe("Retries")
    expect(jobName(job("a", { config: { title: "Report" }, kind: "report" }))).toBe("Report")
    expect(jobName(job("a"))).toBe("greeter: tasks/retry")
    expect(jobName(job("a", { unitNames: ["api", "web"] }))).toBe("greeter: api, web")
    expect(jobName(job("a", { unitNames: ["a", "b", "c", "d"] }))).toBe("greeter: a, b, c and more")
    expect(jobName(job("a", { config: { tasksDir: "x" }, kind: "email" }))).toBe("email")
    expect(jobName(job("a", { config: null, kind: "email" }))).toBe("email")
    expect(baseName("/home/ada/greeter/")).toBe("greeter")
  })

  it("say how long it works, has worked, or waits", () => {
    expect(elapsed(job("a", { startedAt: now - 61_000 }), now)).toBe("1:01")
    expect(elapsed(job("a", { status: "pending", startAt: now + 119 * minute }), now)).toBe("in 2 h")
    expect(elapsed(job("a", { status: "completed", endedAt: now }), now)).toBe("1:00")
    expect(elapsed(job("a", { status: "completed", attempt: 24, startedAt: now - 1_000, endedAt: now }), now)).toBe(
      "1:00"
    )
    expect(elapsed(parked("a", { until: now + 90_000 }), now)).toBe("in 2 min")
    expect(["90 min", "2 h", "2 h", "3 h", "2 d"].map((text) => `in ${text}`)).toEqual(
      [89.5, 100, 149, 151, 50 * 60].map((minutes) => format.ahead(minutes * 60_000))
    )
    expect(format.clock(50 * 3_600_000)).toBe("2 d 2 h")
  })

  it("show how many tasks are done, have failed and are running", () => {
    const counts = partsOf({ done: 2, failed: 0, running: 0 }).map(({ count, name }) => `${name} ${count}`)
    expect(counts).toEqual(["good 2", "bad 0", "run 0"])
  })

  it("say the last of it in a line", () => {
    const error = { kind: "failure" as const, error: { _tag: "UnitsFailed", message: "1 unit failed" }, cause: "long" }
    expect(ofRecord(job("a", { status: "failed", error }), now)).toEqual({ text: "1 unit failed", tone: "bad" })
    expect(ofRecord(job("a", { status: "failed", error, retriedAs: "01KB3N5QZ4M6Y2V8T7R1S9W0XE" }), now)).toEqual({
      text: "retried by S9W0XE: 1 unit failed",
      tone: "faint"
    })
    expect(ofRecord(parked("a", { signal: "approve" }), now).text).toBe("parked for the signal approve: waits")
    expect(ofRecord(parked("a", { until: now + 90_000 }), now).text).toMatch(/^parked until \d\d:\d\d: waits$/)
    expect(ofRecord(parked("a", { until: now + 90_000, tentative: true }), now).text).toMatch(
      /^parked until it is tried again at \d\d:\d\d: waits$/
    )
    expect(ofRecord(parked("a", { signal: "charlotte.resume" }), now).text).toBe("parked until it is resumed: waits")
    const children = parked("a", { reason: "waits for 3 children", children: 3 })
    expect(ofRecord(children, now)).toEqual({ text: "parked for 3 children", tone: "faint" })
    const result = { target: "main", branch: "charlotte/1", landed: "abc" }
    expect(ofRecord(job("a", { status: "completed", result }), now).text).toBe("landed on main")
    expect(ofRecord(job("a", { status: "completed", result: { ...result, landed: undefined } }), now).text).toBe(
      "result on charlotte/1"
    )
    for (const rest of [
      "; fix that, then continue with: charlotte resume A",
      ": charlotte diff A, then charlotte resume A"
    ])
      expect(withoutCommand(`not logged in: run /login${rest}`, "charlotte resume A")).toBe("not logged in: run /login")
    expect(withoutCommand("the gate failed; retry it", "charlotte retry A")).toBe("the gate failed; retry it")
    expect(messageOf({ some: "json" })).toBe('{"some":"json"}')
    expect(messageOf("text")).toBe("text")
  })
})

describe("the filter of the list", () => {
  it("is read from an address, and leaves out what is not complete", () => {
    const query = new URLSearchParams("status=failed&label=team=web env&q=%20login%20&kind=")
    expect(toFilter(parse(query))).toEqual({
      status: "failed",
      kind: undefined,
      labels: ["team=web"],
      q: "login",
      retried: undefined,
      before: undefined,
      limit: 50
    })
    expect(toFilter(parse(new URLSearchParams("retried=false"))).retried).toBe(false)
    expect(parse(new URLSearchParams("status=lost")).status).toBeUndefined()
    expect(labelsOf("a=b  =c d e=")).toEqual(["a=b", "e="])
  })
})

describe("the retry of all jobs that match", () => {
  const all = (address: string, kinds: ReadonlyArray<string> = ["email", "email"]) =>
    retryAllOf(parse(new URLSearchParams(address)), kinds)

  it("concerns failed or cancelled jobs of the kinds that are listed", () => {
    expect(all("status=failed&q=ann&before=01")).toMatchObject({
      filter: { status: "failed", q: "ann" },
      kinds: ["email"]
    })
    expect(all("status=failed&q=ann&before=01")?.filter.before).toBeUndefined()
    expect(all("status=cancelled&kind=email")).toMatchObject({ filter: { kind: "email" }, kinds: ["email"] })
    for (const address of ["", "status=running", "status=failed&retried=true"]) expect(all(address)).toBeUndefined()
    expect(all("status=failed", [])).toBeUndefined()
  })

  it("says how many were retried, and why others were refused", () => {
    expect(retriedText({ retried: 2, refused: 0, problem: undefined })).toBe("2 jobs retried")
    expect(() => retriedText({ retried: 2, refused: 1, problem: "the queue is full" })).toThrow(
      "2 jobs retried; 1 job refused: the queue is full"
    )
    expect(() => retryText({ done: ["1"], errors: [new Error("no")] })).toThrow("1 job retried; 1 job refused: no")
    expect(retryText({ done: ["1"], errors: [] })).toBe("1 job retried")
  })
})

describe("an action on several jobs", () => {
  it("works on a few at once, and goes on after one that is refused", async () => {
    let atOnce = 0
    let most = 0
    const outcome = await forEach(
      Array.from({ length: 20 }, (_, n) => String(n)),
      async (id) => {
        most = Math.max(most, ++atOnce)
        await new Promise((resolve) => setImmediate(resolve))
        atOnce -= 1
        if (id === "7") throw new Error("it has ended")
        return id
      }
    )
    expect(most).toBe(4)
    expect(outcome.done).toHaveLength(19)
    expect(outcome.errors.map(({ message }) => message)).toEqual(["it has ended"])
  })

  it("says what was stopped, what was killed, and what was not", () => {
    const report = { jobId: "a", status: "cancelled" as const, killed: undefined, elapsed: 5 }
    const killed = [{ pid: 12, command: "node" }]
    const graceful = { ...report, mode: "graceful" as const }
    expect(stopText({ done: [graceful, { ...report, mode: "forced", killed }], errors: [] })).toBe(
      "2 jobs stopped in 5 ms, 1 process killed (node 12)"
    )
    expect(stopText({ done: [{ ...report, mode: "alreadyEnded" }], errors: [] })).toBe("1 job had ended before")
    expect(stopText({ done: [], errors: [] })).toBe("No job to stop")
    expect(() => stopText({ done: [graceful, { ...report, mode: "timedOut" }], errors: [new Error("no")] })).toThrow(
      "1 job stopped in 5 ms; 1 job still stopping; 1 job refused: no"
    )
    expect(resumeText({ done: [undefined], errors: [] })).toBe("1 job resumed")
    expect(() => resumeText({ done: [], errors: [new Error("no permit")] })).toThrow("1 job refused: no permit")
  })
})
