/**
 * The line of an event, in the same words for the page, `charlotte watch` and `charlotte run`.
 */
import * as costs from "./cost.js"
import * as format from "./format.js"
import type { Event } from "./JobModel.js"
import { Fields, json, type LogRange, number, string } from "./payload.js"
import * as reason from "./reason.js"
import * as taskNotes from "./taskNotes.js"
import type { Payloads, Type } from "./vocabulary.js"
import { approvalSignal, condition, limitsSignal, parkedWaiting, parkReason, untilTime } from "./waiting.js"

export type Tone = "plain" | "good" | "bad" | "warn" | "faint"

export interface EventText {
  readonly text: string
  readonly tone: Tone
  /** The output that shows why something has failed. */
  readonly log?: LogRange | undefined
}

const plain = (text: string): EventText => ({ text, tone: "plain" })
const good = (text: string): EventText => ({ text, tone: "good" })
const bad = (text: string, log?: LogRange): EventText => ({ text, tone: "bad", log })
const warn = (text: string): EventText => ({ text, tone: "warn" })
const faint = (text: string): EventText => ({ text, tone: "faint" })

interface Sender {
  readonly name: string | undefined
  /** Not shown for a call within the process, or where the name says it already. */
  readonly via: string | undefined
}

const sent = ({ name, via }: Sender, before = " by"): string => {
  const who = name === undefined ? "" : `${before} ${name}`
  return via === undefined || via === "library" || via === name ? who : `${who} (${via})`
}

const senderOf = ({ value }: { readonly value: unknown }): Sender => ({
  name: string(value, "by"),
  via: string(value, "via")
})

const again = (attempt: number | undefined): string =>
  attempt === undefined || attempt === 1 ? "" : ` (attempt ${attempt})`

const plan = (data: Fields<Payloads["orch.started"]>): string => {
  const units = data.list("units")
  const tasks = units.reduce((sum, unit) => sum + unit.list("tasks").length, 0)
  const size = `${format.count(units.length, "unit")}, ${format.count(tasks, "task")}`
  const leftOut = data.strings("leftOut")
  const others = leftOut.length === 0 ? "" : `; left as they are: ${leftOut.join(", ")}`
  return `${size} for ${data.string("target") ?? "?"}, agent ${data.string("agent") ?? "?"}${others}`
}

type TimeText = (at: number) => string

const until = (at: number | undefined, time: TimeText, isTentative: boolean): string =>
  at === undefined ? "" : `; ${untilTime(time(at), isTentative)}`

