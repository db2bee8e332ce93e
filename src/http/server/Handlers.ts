/**
 * Handlers of jobs and events. They translate between HTTP and the manager and hold no logic.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Array, Effect, Fiber, Layer, Option, Predicate, type Redacted } from "effect"
import { InvalidJobConfig, JobNotFound } from "../../domain/errors.js"
import { landConfig } from "../../domain/landConfig.js"
import { now } from "../../internal/now.js"
import type { JobManager } from "../../manager/JobManager.js"
import { type JobsApi, Submitted } from "../contract/Api.js"
import { decodeJsonBody, readJsonBody } from "./readJsonBody.js"
import { PrunedJobs, RemovedJobs, ServedKind, StatusCounts } from "../contract/Job.js"
import { StopAll } from "../contract/Jobs.js"
import type { Submission } from "../contract/Parameters.js"
import type { PrunedRuns } from "../../domain/Retention.js"
import * as Sender from "../../domain/Sender.js"
import type { AnyManager } from "../contract/Kinds.js"
import { Extension } from "./Extension.js"
import { handleEach } from "./handleEach.js"
import * as KindHandlers from "./KindHandlers.js"
import * as jobHandlers from "./jobHandlers.js"
import * as SseStreams from "./SseStreams.js"
import * as LogFiles from "./LogFiles.js"
import * as Managers from "./Managers.js"
import * as Metrics from "./Metrics.js"
import { OpenStreams } from "./OpenStreams.js"
import { withRetryAfter } from "./withRetryAfter.js"

export interface Options extends SseStreams.Options {
  /** The kind of the jobs of `JobManager`, for an API that names no kinds; its own name by default. */
  readonly kind?: string
  /** The directory of job logs; without it, requests for logs fail with `LogNotFound`. */
  readonly logs?: string
  /** The token of all nodes of a cluster, to read logs from other nodes; without it, only their recorded end is served. */
  readonly token?: Redacted.Redacted
}

const stopAll = decodeJsonBody(StopAll)

/** Checks for an object only: `JobManager.start` decodes it and reports every invalid field. */
const isSubmission = (body: unknown): body is Submission => Predicate.isRecord(body)

/** `JobsApi` as part of another API. */
type WithJobs<Id extends string> =
  typeof JobsApi extends HttpApi.HttpApi<string, infer Groups, infer E, infer R>
    ? HttpApi.HttpApi<Id, Groups, E, R>
    : never

