/**
 * Notices of the browser about jobs that need a person or are done, while a tab of the page is open and none is looked at. The tab that
 * holds the connection shows them, so that each appears once.
 */
import { signal } from "@preact/signals"
import { shared } from "../address.js"
import * as jobs from "../api/jobs.js"
import type { JobEvent } from "../api/models.js"
import { eventText } from "../../progress/eventText.js"
import { jobName } from "../../progress/jobName.js"
import { isSettled, isWaiting } from "../../progress/needsPerson.js"
import { number, string } from "../../progress/payload.js"
import { navigate, toJob } from "../router.js"
import { visible } from "../ui/visible.js"
import { hub } from "./live.js"
import { add } from "./notices.js"

/** `unasked`: the browser may ask the user whether notices are allowed. */
export const permission = signal<"unasked" | "granted" | "denied">("denied")

/** After an interruption of the connection, many events arrive at once. */
const mostAtOnce = 5

const read = (): void => {
  const found = globalThis.Notification?.permission
  permission.value = found === "granted" ? "granted" : found === "default" ? "unasked" : "denied"
}

export const ask = async (): Promise<void> => {
  await Notification.requestPermission()
  read()
  if (permission.value === "granted") add("good", "From now on, this browser notifies you while the page is open")
  if (permission.value === "denied") add("bad", "The browser shows no notices of this page: allow them in its settings")
}

/** What a notice says; undefined if the event needs none. */
export const titleOf = ({ payload, type }: Pick<JobEvent, "type" | "payload">): string | undefined => {
  if (type === "unit.asked") return "asks you"
  if (type === "job.failed") return "failed"
  if (type === "job.completed") return "is done"
  if (type !== "job.parked") return undefined
  const parked = {
    signal: string(payload, "signal"),
    until: string(payload, "until"),
    children: number(payload, "children"),
    decisions: number(payload, "decisions")
  }
  return isWaiting({ id: "", status: "parked", parked }) ? undefined : "waits for you"
}

const show = async (event: JobEvent, what: string): Promise<void> => {
  const job = await jobs.get(event.jobId)
  if (event.type === "job.failed" && isSettled(job)) return
  const name = jobName({ ...job, unitNames: job.units.map(({ unit }) => unit) })
  const notice = new Notification(visible(`${name} ${what}`), { body: visible(eventText(event).text), tag: job.id })
  notice.addEventListener("click", () => {
    window.focus()
    navigate(toJob(job.id))
    notice.close()
  })
}

/** A lock that each tab holds while it has the focus: a tab knows only of its own. */
const focus = shared("charlotte.focus")

const holdWhileFocused = (): void => {
  let held: PromiseWithResolvers<void> | undefined
  const update = (): void => {
    if (document.hasFocus() === (held !== undefined)) return
    held?.resolve()
    held = held === undefined ? Promise.withResolvers() : undefined
    const until = held?.promise
    if (until !== undefined) void navigator.locks.request(focus, { mode: "shared" }, () => until)
  }
  addEventListener("focus", update)
  addEventListener("blur", update)
  update()
}

const isLookedAt = async (): Promise<boolean> => {
  const { held = [] } = await navigator.locks.query()
  return held.some(({ name }) => name === focus)
}

export const start = (): void => {
  read()
  holdWhileFocused()
  hub.subscribe((events) => {
    if (permission.value !== "granted" || !hub.leads.value || document.hasFocus()) return
    const wanted = events.flatMap((event) => {
      const title = titleOf(event)
      return title === undefined ? [] : [{ event, title }]
    })
    if (wanted.length === 0) return
    void isLookedAt().then((isLooked) => {
      if (isLooked) return
      // Without its job, an event has no name, and the list shows it anyway.
      for (const { event, title } of wanted.slice(-mostAtOnce)) show(event, title).catch(() => {})
    })
  })
}
