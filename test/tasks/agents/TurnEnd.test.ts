import { describe, expect, it } from "@effect/vitest"
import { DateTime, Duration } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import type { Format } from "../../../src/tasks/agents/Profile.js"
import * as TurnEnd from "../../../src/tasks/agents/TurnEnd.js"
import { collected, heldOut } from "./collectedWordings.js"
import { claude, codex, reported, type Wording } from "./wordings.js"
import * as ProcessOutcome from "../../../src/process/ProcessOutcome.js"

const now = DateTime.unsafeMake("2025-11-27T00:00:00Z")
const reset = "2025-11-27T04:00:00.000Z"

const utc = DateTime.zoneUnsafeMakeNamed("UTC")

const directory = new URL("./transcripts/", import.meta.url)

const formatOf = (file: string): Format =>
  file.startsWith("claude") ? "claude-stream-json" : file.startsWith("codex") ? "codex-json" : "text"

const read = (
  tail: string,
  format: Format,
  {
    outcome = ProcessOutcome.Exited({ code: 1 }),
    took = Duration.minutes(1),
    at = now,
    limits
  }: Partial<Pick<TurnEnd.Turn, "outcome" | "took" | "limits">> & { at?: typeof now } = {}
) => {
  const turn = { outcome, format, tail, size: Buffer.byteLength(tail), took, limits }
  const end = TurnEnd.read(turn, { now: at, zone: utc })
  if (end.isTooLong === true) return "tooLong"
  return end.resetsAt === undefined ? end.class : `${end.class} until ${DateTime.formatIso(end.resetsAt)}`
}

const transcript = (file: string) => readFileSync(new URL(file, directory), "utf8")

/** What each transcript of a failed turn is. */
const expected: { readonly [file: string]: string } = {
  "claude-401.jsonl": "auth",
  "claude-429.jsonl": "usageLimit",
  "claude-budget.jsonl": "budget",
  "claude-connection.jsonl": "network",
  "claude-invalid-key.jsonl": "auth",
  "claude-limit-printed.jsonl": "usageLimit until 2025-11-27T04:01:00.000Z",
  "claude-max-turns.jsonl": "failed",
  "claude-overage.jsonl": "tooLong",
  "claude-overloaded.jsonl": "network",
  "claude-rate-limit-event.jsonl": `usageLimit until ${reset}`,
  "claude-tool-output.jsonl": "failed",
  "claude-unknown.jsonl": "unanswered",
  "claude-usage-limit-line.jsonl": `usageLimit until ${reset}`,
  "codex-401.jsonl": "auth",
  "codex-429.jsonl": "usageLimit until 2025-11-27T00:15:00.000Z",
  "codex-503.jsonl": "network",
  "codex-disconnected.jsonl": "network",
  "codex-tool-output.jsonl": "failed",
  "codex-unknown.jsonl": "failed",
  "codex-usage-limit-body.jsonl": `usageLimit until ${reset}`,
  "codex-usage-limit-field.jsonl": `usageLimit until ${reset}`,
  "codex-usage-limit-seconds.jsonl": "usageLimit until 2025-11-27T02:00:00.000Z",
  "codex-usage-limit-time.jsonl": "usageLimit until 2025-11-27T12:17:00.000Z",
  "codex-usage-limit-wait.jsonl": "usageLimit until 2025-11-27T02:15:00.000Z",
  "text-task-output.txt": "failed",
  "text-usage-limit.txt": `usageLimit until ${reset}`
}

const files = readdirSync(directory).sort()