const texts: {
  readonly [T in Type]: (
    data: Fields<Payloads[T]>,
    view: { readonly now: number; readonly time: TimeText }
  ) => EventText
} = {
  "job.queued": (data, view) => {
    const waiting = { waitsFor: data.string("waitsFor") ?? "permit", startAt: data.time("startAt") }
    const retryOf = data.string("retryOf")
    const retry = retryOf === undefined ? "" : ` to retry ${retryOf}${sent(senderOf(data), ", from")}`
    return faint(`queued${retry}: waits ${condition(waiting, view)}`)
  },
  "job.started": () => plain("started"),
  "job.stopping": (data) => warn(`stop requested${sent(senderOf(data))}`),
  "job.timeout": (data) => warn(`time limit of ${format.age(data.number("limit") ?? 0)} exceeded`),
  "job.resumed": (data) => {
    const sender = sent({ name: data.string("sender"), via: data.string("via") })
    return plain(`resumed${sender}${again(data.number("attempt"))}`)
  },
  "job.interrupted": (data) => {
    const during = data.strings("during")
    const cause = data.string("reason") === "crash" ? "by a crash" : "by a shutdown"
    return warn(`interrupted ${cause}${during.length === 0 ? "" : ` during ${during.join(", ")}`}`)
  },
  "job.parked": (data, view) => {
    return warn(`parked ${condition(parkedWaiting(data), view)}: ${parkReason(data.value)}`)
  },
  "job.signalled": (data) => {
    const sender = senderOf(data)
    const name = data.text("name")
    if (name === approvalSignal) return decision(data.json("payload"), sender)
    if (name === limitsSignal) return limits(data.json("payload"), sender)
    return plain(`signal ${name}${sent(sender, " from")}`)
  },
  "job.step": (data) => {
    const step = `step ${data.text("name")}`
    const after = format.span(data.number("millis") ?? 0)
    return data.isTrue("ok") ? plain(`${step} done in ${after}`) : warn(`${step} failed after ${after}`)
  },
  "job.rescheduled": (data, { time }) => {
    const [from, to] = [data.json("from"), data.json("to")]
    const [priority, startAt] = [number(to, "priority"), string(to, "startAt")]
    const changes = [
      ...(priority === number(from, "priority") ? [] : [`priority ${priority ?? 0}`]),
      ...(startAt === string(from, "startAt")
        ? []
        : [startAt === undefined ? "begins when a permit is free" : `begins ${time(Date.parse(startAt))}`])
    ]
    return plain(`rescheduled${sent(senderOf(data))}: ${changes.join(", ")}`)
  },
  "job.completed": () => good("completed"),
  "job.failed": (data) => {
    const message = reason.ofError(json(data.json("error"), "error"))
    return bad(`failed${message === "" ? "" : `: ${message}`}`)
  },
  "job.cancelled": (data) => warn(`cancelled${sent(senderOf(data))}`),
  "orch.started": (data) => plain(plan(data)),
  "orch.killed": (data) => {
    const commands = data.list("processes").map((process) => `${process.text("command")} ${process.number("pid")}`)
    const total = data.number("total") ?? commands.length
    return warn(`killed ${format.count(total, "process", "processes")}${list(commands, total)}`)
  },
  "orch.waiting": (data) => warn(`waiting: ${reason.text(data.text("reason"))}`),
  "orch.baseline": (data) => plain(`the baseline passes before any work, in ${format.span(data.number("took") ?? 0)}`),
  "orch.landing": (data) => plain(`landing on ${data.text("target")}${again(data.number("attempt"))}`),
  "orch.landed": (data) => {
    const [units, left] = [data.strings("units").join(", "), data.strings("left").join(", ")]
    const where = `on ${data.text("target")}, commit ${format.short(data.text("commit"))}`
    return good(`landed ${units === "" ? "" : `${units} `}${where}${left === "" ? "" : `; left: ${left}`}`)
  },
  "orch.proposed": (data) => {
    const url = data.string("url")
    if (data.json("isOpen") === true) return good(`pull request for ${data.text("target")}: ${url}`)
    const problem = data.string("problem")
    const pushed = `pushed ${data.text("branch")} to ${data.text("remote")}`
    const page = url === undefined ? "" : `; open a pull request at ${url}`
    return warn(`${pushed}${page}${problem === undefined ? "" : ` (${reason.text(problem)})`}`)
  },
  "unit.started": () => plain("unit started"),
  "unit.setup.started": (data) => faint(`setup${again(data.number("attempt"))}: ${data.text("command")}`),
  "unit.setup.failed": (data) => bad(`setup failed: ${data.text("reason")}`, data.log("log")),
  "unit.waiting": (data, { time }) =>
    data.strings("waitsFor").length > 0
      ? faint(reason.text(data.text("reason")))
      : warn(
          `waiting: ${reason.text(data.text("reason"))}${until(data.time("until"), time, data.boolean("tentative"))}`
        ),
  "unit.asked": (data) => warn(`asks: ${reason.text(data.text("question"))}`),
  "unit.answered": (data) => plain(`answered${sent(senderOf(data))}: ${reason.text(data.text("answer"))}`),
  "unit.completed": () => good("all tasks done"),
  "unit.verifying": (data) => faint(`verifying the merged result: ${data.text("command")}`),
  "unit.merged": (data) => good(`merged, commit ${format.short(data.text("commit"))}`),
  "unit.failed": (data) => bad(`unit failed: ${reason.text(data.text("reason"))}`),
  "unit.blocked": (data) => warn(`blocked by ${data.strings("waitsFor").join(", ")}`),
  "task.started": (data) => plain(`${data.text("title")}${again(data.number("attempt"))}`),
  "task.agent.started": (data) => faint(`agent ${data.text("agent")} started`),
  "task.agent.slow": (data) => warn(`slow: the agent ${data.text("reason")}`),
  "task.agent.ended": (data) =>
    data.text("reason") === ""
      ? faint("agent done")
      : bad(`agent failed: ${reason.text(data.text("reason"))}`, data.log("log")),
  "task.spent": (data) => faint(`cost ${costs.long(costs.read(data.json("cost")) ?? costs.nothing)}`),
  "task.gate.before": (data) => faint(`gate before any work: ${data.text("command")}`),
  "task.gate.started": (data) => faint(`gate: ${data.text("command")}`),
  "task.gate.passed": () => good("gate passed"),
  "task.gate.failed": (data) => bad(`gate failed: ${reason.text(data.text("reason"))}`, data.log("log")),
  "task.retry": (data) => {
    const pause = data.number("pause") ?? 0
    if (data.string("class") !== undefined)
      return warn(`${reason.text(data.text("reason"))}, again in ${format.age(pause)}, no attempt used`)
    return warn(`retry${pause === 0 ? "" : ` in ${format.age(pause)}`}: ${reason.text(data.text("reason"))}`)
  },
  "task.noted": (data) => {
    const note = taskNotes.read(data.json("note"))
    return (taskNotes.isWarning(note) ? warn : faint)(`note: ${note.text}`)
  },
  "task.committed": (data) => faint(`committed ${format.short(data.text("commit"))}`),
  "task.completed": (data) => good(`done, commit ${format.short(data.text("commit"))}`),
  "task.failed": (data) => {
    const attempts = data.number("attempts") ?? 1
    const when = attempts === 0 ? "before any work" : `after ${format.count(attempts, "attempt")}`
    return bad(`failed ${when}: ${reason.text(data.text("reason"))}`, data.log("log"))
  }
}

