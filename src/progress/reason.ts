/**
 * Why something failed or waits, in one line for people: clean, and without raw records, which earlier versions recorded as the last
 * output of an agent.
 */
import { line } from "../internal/plainText.js"
import * as format from "./format.js"
import * as payload from "./payload.js"

/** The message of a record of an agent, or of a response of a service that it quotes. */
const messageIn = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  for (const name of ["error", "message", "result", "text", "detail"]) {
    const found = payload.json(value, name)
    const text = typeof found === "string" ? found : messageIn(found)
    if (text !== undefined && text !== "") return text
  }
  const errors = payload.list(value, "errors").filter((error) => typeof error === "string")
  if (errors.length > 0) return errors.join("; ")
  const content = payload.list(value, "content").flatMap((part) => payload.string(part, "text") ?? [])
  return content.length > 0 ? content.join(" ") : undefined
}

/** The index after the JSON object that begins here; undefined if it is cut off. */
const endOfObject = (text: string, start: number): number | undefined => {
  let depth = 0
  let isString = false
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === "\\" && isString) at += 1
    else if (char === '"') isString = !isString
    else if (isString) continue
    else if (char === "{") depth += 1
    else if (char === "}" && --depth === 0) return at + 1
  }
  return undefined
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The last message in a part of a record, of which the rest was cut off. */
const messageInPart = (part: string): string | undefined => {
  const found = [...part.matchAll(/"(?:error|message|result|text)": ?"((?:[^"\\]|\\.)+)/g)].at(-1)?.[1]
  return found === undefined ? undefined : (payload.string(parse(`{"text":"${found}"}`), "text") ?? found)
}

const isRecord = (text: string): boolean => /^\{ ?"type": ?"/.test(text)

/** Replaces records, and parts of records, by what they say. Other JSON stays: it may be what a gate has printed. */
const withoutRecords = (text: string, depth = 0): string => {
  let rest = text
  let shown = ""
  const cut = /(?:^|[ :])…[^{]*?"[\w.]+": ?(?:["[{\d]|true|false|null)/.exec(rest)
  if (cut !== null) {
    const start = rest.indexOf("…", cut.index)
    const end = rest.indexOf(" / ", start)
    const part = end === -1 ? rest.slice(start) : rest.slice(start, end)
    rest = `${rest.slice(0, start)}${line(messageInPart(part) ?? "")}${end === -1 ? "" : rest.slice(end)}`
  }
  for (;;) {
    const start = rest.indexOf("{")
    if (start === -1) return shown + rest
    const end = endOfObject(rest, start)
    const object = rest.slice(start, end)
    const value = end === undefined ? undefined : parse(object)
    const found = end === undefined ? messageInPart(object) : messageIn(value)
    const isKept = found === undefined && !isRecord(object)
    const isOther = end !== undefined && value === undefined
    const said = found === undefined ? "" : depth < 3 ? withoutRecords(line(found), depth + 1) : line(found)
    shown += rest.slice(0, start) + (isKept || isOther ? object : said)
    if (end === undefined) return shown
    rest = rest.slice(end)
  }
}

/** A recorded reason as one clean line. */
export const text = (recorded: string): string => {
  const whole = line(recorded)
  if (!whole.includes('"')) return whole
  return withoutRecords(whole)
    .split(" / ")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join(" / ")
    .replace(/: ?(?:\/ )?$/, "")
    .replace(/: \/ /, ": ")
}

/** A task's failure as the message of its unit repeats it: where the place is shown, only its reason is of interest. */
const withoutTask = (reason: string): string =>
  reason.replace(/^task \d+ \(.*\) failed (?:before any work|once|\d+ times): /s, "")

/** Why a unit failed, without the name of its failed task. */
export const ofUnit = (recorded: string): string => text(withoutTask(recorded))

/** Why a job failed, by its error, which may be any JSON: its first failed unit with the reason, and how many others there are. */
export const ofError = (error: unknown): string => {
  const [first, ...others] = payload.list(error, "failures")
  const reason = payload.string(first, "reason")
  const unit = payload.string(first, "unit")
  if (unit === undefined || reason === undefined) return text(payload.messageOf(error))
  const task = payload.number(first, "task")
  const place = line(task === undefined ? unit : `${unit} ${task}`)
  const more = others.length === 0 ? "" : `; and ${format.count(others.length, "more unit")} failed`
  return `${place}: ${ofUnit(reason)}${more}`
}

/** The record of a task, as far as it says why attempts failed. */
interface Tried {
  readonly state: string
  readonly failures: number
  readonly reason?: string | undefined
}

/** Why the last attempt at a task failed, as a sentence: of a task that is done, why the attempt before it failed. */
export const ofTask = ({ failures, reason, state }: Tried): string | undefined => {
  if (reason === undefined) return undefined
  const shown = text(reason)
  if (state !== "completed") return shown
  return failures === 0 ? undefined : `attempt ${failures} failed: ${shown}`
}

/** What the agent said last, in one line that is not much longer than a few rows of a terminal. */
export const saidLine = (said: string): string => {
  const whole = text(said)
  return whole.length > longestSaid ? `${whole.slice(0, longestSaid)}…` : whole
}

const longestSaid = 400