describe("the class of a turn that failed", () => {
  it("is expected of each transcript", () => {
    expect(files).toEqual(Object.keys(expected))
  })

  for (const file of files) {
    it(`is read from ${file}`, () => {
      expect(read(transcript(file), formatOf(file))).toBe(expected[file])
    })

    it(`is not read from ${file} where the turn ended well, in whatever format`, () => {
      for (const format of ["claude-stream-json", "codex-json", "text"] as const) {
        expect(read(transcript(file), format, { outcome: ProcessOutcome.Exited({ code: 0 }) })).toBe("done")
      }
    })
  }

  it("is failed where the records are quoted by a tool, the model or another format", () => {
    for (const file of files.filter((file) => expected[file] !== "failed")) {
      const text = transcript(file)
      const quoted = JSON.stringify({ type: "assistant", message: { content: [{ type: "text", text }] } })
      const codex = JSON.stringify({ type: "item.completed", item: { type: "agent_message", text } })
      expect(read(`${quoted}\n`, "claude-stream-json")).toBe("failed")
      expect(read(`${codex}\n`, "codex-json")).toBe("failed")
      expect(read(`some work\n${text}`, "text")).toBe("failed")
      const other = formatOf(file) === "codex-json" ? "claude-stream-json" : "codex-json"
      expect(read(text, other)).toBe("unanswered")
      expect(read(text, other, { took: Duration.minutes(6) })).toBe("failed")
    }
  })

  it("is read behind a line that is cut off, and from the last record of its kind", () => {
    const [text, other] = [transcript("claude-usage-limit-line.jsonl"), transcript("claude-invalid-key.jsonl")]
    expect(read(text.slice(100), "claude-stream-json")).toBe(`usageLimit until ${reset}`)
    expect(read(other + text, "claude-stream-json")).toBe(`usageLimit until ${reset}`)
    expect(read(text + other, "claude-stream-json")).toBe("auth")
  })

  it("of a text is failed where only the end of the output is the line of a limit", () => {
    const tail = transcript("text-usage-limit.txt")
    const outcome = ProcessOutcome.Exited({ code: 1 })
    const turn = { outcome, format: "text" as const, tail, size: 1_000, took: Duration.zero }
    expect(TurnEnd.read(turn, { now, zone: utc })).toEqual({
      class: "failed"
    })
  })

  it("is that of the process where it was ended, whatever it has printed", () => {
    const text = transcript("claude-usage-limit-line.jsonl")
    const ends = [
      ["stalled", ProcessOutcome.SilentTooLong({ limit: Duration.minutes(20) })],
      ["timedOut", ProcessOutcome.TimedOut({ limit: Duration.hours(1) })],
      ["gone", ProcessOutcome.Signalled({ signal: "SIGKILL" })],
      ["unanswered", ProcessOutcome.Signalled({ signal: "SIGSEGV" })],
      ["unanswered", ProcessOutcome.CouldNotStart({ reason: "notFound", message: "no" })]
    ] as const
    for (const [name, outcome] of ends) expect(read(text, "claude-stream-json", { outcome })).toBe(name)
  })
})

describe("whether the model has answered", () => {
  const of = (format: Format, records: ReadonlyArray<object>, rest = 0) => {
    const tail = records.map((record) => `${JSON.stringify(record)}\n`).join("")
    const outcome = ProcessOutcome.Exited({ code: 1 })
    const turn = { outcome, format, tail, size: Buffer.byteLength(tail) + rest, took: Duration.minutes(1) }
    const { answered, class: name } = TurnEnd.read(turn, { now, zone: utc })
    return [name, answered]
  }

  it("is yes where the output is longer than its end, which has only the records of tools", () => {
    const tool = { type: "user", message: { role: "user", content: [{ type: "tool_result", content: "x" }] } }
    expect(of("claude-stream-json", [tool])).toEqual(["unanswered", false])
    expect(of("claude-stream-json", [tool], 300_000)).toEqual(["failed", true])
  })

  it("is yes where the agent is done, whatever its output shows", () => {
    const turn = { outcome: ProcessOutcome.Exited({ code: 0 }), format: "text" as const, tail: "", size: 0 }
    expect(TurnEnd.read({ ...turn, took: Duration.zero }, { now, zone: utc })).toEqual({
      class: "done",
      answered: true
    })
  })

  it("is no where an error of Codex itself is the only item", () => {
    const item = (type: string) => ({
      type: "item.completed",
      item: { type, message: "a server of tools did not start" }
    })
    expect(of("codex-json", [item("error")])).toEqual(["unanswered", false])
    expect(of("codex-json", [item("error"), item("reasoning")])).toEqual(["failed", true])
  })
})

