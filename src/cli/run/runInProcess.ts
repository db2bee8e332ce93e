/**
 * Runs a job with a manager in this process, and follows it to its end.
 */
import { Context, Deferred, Effect, Exit, Fiber, FiberRef, Layer, LogLevel, Schema, Scope } from "effect"
import type { Run } from "../../domain/Run.js"
import * as ExportNote from "../../daemon/home/ExportNote.js"
import * as gracefulShutdown from "../../daemon/supervision/gracefulShutdown.js"
import { Home } from "../../daemon/home/Home.js"
import { HomeLock } from "../../daemon/home/HomeLock.js"
import * as HomeWatcher from "../../daemon/home/HomeWatcher.js"
import * as JobEventLogger from "../../daemon/serve/JobEventLogger.js"
import * as Layers from "../../daemon/layers/Layers.js"
import { Problem } from "../../daemon/Problem.js"
import { Secrets } from "../../daemon/home/Secrets.js"
import { RefreshInterval } from "../../http/server/Metrics.js"
import { Server } from "../../tasks/http/Server.js"
import { version } from "../../http/contract/Version.js"
import { JobManager } from "../../manager/JobManager.js"
import * as background from "../../internal/background.js"
import * as race from "../../internal/race.js"
import { RunStore } from "../../store/RunStore.js"
import * as Telemetry from "../../telemetry/Telemetry.js"
import * as Umask from "../../process/Umask.js"
import { ProcessRunner } from "../../process/ProcessRunner.js"
import * as ExitCode from "../errors/ExitCode.js"
import { exitOf } from "../errors/exitOf.js"
import { Output, type OutputClosed } from "../terminal/Output.js"
import * as unfinishedWork from "../show/unfinishedWork.js"
import * as Follow from "./Follow.js"
import { recordingNotices } from "./recordingNotices.js"
import * as text from "../terminal/text.js"

/** The home was deleted or moved while this process ran a job, which it has ended. */
class HomeLost extends Schema.TaggedError<HomeLost>()("HomeLost", {
  directory: Schema.String,
  jobId: Schema.String
}) {
  override get message() {
    return `${this.directory} was deleted or moved while job ${this.jobId} was running, so it was interrupted; if you put the directory back, resume it with: charlotte resume ${this.jobId}`
  }
}

export interface Options<E> {
  /** Starts or resumes a job. */
  readonly begin: (manager: JobManager["Type"]) => Effect.Effect<Follow.Begun, E, RunStore>
  readonly json: boolean
}

/**
 * Quits with the exit code of a job that does not complete. An interruption leaves the job `interrupted`, to be resumed; a
 * second one kills what is still running.
 */
export const follow = <E>(options: Options<E>) =>
  Effect.gen(function* () {
    yield* Umask.restrictive
    const records = yield* Layer.build(Layers.store({ what: "run", version }))
    yield* Effect.provide(ExportNote.refuse(false), records)
    const { error } = yield* Output
    const telemetry = {
      secrets: Context.get(records, Secrets),
      version,
      flush: lastExport,
      onProblem: (problem: string) => Effect.ignore(error(`charlotte: ${problem}\n`))
    }
    yield* Telemetry.exported(telemetry)(manage(options, records))
  }).pipe(Effect.scoped)

/** Milliseconds for the last export of telemetry before the process ends. */
const lastExport = 2_000

type Records = Layer.Layer.Success<ReturnType<typeof Layers.store>>

