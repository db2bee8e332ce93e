/**
 * The handlers of jobs that every API has, over the managers of its jobs. They translate between HTTP and a manager and hold no logic.
 */
import type { HttpApiEndpoint } from "@effect/platform/HttpApiEndpoint"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Option, Stream } from "effect"
import type { Run } from "../../domain/Run.js"
import { logChange } from "../../domain/Sender.js"
import { RetriedJobs, Submitted } from "../contract/Api.js"
import type * as Jobs from "../contract/Jobs.js"
import type { AnyManager } from "../contract/Kinds.js"
import * as JobQueries from "./JobQueries.js"
import type { Service as Managers } from "./Managers.js"
import * as Metrics from "./Metrics.js"
import { endOnError } from "./OpenStreams.js"
import { awaitTurn } from "./pipelining.js"
import { resumeJob } from "./resumeJob.js"
import { withRetryAfter } from "./withRetryAfter.js"

/** What these handlers need of a manager. */
export type Acting = Pick<AnyManager, "get" | "resume" | "retry" | "retryMany" | "signal" | "stop">

type Request<E extends HttpApiEndpoint.Any> = HttpApiEndpoint.Request<E>

/** What one request does with all jobs of a kind that match: the first progress of a manager that has some. */
export const firstProgress = <M, A, E>(
  managers: Pick<Managers<M>, "ofKind">,
  kind: string,
  actOnAll: (manager: M) => Stream.Stream<A, E>
) =>
  Effect.flatMap(managers.ofKind(kind), (of) =>
    Stream.fromIterable(of).pipe(
      Stream.flatMap(({ manager }) => Stream.take(actOnAll(manager), 1)),
      Stream.runHead
    )
  )

export const make = <M extends Acting>(managers: Managers<M>) => {
  const { store } = managers
  const phaseOf = ({ id, kind, status }: Run) => {
    const managed = managers.all.find((managed) => managed.kind === kind)
    const job = managed === undefined ? Effect.succeedNone : managed.manager.get(id)
    return Effect.map(job, (job) => ({
      status,
      phase: Option.getOrUndefined(Option.map(job, ({ phase }) => phase))
    }))
  }
  const queries = JobQueries.make({ kinds: managers.all.map(({ kind }) => kind), phaseOf, store })

  return {
    list: ({
      urlParams: { label = [], limit = 100, before, handled, kind, order, q, retried, status }
    }: Request<typeof Jobs.list>) => {
      const labels = Object.fromEntries(label.map(({ name, value }) => [name, value]))
      return Effect.flatMap(managers.ofKind(kind), (of) =>
        queries.list({
          kinds: of.map(({ kind }) => kind),
          labels,
          limit,
          ...(status && { status }),
          ...(q !== undefined && { q }),
          ...(retried !== undefined && { retried }),
          ...(handled !== undefined && { handled }),
          ...(order && { order }),
          ...(before && { before })
        })
      )
    },
    get: ({ path: { id } }: Request<typeof Jobs.get>) => queries.get(id),
    steps: ({ path: { id }, urlParams }: Request<typeof Jobs.steps>) => queries.steps(id, urlParams),
    step: ({ path: { id, name }, urlParams }: Request<typeof Jobs.step>) => queries.step(id, urlParams.name ?? name),
    children: ({ path: { id }, urlParams }: Request<typeof Jobs.children>) => queries.children(id, urlParams),
    export: ({ path: { id }, request }: Request<typeof Jobs.exported>) =>
      Effect.map(
        Effect.tap(queries.export(id), () => awaitTurn(request)),
        (document) =>
          HttpServerResponse.stream(endOnError(Stream.encodeText(document)), {
            contentType: "application/json",
            headers: { "cache-control": "no-store" }
          })
      ),
    stop: ({ path: { id }, urlParams: { by, grace } }: Pick<Request<typeof Jobs.stop>, "path" | "urlParams">) =>
      Metrics.stop(
        Effect.flatMap(managers.ofJob(id), ({ manager }) => manager.stop(id, { by, ...(grace && { grace }) }))
      ),
    resume: ({ path: { id }, urlParams }: Pick<Request<typeof Jobs.resume>, "path" | "urlParams">) =>
      withRetryAfter(
        Effect.flatMap(managers.ofJob(id), ({ manager }) =>
          resumeJob(
            store,
            {
              resume: manager.resume,
              signal: (name, payload, options) =>
                // oxlint-disable-next-line typescript/consistent-type-assertions -- the name is Charlotte's own
                manager.signal(id, name as never, payload as never, options)
            },
            id,
            urlParams
          )
        )
      ),
    retry: ({ path: { id }, urlParams }: Pick<Request<typeof Jobs.retry>, "path" | "urlParams">) =>
      Effect.flatMap(managers.ofJob(id), ({ manager }) => manager.retry(id, urlParams)).pipe(
        Effect.map((id) => new Submitted({ id })),
        withRetryAfter
      ),
    retryMany: ({ payload: { kind, ...query } }: Pick<Request<typeof Jobs.retryMany>, "payload">) =>
      Effect.map(
        firstProgress(managers, kind, (manager) => manager.retryMany(query)),
        Option.match({
          onNone: () => new RetriedJobs({ retried: 0, refused: 0 }),
          onSome: (progress) => new RetriedJobs(progress)
        })
      ),
    signal: ({ path: { id, name }, payload: { by, payload } }: Pick<Request<typeof Jobs.signal>, "path" | "payload">) =>
      withRetryAfter(
        Effect.flatMap(managers.ofJob(id), ({ manager }) =>
          // oxlint-disable-next-line typescript/consistent-type-assertions -- the manager checks the name and the payload
          manager.signal(id, name as never, payload as never, { by })
        )
      ),
    pin: ({ path: { id }, urlParams: { by } }: Pick<Request<typeof Jobs.pin>, "path" | "urlParams">) =>
      Effect.zipRight(managers.ofRecorded(id), store.pin(id)).pipe(
        Effect.zipLeft(logChange(`job ${id} is pinned`, by))
      ),
    unpin: ({ path: { id }, urlParams: { by } }: Pick<Request<typeof Jobs.unpin>, "path" | "urlParams">) =>
      Effect.zipRight(managers.ofRecorded(id), store.unpin(id)).pipe(
        Effect.zipLeft(logChange(`job ${id} is no longer pinned`, by))
      )
  }
}