describe("the wordings of agents", () => {
  const noon = DateTime.unsafeMake("2026-06-10T12:00:00Z")
  /** A message of no known class, which comes from no answer of the model. */
  const unknown = "unanswered"
  const classOf = (expected: string) => (expected === "failed" ? unknown : expected)
  const seconds = (end: string) => end.replace(/(?::00)?\.\d{3}Z$/, "Z")
  const ends = (record: object, format: Format) => seconds(read(`${JSON.stringify(record)}\n`, format, { at: noon }))

  it("of claude each have their class and their reset", () => {
    for (const { expected, source, status, text } of claude) {
      const end = ends(
        { type: "result", subtype: "success", is_error: true, result: text, api_error_status: status },
        "claude-stream-json"
      )
      expect([text, source, end]).toEqual([text, source, classOf(expected)])
    }
  })

  it("of claude have the same class behind the prefix of an error", () => {
    const plain = claude.filter(({ text }) => !text.includes("API Error") && !text.includes("|"))
    for (const { expected, text } of plain) {
      const result = { type: "result", is_error: true, result: `API Error: ${text}` }
      expect([text, ends(result, "claude-stream-json")]).toEqual([text, classOf(expected)])
    }
  })

  it("of codex each have their class and their reset", () => {
    for (const { expected, source, text } of codex) {
      const failed = { type: "turn.failed", error: { message: text } }
      const end = ends(failed, "codex-json")
      expect([text, source, end]).toEqual([text, source, classOf(expected)])
      expect([text, ends({ type: "error", message: text }, "codex-json")]).toEqual([text, classOf(expected)])
    }
  })

  const ofClaude = ({ status, text }: Wording) =>
    ends({ type: "result", is_error: true, result: text, api_error_status: status }, "claude-stream-json")
  const ofCodex = ({ text }: Wording) => ends({ type: "turn.failed", error: { message: text } }, "codex-json")
  const ofText = ({ text }: Wording) => seconds(read(`${text}\n`, "text", { at: noon }))

  it("that have been reported each have their class and their reset, in records of claude and codex", () => {
    for (const wording of reported) {
      const { expected, text } = wording
      expect([text, ofClaude(wording), ofCodex(wording)]).toEqual([text, expected, expected])
    }
  })

  it("that were collected without regard to the classifier have their class and their reset in 9 of 10 cases", () => {
    const isRead = (wording: Wording) => {
      // A text without records is one line.
      const isLine = !wording.text.includes("\n")
      return [ofClaude, ofCodex, ...(isLine ? [ofText] : [])].every((end) => end(wording) === wording.expected)
    }
    for (const part of [collected, heldOut]) {
      const missed = part.filter((wording) => !isRead(wording)).map(({ text }) => text)
      expect([missed, missed.length / part.length]).toEqual([missed, expect.toSatisfy((share: number) => share <= 0.1)])
    }
  })

  it("count only where a rejected request ended the turn", () => {
    const result = { type: "result", is_error: true, result: "something new" }
    const event = (info: object) =>
      `${JSON.stringify({ type: "rate_limit_event", rate_limit_info: { resetsAt: 1_781_100_000, ...info } })}\n`
    const end = (...events: ReadonlyArray<string>) =>
      read(`${events.join("")}${JSON.stringify(result)}\n`, "claude-stream-json", { at: noon })
    const rejected = event({ status: "rejected", rateLimitType: "five_hour" })
    const allowed = event({ status: "allowed", overageStatus: "rejected" })
    expect(end(rejected)).toBe("usageLimit until 2026-06-10T14:00:00.000Z")
    expect(end(rejected, allowed)).toBe("usageLimit until 2026-06-10T14:00:00.000Z")
    expect(end(allowed)).toBe(unknown)
    expect(end(event({ status: "rejected", isUsingOverage: true, overageStatus: "allowed" }))).toBe(unknown)
    expect(end(event({ status: "allowed_warning" }))).toBe(unknown)
  })
})

