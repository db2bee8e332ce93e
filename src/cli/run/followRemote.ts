/**
 * Follows a job that another process runs. An interruption stops following, not the job.
 */
import { Effect, Mailbox, Stream } from "effect"
import { type JobEvent, statusAfter } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Job } from "../../http/contract/Api.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as JobSource from "../target/JobSource.js"
import { Output } from "../terminal/Output.js"
import * as Follow from "./Follow.js"
import * as unfinishedWork from "../show/unfinishedWork.js"
import type { Ended } from "./Summary.js"

export interface Options extends Follow.Begun {
  readonly host: JobSource.Host
  readonly json: boolean
}

/** How long to wait for a process that has exited: a daemon may be restarted, but not a foreground run. */
export const patience = { daemon: "1 minute", run: "1 second" } as const

const lost = {
  daemon: "connection to the daemon lost; waiting up to a minute for it to restart",
  run: "connection lost: the process that ran the job has exited"
} as const

/** The notice for a change of the connection. */
export const connection = (what: JobSource.Host["what"], state: "lost" | "back"): string =>
  state === "lost" ? lost[what] : "reconnected"

/** Quits with the exit code of a job that does not complete. */
export const follow = ({ host: { client, isRemote, what }, id, json, resumed }: Options) =>
  Effect.gen(function* () {
    const notices = yield* Mailbox.make<string>()
    let status: RunStatus = "running"
    const noteStatus = (event: JobEvent) => Effect.sync(() => void (status = statusAfter(event) ?? status))
    const events = client.events(id, {
      patience: patience[what],
      onConnection: (state) => Effect.asVoid(notices.offer(connection(what, state)))
    })
    const code = yield* Follow.follow({
      events: Stream.catchAll(events, (error) => (isGone(error) ? Stream.empty : Stream.fail(error))).pipe(
        Stream.tap(noteStatus)
      ),
      end: Effect.flatMap(
        Effect.catchIf(client.get(id), isGone, (error) => (isRemote ? Effect.fail(error) : left(id))),
        ended
      ),
      notices: Mailbox.toStream(notices),
      progress: Effect.map(client.get(id), ({ progress }) => progress),
      resumed,
      json
    }).pipe(Effect.onInterrupt(() => printGoesOn(id, status)))
    if (code !== ExitCode.completed) return yield* new ExitCode.Quit({ code })
  })

/** Replays the events of a job that no process runs. */
export const replay = (jobs: JobSource.Jobs, id: JobId, json: boolean) =>
  Effect.gen(function* () {
    const job = yield* jobs.get(id)
    const code = yield* Follow.follow({ events: jobs.events(id), end: ended(job), json })
    if (job.status === "pending") yield* printUnattended(id)
    if (code !== ExitCode.completed) return yield* new ExitCode.Quit({ code })
  })

const ended = (job: Job) =>
  Effect.map(unfinishedWork.of(job, job), (unfinished): Ended => ({ run: job, work: job, unfinished }))

const isGone = ({ _tag }: { readonly _tag: string }): boolean =>
  ["ConnectionFailed", "DaemonNotRunning", "ShuttingDown"].includes(_tag)

/** The record of a job whose process did not come back. */
const left = (id: JobId) => Effect.scoped(Effect.flatMap(JobSource.recorded, ({ get }) => get(id)))

const printUnattended = (id: JobId) =>
  Effect.flatMap(Output, ({ error }) =>
    error(`no daemon is running; job ${id} starts when one is: charlotte daemon start\n`)
  )

const printGoesOn = (id: JobId, status: RunStatus) =>
  Effect.flatMap(Output, ({ error }) =>
    error(`job ${id} is still ${status}; watch it with: charlotte watch ${id}; stop it with: charlotte stop ${id}\n`)
  )
