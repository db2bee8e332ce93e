/**
 * The actions that are possible in the current state of a job.
 */
import * as costs from "../../progress/cost.js"
import { canRetry } from "../../progress/remedy.js"
import { useSignal } from "@preact/signals"
import type { RefObject } from "preact"
import { isMounted, mayAct } from "../address.js"
import { isRecord } from "../api/decode.js"
import * as jobs from "../api/jobs.js"
import type { Job } from "../api/models.js"
import { isLive } from "../app/live.js"
import { useKeys } from "../app/keys.js"
import { navigate, route, toDiff, toJob } from "../router.js"
import { visible } from "../ui/visible.js"
import { stopText } from "../jobs/bulk.js"
import { StopQuestion } from "../jobs/StopQuestion.js"
import type { Message } from "./attention.js"
import { AnswerDialog } from "./AnswerDialog.js"
import { RescheduleDialog } from "./RescheduleDialog.js"
import { SignalDialog } from "./SignalDialog.js"

export interface Props {
  readonly job: Job
  readonly messages: ReadonlyArray<Message>
  readonly onChange: () => void
  /** The actions, for the buttons beside the messages. */
  readonly handle: RefObject<Handle | null>
}

export interface Handle {
  readonly act: (message: Message) => void
  readonly retryUnit: (unit: string) => void
}

const isOver = ({ status }: Job): boolean => status === "completed" || status === "failed" || status === "cancelled"

const isWaiting = ({ status }: Job): boolean => status === "pending" || status === "parked" || status === "interrupted"

/** What the button beside a message says; undefined if it has none. */
export const labelOf = (job: Job, { action, reason = "" }: Message): string | undefined => {
  if (!mayAct) return undefined
  switch (action) {
    case "answer":
      return isMounted ? undefined : "Answer …"
    case "signal":
      return "Signal …"
    case "retry":
      return canRetry(job) ? "Retry" : undefined
    case "land":
      return isMounted ? undefined : "Land what is done"
    case "resume": {
      const limits = job.parked?.limits && costs.raised(job.parked.limits)
      if (limits !== undefined) return `Resume up to ${costs.limitsText(limits)}`
      if (job.parked?.until !== undefined) return "Resume now"
      return /\blog(ged)? ?in\b|\bauthenticat/i.test(reason) ? "I have logged in: resume" : "Resume"
    }
    default:
      return undefined
  }
}

/** Whether a unit that has failed can be retried without the others. */
export const canRetryUnit = (job: Job, { tone, unit }: Message): boolean =>
  mayAct && !isMounted && tone === "bad" && unit !== undefined && job.kind === "tasks" && canRetry(job)

