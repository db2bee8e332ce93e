/**
 * Notices of the browser about jobs that need a person or are done, while a tab of the page is open and none is looked at. The tab that
 * holds the connection shows them, so that each appears once.
 */
import { signal } from "@preact/signals"
import * as jobs from "../api/jobs.js"
import type { JobEvent } from "../api/models.js"
import { eventText } from "../../progress/eventText.js"
import { jobName } from "../../progress/jobName.js"
import { isWaiting } from "../../progress/needsPerson.js"
import { number, string } from "../../progress/payload.js"
import { navigate, toJob } from "../router.js"
import { visible } from "../ui/visible.js"
import { hub } from "./live.js"

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
    children: number(payload, "children")
  }
  return isWaiting({ id: "", status: "parked", parked }) ? undefined : "waits for you"
}

const show = async (event: JobEvent, what: string): Promise<void> => {
  const job = await jobs.get(event.jobId)
  const name = jobName({ ...job, unitNames: job.units.map(({ unit }) => unit) })
  const notice = new Notification(visible(`${name} ${what}`), { body: visible(eventText(event).text), tag: job.id })
  notice.addEventListener("click", () => {
    window.focus()
    navigate(toJob(job.id))
    notice.close()
  })
}

export const start = (): void => {
  read()
  hub.subscribe((events) => {
    if (permission.value !== "granted" || !hub.leads.value || document.hasFocus()) return
    const wanted = events.flatMap((event) => {
      const title = titleOf(event)
      return title === undefined ? [] : [{ event, title }]
    })
    // Without its job, an event has no name, and the list shows it anyway.
    for (const { event, title } of wanted.slice(-mostAtOnce)) show(event, title).catch(() => {})
  })
}