describe("the patterns of a profile", () => {
  const limits = [
    { class: "usageLimit", pattern: "^quota gone, back (?<reset>.+)$" },
    { class: "auth", pattern: "bad badge" }
  ] as const
  const at = DateTime.unsafeMake("2026-06-10T12:00:00Z")

  it("give the class and the reset of a text, whatever is printed before", () => {
    const of = (text: string) => read(`some work\n${text}\nbye\n`, "text", { at, limits })
    expect(of("Quota gone, back tomorrow at 9am")).toBe("usageLimit until 2026-06-11T09:01:00.000Z")
    expect(of("quota gone, back in 90 s")).toBe("usageLimit until 2026-06-10T12:01:30.000Z")
    expect(of("quota gone, back 2h 5m")).toBe("usageLimit until 2026-06-10T14:06:00.000Z")
    expect(of("quota gone, back 1781100000")).toBe("usageLimit until 2026-06-10T14:00:00.000Z")
    expect(of("quota gone, back some day")).toBe("usageLimit")
    expect(of("BAD BADGE")).toBe("auth")
    expect(of("something else")).toBe("failed")
  })

  it("come before what is known, and are compared only with the failure that the agent reports", () => {
    const result = (text: string) => `${JSON.stringify({ type: "result", is_error: true, result: text })}\n`
    const said = { type: "assistant", message: { content: [{ type: "text", text: "bad badge" }] } }
    expect(read(result("Overloaded: bad badge"), "claude-stream-json", { limits })).toBe("auth")
    expect(read(`${JSON.stringify(said)}\n${result("no")}`, "claude-stream-json", { limits })).toBe("failed")
    const outcome = ProcessOutcome.Exited({ code: 0 })
    expect(read("bad badge\n", "text", { limits, outcome })).toBe("done")
  })
})

describe("the reset of a usage limit", () => {
  const at = (iso: string) =>
    read(transcript("claude-usage-limit-line.jsonl"), "claude-stream-json", { at: DateTime.unsafeMake(iso) })

  it("is unknown where it has passed, or is more than 8 days away", () => {
    expect(at("2025-11-27T03:59:59Z")).toBe(`usageLimit until ${reset}`)
    expect(at("2025-11-27T04:00:00Z")).toBe("usageLimit")
    expect(at("2026-01-01T00:00:00Z")).toBe("usageLimit")
    expect(at("2025-11-19T04:00:00Z")).toBe(`usageLimit until ${reset}`)
    expect(at("2025-11-19T03:59:59Z")).toBe("usageLimit")
    expect(read("Claude AI usage limit reached|9999999999999\n", "text")).toBe("usageLimit")
  })

  it("is the next whole millisecond where the service states a fraction of one, as records have none", () => {
    const result = "Resource has been exhausted. Suggested retry after 34.074824224s."
    const record = JSON.stringify({ type: "result", is_error: true, result })
    expect(read(record, "claude-stream-json")).toBe("usageLimit until 2025-11-27T00:00:34.075Z")
  })

  it("is at most 35 days away where funds are short", () => {
    const regain = (date: string) =>
      read(
        JSON.stringify({
          type: "result",
          is_error: true,
          result: `You have reached your specified API usage limits. You will regain access on ${date} at 00:00 UTC.`
        }),
        "claude-stream-json"
      )
    expect(regain("2025-12-31")).toBe("funds until 2025-12-31T00:01:00.000Z")
    expect(regain("2026-01-02")).toBe("funds")
  })
})