export const JobActions = ({ handle, job, messages, onChange }: Props) => {
  /** The action in progress. */
  const busy = useSignal<string | undefined>(undefined)
  const said = useSignal<{ readonly text: string; readonly isBad: boolean } | undefined>(undefined)
  const dialog = useSignal<"answer" | "stop" | "signal" | "reschedule" | undefined>(undefined)
  /** The unit whose question is answered first. */
  const answered = useSignal<string | undefined>(undefined)
  const wanted = messages.find(({ action }) => action !== undefined)?.action
  /** Whether a button beside a message does it. */
  const isBeside = (wanted: Message["action"]): boolean =>
    messages.some((message) => message.action === wanted && labelOf(job, message) !== undefined)

  /** Shows the job that an action has started, unless the user has left for another view. */
  const follow = (id: string): void => {
    if (route.value.view === "job" && route.value.id === job.id) navigate(toJob(id))
  }

  const run = async (name: string, act: () => Promise<string | undefined>): Promise<void> => {
    if (busy.value !== undefined || !isLive()) return
    busy.value = name
    said.value = undefined
    try {
      const text = await act()
      if (text !== undefined) said.value = { text, isBad: false }
    } catch (error) {
      said.value = { text: error instanceof Error ? error.message : String(error), isBad: true }
    } finally {
      busy.value = undefined
      onChange()
    }
  }

  const stop = () => run("stop", async () => stopText({ done: [await jobs.stop(job.id)], errors: [] }))
  /** A job that has spent as much as it may continues only with other limits. */
  const limits = job.parked?.limits && costs.raised(job.parked.limits)
  const resume = () =>
    run("resume", async () => {
      await jobs.resume(job.id, limits)
      return undefined
    })
  const again = () =>
    run("retry", async () => {
      follow(await jobs.retry(job.id))
      return undefined
    })

  const land = () =>
    run("land", async () => {
      follow(await jobs.land(job.id))
      return undefined
    })

  const retryUnit = (unit: string) =>
    run("retry", async () => {
      if (isRecord(job.config)) follow(await jobs.retryUnit(job.id, job.config, unit))
      return undefined
    })

  handle.current = {
    act: ({ action, unit }) => {
      if (!isLive()) return
      if (action === "answer") answered.value = unit
      if (action === "answer" || action === "signal") dialog.value = action
      else if (action === "resume") void resume()
      else if (action === "retry") void again()
      else if (action === "land") void land()
    },
    retryUnit: (unit) => void retryUnit(unit)
  }

  const isOn = isLive()
  const mayStop = isOn && !isOver(job) && job.phase !== "stopping"
  const mayResume = mayAct && ((job.status === "parked" && wanted !== "approve") || job.status === "interrupted")
  const mayRetry = mayAct && canRetry(job)
  useKeys("Actions", [
    { keys: "x", label: "Stop the job", run: () => (dialog.value = mayStop ? "stop" : undefined) },
    {
      keys: "r",
      label: "Resume or retry the job",
      run: () => void (mayResume ? resume() : mayRetry ? again() : undefined)
    },
    { keys: "s", label: "Send a signal", run: () => (dialog.value = isOver(job) || !isOn ? undefined : "signal") },
    ...(isMounted ? [] : [{ keys: "d", label: "Show the changes", run: () => navigate(toDiff(job.id)) }])
  ])
  const asked = messages.filter(({ action }) => action === "answer")
  const isBusy = busy.value !== undefined || !isOn

  return (
    <div class="actions">
      <span class={`said ${said.value?.isBad === true ? "bad" : ""}`} role="status">
        {busy.value === "stop" ? "Stopping …" : said.value && visible(said.value.text)}
      </span>
      {job.kind === "tasks" && !isMounted && (
        <a class="button" href={toDiff(job.id)}>
          Diff
        </a>
      )}
      {mayAct && !isOver(job) && !isBeside("signal") && (
        <button type="button" disabled={isBusy} onClick={() => (dialog.value = "signal")}>
          Signal …
        </button>
      )}
      {isWaiting(job) && !isMounted && (
        <button type="button" disabled={isBusy} onClick={() => (dialog.value = "reschedule")}>
          Reschedule …
        </button>
      )}
      {mayResume && !isBeside("resume") && (
        <button type="button" disabled={isBusy} onClick={() => void resume()}>
          {job.parked?.until === undefined ? "Resume" : "Resume now"}
        </button>
      )}
      {mayRetry && !isBeside("retry") && (
        <button type="button" disabled={isBusy} onClick={() => void again()}>
          Retry
        </button>
      )}
      {mayAct && !isOver(job) && (
        <button type="button" class="danger" disabled={isBusy || !mayStop} onClick={() => (dialog.value = "stop")}>
          Stop
        </button>
      )}
      {dialog.value === "stop" && (
        <StopQuestion what={{ jobs: [job] }} onStop={() => void stop()} onClose={() => (dialog.value = undefined)} />
      )}
      {dialog.value === "answer" && (
        <AnswerDialog
          questions={asked}
          first={answered.value}
          onAnswer={(unit, text) =>
            void run("answer", async () => {
              await jobs.answer(job.id, unit, text)
              return `Answered ${unit}.`
            })
          }
          onClose={() => (dialog.value = undefined)}
        />
      )}
      {dialog.value === "reschedule" && (
        <RescheduleDialog
          job={job}
          onReschedule={(to) =>
            void run("reschedule", async () => {
              if (Object.keys(to).length === 0) return undefined
              await jobs.reschedule(job.id, to)
              return "Rescheduled."
            })
          }
          onClose={() => (dialog.value = undefined)}
        />
      )}
      {dialog.value === "signal" && (
        <SignalDialog
          job={job}
          onSend={(name, payload) =>
            void run("signal", async () => {
              await jobs.signal(job.id, name, payload)
              return `Sent ${name}.`
            })
          }
          onClose={() => (dialog.value = undefined)}
        />
      )}
    </div>
  )
}