const manage = <E>({ begin, json }: Options<E>, records: Context.Context<Records>) =>
  Effect.gen(function* () {
    const store = Context.get(records, RunStore)
    const [waiting] = yield* store.list({ kind: JobManager.kind, status: "pending", limit: 1 })
    // This process would start the waiting jobs as well, and interrupt them when it exits.
    if (waiting !== undefined) {
      return yield* new Problem({
        name: "DaemonNeeded",
        problem: `other jobs wait to be started, such as ${waiting.id}, and only a daemon runs them to their end`,
        hint: "start it with: charlotte daemon start",
        exitCode: ExitCode.unavailable,
        details: { jobId: waiting.id }
      })
    }
    const newScope = Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    // Closed after the jobs, so that it logs their end too.
    const log = yield* newScope
    const notices = yield* newScope
    const life = yield* newScope
    const before = yield* store.latestCursor
    const layer = Layer.provide(Layers.manager({ recovery: "manual" }), Layer.succeedContext(records))
    const services = yield* Layer.buildWithScope(layer, life)
    const manager = Context.get(services, JobManager)
    if (yield* Telemetry.ExportsLogs) yield* Scope.extend(background.fork(logEvents(before, services)), log)
    const lastNotices = yield* Effect.provide(Scope.extend(Layers.notices({ isNode: false }), notices), records)
    const served = yield* Effect.provide(serve(life), Context.merge(records, services))
    const isLost = Effect.provide(HomeWatcher.untilLost(served.addresses), records)
    yield* gracefulShutdown.hurryOnSignal(Context.get(records, ProcessRunner), { force: false })

    /** The job that this process has recorded, if it waits to be started. */
    const pending = store.list({ kind: JobManager.kind, status: "pending", limit: 1 }).pipe(
      Effect.orElseSucceed(() => []),
      Effect.map((runs) => runs.map(({ id }) => id))
    )
    /** Cancels a job that has not started: there is nothing to resume, and the next process would start it without being asked to. */
    const close = Effect.flatMap(
      pending,
      Effect.forEach((id) => Effect.ignore(manager.stop(id)))
    ).pipe(Effect.zipRight(Scope.close(life, Exit.void)))

    const attend = ({ id, resumed }: Follow.Begun) =>
      Effect.gen(function* () {
        const leaving = yield* Deferred.make<void>()
        const follow = Follow.follow({
          events: manager.events(id),
          end: Effect.all({ run: manager.await(id), work: store.work.of(id), questions: store.questions.of(id) }).pipe(
            Effect.bind("unfinished", ({ run, work }) => unfinishedWork.of(run, work))
          ),
          leaving: Deferred.await(leaving),
          notices: recordingNotices(manager.health),
          resumed,
          json
        })
        const following = yield* background.fork(follow)
        const leave = Effect.gen(function* () {
          if ((yield* manager.activeCount) > 0) yield* Deferred.succeed(leaving, void 0)
          yield* close
          // Its events end with the manager; the summary is still to be printed.
          yield* Fiber.await(following)
        })
        return { following, leave }
      })

    const code = yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const begun = yield* Effect.onInterrupt(restore(Effect.provide(begin(manager), records)), () =>
          // The job may have been recorded a moment before.
          Effect.flatMap(
            Effect.zipWith(manager.list, pending, (active, waiting) => [...active, ...waiting]),
            (ids) => Effect.forEach(ids, (id) => Effect.flatMap(attend({ id }), ({ leave }) => leave))
          )
        )
        const { id } = begun
        const { following, leave } = yield* attend(begun)
        const asked = Effect.zipRight(served.shutdownRequested, Effect.interrupt)
        const { directory } = yield* Home
        const lost = Effect.zipRight(isLost, new HomeLost({ directory, jobId: id }))
        const outcomes = [Fiber.join(following), asked, lost] as const
        type Failure = Effect.Effect.Error<(typeof outcomes)[number]>
        return yield* restore(Effect.zipLeft(race.first<number, Failure, never>(outcomes), lastNotices)).pipe(
          Effect.onInterrupt(() => leave),
          Effect.catchTags({
            // What happens from here on is not recorded.
            HomeLost: (error) => Effect.zipRight(Scope.close(life, Exit.void), error),
            OutputClosed: (error) =>
              Effect.gen(function* () {
                yield* close
                const isPrinted = yield* printInterrupted(yield* manager.await(id), error)
                return yield* isPrinted ? new ExitCode.Quit({ code: exitOf(error)[0] }) : error
              })
          })
        )
      })
    )
    if (code !== ExitCode.completed) return yield* new ExitCode.Quit({ code })
  }).pipe(Effect.scoped)

/** Logs events for export only: the log of this process is usually off. */
const logEvents = (after: number, services: Context.Context<JobManager>) =>
  JobEventLogger.follow(after).pipe(
    Effect.provide(services),
    Effect.locallyWith(FiberRef.currentMinimumLogLevel, (level) =>
      LogLevel.lessThan(level, LogLevel.Info) ? level : LogLevel.Info
    )
  )

/** Standard output is closed, but standard error may still have a reader. */
const printInterrupted = ({ id, status }: Run, { message }: OutputClosed) =>
  Effect.flatMap(Output, ({ error }) =>
    status === "interrupted"
      ? Effect.as(
          error(`charlotte: ${message}, so the job was interrupted; resume it with: charlotte resume ${id}\n`),
          true
        )
      : Effect.succeed(false)
  )

/** Serves the socket of the home, like a daemon. The job runs even if that fails. */
const serve = (life: Scope.Scope) =>
  Effect.gen(function* () {
    const server = yield* Layer.buildWithScope(Layers.server({ reopenPage: false }), life)
    const { addresses, prepared, shutdownRequested } = Context.get(server, Server)
    // The HTTP application counts what happens; otherwise it is loaded with the first request.
    if ((yield* RefreshInterval) !== undefined) yield* prepared
    yield* Effect.flatMap(HomeLock, ({ announce }) => announce(addresses))
    return { addresses, shutdownRequested }
  }).pipe(
    Effect.catchTag("ListenError", ({ message }) =>
      Effect.flatMap(Output, ({ error }) =>
        Effect.as(error(`charlotte: the job is not reachable from other terminals: ${text.clean(message)}\n`), {
          addresses: [],
          shutdownRequested: Effect.never
        })
      )
    )
  )
