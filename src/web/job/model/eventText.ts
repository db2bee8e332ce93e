/**
 * Formats an event as a line for people, as `charlotte watch` prints it, with its tone.
 */
import type { Event } from "./JobModel.js"
import * as payload from "./payload.js"

export type Tone = "plain" | "good" | "bad" | "warn" | "faint"

export interface EventText {
  readonly text: string
  readonly tone: Tone
}

const short = (commit: string | undefined): string => commit?.slice(0, 8) ?? ""

const again = (attempt: number | undefined): string =>
  attempt === undefined || attempt === 1 ? "" : ` (attempt ${attempt})`

const plain = (text: string): EventText => ({ text, tone: "plain" })
const good = (text: string): EventText => ({ text, tone: "good" })
const bad = (text: string): EventText => ({ text, tone: "bad" })
const warn = (text: string): EventText => ({ text, tone: "warn" })
const faint = (text: string): EventText => ({ text, tone: "faint" })

const count = (number: number, noun: string): string => `${number} ${number === 1 ? noun : `${noun}s`}`

const plan = (data: unknown): string => {
  const units = payload.list(data, "units")
  const tasks = units.reduce<number>((sum, unit) => sum + payload.list(unit, "tasks").length, 0)
  const target = payload.string(data, "target") ?? "?"
  return `${count(units.length, "unit")}, ${count(tasks, "task")} for ${target}, agent ${payload.string(data, "agent") ?? "?"}`
}

const message = (error: unknown): string => {
  const inner = payload.json(error, "error") ?? error
  if (typeof inner === "string") return inner
  return payload.string(inner, "message") ?? payload.string(inner, "reason") ?? payload.string(inner, "_tag") ?? ""
}

const lifecycle = (type: string, data: unknown): EventText | undefined => {
  switch (type) {
    case "job.queued":
      return faint(`queued: waits for ${payload.string(data, "waitsFor") ?? "a permit"}`)
    case "job.started":
      return plain("started")
    case "job.stopping":
      return warn("stop requested")
    case "job.resumed":
      return plain(`resumed${again(payload.number(data, "attempt"))}`)
    case "job.interrupted":
      return warn(payload.string(data, "reason") === "crash" ? "interrupted by a crash" : "interrupted by a shutdown")
    case "job.parked":
      return warn(`parked: ${payload.string(data, "reason") ?? ""}`)
    case "job.signalled": {
      const by = payload.string(data, "by")
      return plain(`signal ${payload.string(data, "name") ?? ""}${by === undefined ? "" : ` from ${by}`}`)
    }
    case "job.completed":
      return good("completed")
    case "job.failed":
      return bad(`failed: ${message(payload.json(data, "error"))}`)
    case "job.cancelled":
      return warn("cancelled")
    default:
      return undefined
  }
}

const ofTasks = (type: string, data: unknown): EventText | undefined => {
  const text = (name: string): string => payload.string(data, name) ?? ""
  const attempt = payload.number(data, "attempt")
  const pause = payload.number(data, "pause") ?? 0
  switch (type) {
    case "orch.started":
      return plain(plan(data))
    case "orch.killed":
      return warn(`killed ${count(payload.number(data, "total") ?? 0, "process").replace("processs", "processes")}`)
    case "orch.waiting":
      return warn(`waiting: ${text("reason")}`)
    case "orch.landing":
      return plain(`landing on ${text("target")}${again(attempt)}`)
    case "orch.landed":
      return good(`landed on ${text("target")}, commit ${short(text("commit"))}`)
    case "unit.started":
      return plain("unit started")
    case "unit.setup.started":
      return faint(`setup${again(attempt)}: ${text("command")}`)
    case "unit.setup.failed":
      return bad(`setup failed: ${text("reason")}`)
    case "unit.waiting":
      return warn(`waiting: ${text("reason")}`)
    case "unit.completed":
      return good("all tasks done")
    case "unit.verifying":
      return faint(`verifying the merged result: ${text("command")}`)
    case "unit.merged":
      return good(`merged, commit ${short(text("commit"))}`)
    case "unit.failed":
      return bad(`unit failed: ${text("reason")}`)
    case "unit.blocked":
      return warn(`blocked by ${payload.strings(data, "waitsFor").join(", ")}`)
    case "task.started":
      return plain(`${text("title")}${again(attempt)}`)
    case "task.agent.started":
      return faint(`agent ${text("agent")} started`)
    case "task.agent.slow":
      return warn(`slow: the agent ${text("reason")}`)
    case "task.agent.ended":
      return text("reason") === "" ? faint("agent done") : bad(`agent failed: ${text("reason")}`)
    case "task.gate.started":
      return faint(`gate: ${text("command")}`)
    case "task.gate.passed":
      return good("gate passed")
    case "task.gate.failed":
      return bad(`gate failed: ${text("reason")}`)
    case "task.retry":
      return warn(`retry${pause === 0 ? "" : ` in ${Math.ceil(pause / 1000)} s`}: ${text("reason")}`)
    case "task.noted":
      return warn(`note: ${text("note")}`)
    case "task.committed":
      return faint(`committed ${short(text("commit"))}`)
    case "task.completed":
      return good(`done, commit ${short(text("commit"))}`)
    case "task.failed":
      return bad(`failed after ${count(payload.number(data, "attempts") ?? 1, "attempt")}: ${text("reason")}`)
    default:
      return undefined
  }
}

/** Longer payloads of custom events are truncated in the line; the details show them in full. */
const longest = 300

const ofOthers = (data: unknown): EventText =>
  plain(data === undefined ? "" : (JSON.stringify(data) ?? "").slice(0, longest))

export const eventText = ({ payload: data, type }: Event): EventText =>
  lifecycle(type, data) ?? ofTasks(type, data) ?? ofOthers(data)