const jobs = <Id extends string>(api: WithJobs<Id>, { logs: directory, token }: Options) =>
  HttpApiBuilder.group(api, "charlotteJobs", (handlers) =>
    Effect.gen(function* () {
      const managers = yield* Managers.Managers
      const { jobManager, store } = managers
      const streams = yield* OpenStreams
      const logs = yield* LogFiles.make({ managers, directory, streams, token })
      const { decide, diff } = yield* Extension

      const ofKind = <E>(kind: string, change: (manager: AnyManager) => Effect.Effect<void, E>) =>
        Effect.flatMap(
          managers.ofKind(kind),
          Effect.forEach(({ manager }) => change(manager), { discard: true })
        )

      const idempotency = ({ "idempotency-key": key }: { readonly "idempotency-key"?: string }) =>
        key === undefined ? {} : { idempotencyKey: key }
      const starting = (manager: JobManager["Type"]) =>
        handlers
          .handleRaw("submit", ({ headers, request, urlParams }) =>
            Effect.gen(function* () {
              const body = yield* readJsonBody(request)
              if (!isSubmission(body)) {
                return yield* new InvalidJobConfig({ issues: [{ path: [], message: "must be an object" }] })
              }
              const id = yield* manager.start(body, { ...urlParams, ...idempotency(headers) })
              return new Submitted({ id })
            }).pipe(withRetryAfter, Metrics.start)
          )
          .handle("land", ({ headers, path: { id: jobId }, payload: { units } }) =>
            Effect.gen(function* () {
              const run = yield* managers.ofRecorded(jobId).pipe(
                Effect.zipRight(Effect.flatten(store.get(jobId))),
                Effect.catchTag("NoSuchElementException", () => new JobNotFound({ jobId }))
              )
              const id = yield* manager.start(yield* landConfig(run, units), idempotency(headers))
              return new Submitted({ id })
            }).pipe(withRetryAfter, Metrics.start)
          )
      const others = Option.match(jobManager, {
        // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: without it the group has neither
        onNone: () => handlers as unknown as ReturnType<typeof starting>,
        onSome: ({ manager }) => starting(manager)
      })

      return handleEach(
        others.handleRaw("stopAll", ({ request }) =>
          Effect.flatMap(stopAll(request), ({ by, kind }) =>
            Effect.flatMap(managers.ofKind(kind), (of) =>
              Effect.map(atOnce(of.map(({ manager }) => manager.stopAllBy(by))), (reports) => reports.flat())
            )
          )
        ),
        {
          ...jobHandlers.make(managers),
          reschedule: ({ path: { id }, payload }) =>
            Effect.flatMap(managers.ofJob(id), ({ manager }) => manager.reschedule(id, payload)),
          remove: ({ path: { id }, urlParams }) =>
            managers.ofJob(id).pipe(
              // A job that was removed has no record, and any manager knows that it was.
              Effect.catchTag("JobNotFound", (error) => Effect.mapError(Array.head(managers.all), () => error)),
              Effect.flatMap(({ manager }) => manager.remove(id, urlParams)),
              Effect.zipLeft(Sender.logChange(`job ${id} is removed`, urlParams.by))
            ),
          removeMany: ({ payload: { kind, ...query } }) =>
            jobHandlers
              .firstProgress(managers, kind, (manager) => manager.removeMany(query))
              .pipe(
                Effect.map(Option.getOrElse(() => ({ removed: 0, refused: 0 }))),
                Effect.tap(({ removed }) =>
                  removed === 0
                    ? Effect.void
                    : Sender.logChange(`jobs of kind "${kind}" are removed: ${removed}`, query.by)
                ),
                Effect.map((progress) => new RemovedJobs(progress))
              ),
          approve: ({ path: { id }, payload }) => withRetryAfter(decide(id, payload)),
          reject: ({ path: { id }, payload }) => withRetryAfter(decide(id, payload)),
          answer: ({ path: { id: jobId }, payload: { by, text, unit } }) =>
            Effect.zipRight(
              managers.ofRecorded(jobId),
              Effect.flatMap(Effect.all([now, Sender.current(by)]), ([at, sender]) =>
                store.questions.answer({ jobId, unit, text, sender, at })
              )
            ),
          prune: ({ payload: { by, dryRun, kind } }) =>
            Effect.flatMap(managers.ofKind(kind), (of) =>
              Effect.map(
                Effect.forEach(of, ({ kind }) =>
                  Effect.tap(store.prune({ kind, dryRun }), (pruned) =>
                    dryRun === true
                      ? Effect.void
                      : Sender.logChange(`finished jobs of kind "${kind}" are pruned: ${sum(pruned)}`, by)
                  )
                ),
                (pruned) => pruned.flat().map((pruned) => new PrunedJobs(pruned))
              )
            ),
          kinds: () =>
            Effect.gen(function* () {
              const paused = yield* store.kinds.paused
              return yield* Effect.forEach(managers.all, ({ kind, manager }) =>
                Effect.gen(function* () {
                  const pause = paused.find((paused) => paused.kind === kind)
                  const active = yield* manager.activeCount
                  const pending = yield* store.pending(kind)
                  const maxJobs = yield* manager.maxJobs
                  const counts = new StatusCounts(yield* store.countByStatus(kind))
                  return new ServedKind({ kind, active, pending, maxJobs, counts, ...(pause && { paused: pause }) })
                })
              )
            }),
          pause: ({ path: { kind }, urlParams }) => ofKind(kind, (manager) => manager.pause(urlParams)),
          unpause: ({ path: { kind }, urlParams }) => ofKind(kind, (manager) => manager.unpause(urlParams)),
          limit: ({ path: { kind }, payload: { maxJobs, ...options } }) =>
            ofKind(kind, (manager) => manager.limit(maxJobs, options)),
          diff: ({ path: { id }, urlParams }) => diff(id, urlParams),
          logs: ({ path: { id }, request, urlParams }) => logs.get(request, id, urlParams),
          logFiles: ({ path: { id }, request }) => logs.list(request, id)
        }
      )
    })
  )

const sum = (pruned: ReadonlyArray<PrunedRuns>): number => pruned.reduce((sum, { runs }) => sum + runs, 0)

/** Runs them concurrently, since each has its own deadline. */
const atOnce = <A>(effects: ReadonlyArray<Effect.Effect<A>>): Effect.Effect<ReadonlyArray<A>> =>
  Effect.flatMap(Effect.forEach(effects, Effect.fork), Effect.forEach(Fiber.join))

const events = <Id extends string>(api: WithJobs<Id>, options: Options) =>
  HttpApiBuilder.group(api, "charlotteEvents", (handlers) =>
    Effect.gen(function* () {
      const managers = yield* Managers.Managers
      const streams = yield* OpenStreams
      const { ofAll, ofJob } = SseStreams.make({ ...options, managers, streams })
      // `Last-Event-ID` takes precedence: a browser reconnects with the URL of its first request.
      return handlers
        .handle("ofJob", ({ headers, path: { id }, request, urlParams: { after } }) =>
          ofJob(request, id, headers["last-event-id"] ?? after)
        )
        .handle("ofAll", ({ headers, request, urlParams: { after, kind } }) =>
          ofAll(request, kind, headers["last-event-id"] ?? after)
        )
    })
  )

/** The handlers of jobs and events, under any prefix, for the kinds of an API. */
type Handled<Id extends string, Groups> =
  | HttpApiGroup.ApiGroup<Id, "charlotteJobs" | "charlotteEvents">
  | ([KindHandlers.KindsOf<Groups>] extends [never] ? never : HttpApiGroup.ApiGroup<Id, "kinds">)

/** What the handlers need. */
type Services = Extension | FileSystem.FileSystem | Managers.Managers | OpenStreams

export const groups = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>,
  options: Options
): Layer.Layer<Handled<Id, Groups>, never, Services> => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the groups are looked up by name, and only they are used
  const withJobs = api as unknown as WithJobs<Id>
  const all = Layer.mergeAll(jobs(withJobs, options), events(withJobs, options), KindHandlers.layer(api))
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the group of kinds exists if the API has kinds
  return all as Layer.Layer<Handled<Id, Groups>, never, Services>
}