/** What a person has decided about the result. */
const decision = (payload: unknown, sender: Sender): EventText => {
  const by = sent(sender)
  const because = string(payload, "because")
  if (because === undefined) return good(`approved${by}, commit ${format.short(string(payload, "commit") ?? "")}`)
  const unit = string(payload, "unit")
  return warn(`${unit === undefined ? "" : `${unit} `}rejected${by}: ${reason.text(because)}`)
}

/** The limits that a person has set. */
const limits = (payload: unknown, sender: Sender): EventText => {
  const [usd, tokens] = [number(payload, "usd"), number(payload, "tokens")]
  const text = costs.limitsText({ ...(usd !== undefined && { usd }), ...(tokens !== undefined && { tokens }) })
  return plain(`may spend ${text} in all${sent(sender, ", says")}`)
}

const list = (commands: ReadonlyArray<string>, total: number): string =>
  commands.length === 0 ? "" : ` (${commands.join(", ")}${total > commands.length ? ", …" : ""})`

/** Whether the manager or a task writes events of this type. */
export const isKnown = (type: string): type is Type => Object.hasOwn(texts, type)

const textOf = <T extends Type>(type: T, { at: now, payload }: Event, time: TimeText): EventText =>
  texts[type](new Fields<Payloads[T]>(payload), { now, time })

/** Longer payloads of custom events are truncated in the line; the details show them in full. */
const longest = 300

const ofOthers = (data: unknown): EventText =>
  plain(data === undefined ? "" : (JSON.stringify(data) ?? "").slice(0, longest))

/** The unit and task of an event; empty if it is about the job as a whole. */
export const placeOf = ({ task, unit }: Pick<Event, "unit" | "task">): string =>
  [unit, task].filter((part) => part !== undefined).join(" ")

/** `time`: a time in words, as the reader of the line wants it. */
export const eventText = (event: Event, time: TimeText = format.dateTime): EventText =>
  isKnown(event.type) ? textOf(event.type, event, time) : ofOthers(event.payload)
