/**
 * The producer of a kind of job: it writes runs and requests, which a manager of the kind takes up, and reads what becomes of them. It
 * owns nothing, and an idle one makes no query.
 */
import { Duration, Effect, Option, Record, type Scope, Stream } from "effect"
import { JobNotFound, type SignalError, type StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import * as Sender from "../../domain/Sender.js"
import { request } from "../../domain/StartOptions.js"
import * as Tracing from "../../internal/Tracing.js"
import { RunStore } from "../../store/RunStore.js"
import type { SignalOptions } from "../JobManagerService.js"
import type { Any, Config, ProducerService, Requirements } from "../KindDefinition.js"
import * as Admission from "./admission.js"
import { awaitRecord } from "./awaitRecord.js"
import { mayResume } from "./beginRun.js"
import * as EventSubscriptions from "./EventSubscriptions.js"
import * as JobIdGenerator from "./JobIdGenerator.js"
import { traceOf } from "./jobSpan.js"
import { runDecoder, withServices } from "./kindSchemas.js"
import * as Provide from "./provide.js"
import { retryJob, retryMany } from "./retryJob.js"
import { schemasOf } from "./schemasOf.js"
import * as Shutdown from "./Shutdown.js"
import { limit, payloadText } from "./signals.js"
import { startInTransaction } from "./startJob.js"
import { startEach } from "./startMany.js"
import { newRun, submit, type Submission, unchecked } from "./submission.js"

export const make = <K extends Any>(
  definition: K
): Effect.Effect<ProducerService<K>, StoreError, RunStore | Scope.Scope | Requirements<K>> =>
  Effect.gen(function* () {
    const schemas = schemasOf(definition)
    const { kind, starts } = schemas
    const { group, key, labels = () => ({}), maxBytes, maxQueued = 10_000 } = starts
    const store = yield* RunStore
    const { producers } = store
    const services = yield* Effect.context<Requirements<K>>()
    const provide = Provide.make(services)
    const decode = runDecoder(schemas, provide)
    const signals = schemas.signals && Record.map(schemas.signals, (schema) => withServices(schema, provide))
    yield* producers.rest
    const shutdown = yield* Shutdown.make
    yield* Effect.addFinalizer(() => Effect.zipRight(shutdown.begin, shutdown.end))
    const nextId = JobIdGenerator.aboveLatest(yield* JobIdGenerator.make, yield* store.latestId)
    const starting = {
      kind,
      admission: {
        decode: Admission.decoder(schemas.config, services, maxBytes),
        decodeRecorded: Admission.recordedDecoder(schemas.config, services),
        check: () => Effect.succeed({ ...unchecked, keyName: undefined })
      },
      nextId,
      labels,
      key,
      group,
      maxQueued
    }

    /** The notifier of a job, which commits of other processes change, too. */
    const changes = (id?: JobId) => Effect.zipRight(producers.follow, store.changes(id))
    const subscriptions = yield* EventSubscriptions.make({ kind, store: { ...store, changes }, shutdown })

    const record = (submission: Submission<Config<K>>) =>
      Effect.flatMap(Tracing.caller, (caller) =>
        producers.submit(newRun({ kind }, starting, submission, { ...unchecked, trace: traceOf(caller) }))
      )

    const start: ProducerService<K>["start"] = (input, options) =>
      store.outbox.byTransaction({
        inside: startInTransaction({ kind, store }, starting, { input, options }),
        outside: Effect.gen(function* () {
          const at = yield* store.now
          const requested = yield* request(options, { at, hasKey: key !== undefined })
          return yield* record(yield* submit(starting, input, { id: nextId(at.epochMillis), at, requested, options }))
        }).pipe(Tracing.traced("Producer.start"))
      })

    const startMany: ProducerService<K>["startMany"] = (configs, options) =>
      Effect.zipRight(
        store.outsideTransaction,
        startEach(starting, configs, options, { before: Effect.void, now: store.now, record })
      ).pipe(Effect.catchTag("ShuttingDown", Effect.die), Tracing.traced("Producer.startMany"))

    const signal = (
      jobId: JobId,
      name: string,
      payload: unknown,
      { by }: SignalOptions = {}
    ): Effect.Effect<void, SignalError> =>
      Effect.gen(function* () {
        yield* store.outsideTransaction
        const text = yield* payloadText(signals, name, payload)
        const sender = yield* Sender.current(by)
        yield* producers.requestSignal({ kind, jobId, name, payload: text, sender, limit, at: yield* store.now })
      }).pipe(Tracing.traced("Producer.signal"))

    const stop: ProducerService<K>["stop"] = (jobId, { by, grace } = {}) =>
      Effect.gen(function* () {
        yield* store.outsideTransaction
        const decoded = grace === undefined ? undefined : Duration.decode(grace)
        const sender = yield* Sender.current(by)
        yield* producers.requestStop({ kind, jobId, grace: decoded, sender, at: yield* store.now })
      }).pipe(Tracing.traced("Producer.stop"))

    const resume: ProducerService<K>["resume"] = (jobId, { by } = {}) =>
      Effect.gen(function* () {
        yield* store.outsideTransaction
        yield* mayResume(yield* recordOf(jobId))
        yield* producers.requestResume({ kind, jobId, sender: yield* Sender.current(by), at: yield* store.now })
      }).pipe(Tracing.traced("Producer.resume"))

    const recordOf = (jobId: JobId) =>
      Effect.flatMap(store.get(jobId), (run) =>
        Option.isSome(run) && run.value.kind === kind ? Effect.succeed(run.value) : new JobNotFound({ jobId })
      )

    const retrying = { kind, store, shutdown, recordOf, record: producers.submit }

    const awaitEnd = (id: JobId) =>
      store.outsideTransaction.pipe(
        Effect.zipRight(awaitRecord({ changes: changes(id), record: recordOf(id), shutdown })),
        Effect.flatMap(decode),
        Tracing.traced("Producer.await")
      )

    return {
      start,
      startMany,
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the kind says which signals there are
      signal: signal as ProducerService<K>["signal"],
      stop,
      resume,
      retry: (id, options) => Effect.catchTag(retryJob(retrying, starting, id, options), "ShuttingDown", Effect.die),
      retryMany: (query) => Stream.catchTag(retryMany(retrying, starting, query), "ShuttingDown", Stream.die),
      await: awaitEnd,
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the kind says which events its jobs emit
      events: ((id, { after = 0 } = {}) => subscriptions.ofJob(id, after)) as ProducerService<K>["events"]
    }
  })
