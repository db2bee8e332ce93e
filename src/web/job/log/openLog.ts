/**
 * Reads a growing log into its text. After a lost connection, it continues at the byte where it stopped; while the tab is
 * hidden, it reads nothing, since a browser has six connections to a server for all its tabs.
 */
import { type ReadonlySignal, signal } from "@preact/signals"
import * as jobs from "../../api/jobs.js"
import { RequestRefused } from "../../api/request.js"
import type { LogRange } from "../../../progress/payload.js"
import * as recordReader from "./recordReader.js"
import * as LogText from "./LogText.js"

export interface Source {
  readonly job: string
  readonly unit: string
  readonly task: number | undefined
  readonly log: LogRange
}

export interface OpenLog {
  readonly text: LogText.LogText
  /** Increases when text was added. */
  readonly version: ReadonlySignal<number>
  readonly state: ReadonlySignal<"reading" | "complete" | "missing" | "away">
  /** Whether it contains records of agents. */
  readonly hasRecords: ReadonlySignal<boolean>
  /** Called when the log is complete: reads the rest, and ends. */
  readonly settle: () => void
  readonly close: () => void
}

/** Pause before the next request, after a failure or while waiting for new text. */
const pauseMillis = 700

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMillis))

const untilVisible = (): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => {
      if (document.hidden) return
      document.removeEventListener("visibilitychange", check)
      resolve()
    }
    document.addEventListener("visibilitychange", check)
    check()
  })

/** `isLive` returns whether the log may still grow. */
export const openLog = (source: Source, isRaw: boolean, isLive: () => boolean): OpenLog => {
  const { job, log, task, unit } = source
  const text = LogText.make()
  const version = signal(0)
  const state = signal<"reading" | "complete" | "missing" | "away">("reading")
  const hasRecords = signal(false)
  const reader = isRaw ? undefined : recordReader.make()
  let at = log.from ?? 0
  let isClosed = false
  let follows = false
  let control = new AbortController()
  let frame = 0

  const show = (): void => {
    frame ||= requestAnimationFrame(() => {
      frame = 0
      if (reader !== undefined) hasRecords.value = reader.found()
      version.value += 1
    })
  }

  const read = async (follow: boolean): Promise<void> => {
    control = new AbortController()
    const { body } = await jobs.log(job, { file: log.file, unit, task, from: at, to: log.to, follow }, control.signal)
    if (body === null) return
    const stream = body.getReader()
    for (;;) {
      const { done, value } = await stream.read()
      if (done) return
      state.value = "reading"
      at += value.byteLength
      text.append(reader === undefined ? value : reader.read(value))
      show()
    }
  }

  const run = async (): Promise<void> => {
    for (;;) {
      await untilVisible()
      if (isClosed) return
      const mayGrow = isLive()
      follows = mayGrow
      try {
        await read(mayGrow)
        if (!mayGrow) {
          if (reader !== undefined) text.append(reader.flush())
          state.value = "complete"
          return show()
        }
      } catch (error) {
        if (isClosed) return
        // The log does not exist before its first byte is written.
        if (error instanceof RequestRefused && error.status === 404 && !mayGrow) {
          state.value = "missing"
          return
        }
        if (!control.signal.aborted) state.value = "away"
      }
      await pause()
    }
  }

  const onHide = (): void => {
    if (document.hidden) control.abort()
  }
  document.addEventListener("visibilitychange", onHide)
  void run()

  return {
    text,
    version,
    state,
    hasRecords,
    settle: () => {
      if (follows) control.abort()
    },
    close: () => {
      isClosed = true
      document.removeEventListener("visibilitychange", onHide)
      cancelAnimationFrame(frame)
      control.abort()
    }
  }
}
