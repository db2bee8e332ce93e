/**
 * A submitted job: its decoded configuration, labels and keys, and the run that is recorded for it.
 */
import { DateTime, Effect } from "effect"
import { createHash } from "node:crypto"
import type { InvalidJobConfig } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { RunTrace } from "../../domain/Run.js"
import { labelProblem } from "../../domain/labels.js"
import { groupProblem, keyProblem, type Requested, type StartOptions } from "../../domain/StartOptions.js"
import { stringify } from "../../internal/Json.js"
import type { NewRun, RetryOf } from "../../store/port/RunStoreService.js"
import type { Admission, Decoded, Submitted as Checked } from "./admission.js"
import type { Core } from "./Core.js"
import type { Dispatcher } from "./dispatcher.js"
import type { JobIdGenerator } from "./JobIdGenerator.js"
import { searchedText } from "./searchedText.js"

/** What all starts of a manager share. */
export interface Starting<Config> extends Submitting<Config> {
  readonly admission: Admission<Config>
  readonly dispatcher: Dispatcher
}

/** What all starts of a manager or a producer share. */
export interface Submitting<Config> {
  readonly admission: Pick<Admission<Config>, "decode">
  readonly nextId: JobIdGenerator
  readonly labels: (config: Config) => { readonly [name: string]: string }
  readonly key: ((config: Config) => string | undefined) | undefined
  readonly group: ((config: Config) => string | undefined) | undefined
  readonly maxQueued: number
  readonly retries?: Retries<Config> | undefined
}

/** How the configurations of a kind refer to the jobs whose work they take over. */
export interface Retries<in Config, out Encoded = unknown> {
  /** The run that a configuration retries. */
  readonly of: (config: Config) => Pick<RetryOf, "id" | "fresh"> | undefined
  /** The configuration that retries a run, from the configuration of that run. */
  readonly config: (config: Config, of: Pick<RetryOf, "id" | "fresh">) => Encoded
}

/** The input of a caller of `start`. */
export interface Submitted {
  readonly input: unknown
  readonly options: StartOptions | undefined
}

/** A decoded configuration, with the options of its start. */
export interface Submission<Config> extends Decoded<Config> {
  readonly id: JobId
  readonly at: DateTime.Utc
  readonly labels: { readonly [name: string]: string }
  readonly requested: Requested
  readonly startKey: string | undefined
  readonly group: string | undefined
  readonly idempotency: NewRun["idempotency"]
  readonly retryOf: RetryOf | undefined
}

/** Decodes a configuration, and determines its labels and keys. */
export const submit = <Config>(
  starting: Submitting<Config>,
  input: unknown,
  {
    at,
    id,
    options,
    requested
  }: {
    readonly id: JobId
    readonly at: DateTime.Utc
    readonly requested: Requested
    readonly options: StartOptions | undefined
  }
): Effect.Effect<Submission<Config>, InvalidJobConfig> =>
  Effect.gen(function* () {
    const decoded = yield* starting.admission.decode(input)
    const labels = starting.labels(decoded.config)
    const startKey = requested.key ?? starting.key?.(decoded.config)
    const group = starting.group?.(decoded.config)
    const problem = labelProblem(labels) ?? keyProblem(startKey) ?? groupProblem(group)
    if (problem !== undefined) return yield* problem
    const { idempotencyKey: key } = requested
    const retryOf = starting.retries?.of(decoded.config)
    return {
      ...decoded,
      id,
      at,
      labels,
      requested,
      startKey,
      group,
      idempotency: key === undefined ? undefined : { key, request: digest(decoded.encoded, options) },
      retryOf: retryOf && { ...retryOf, mayRepeat: true }
    }
  })

/** Distinguishes requests with the same idempotency key. */
const digest = (encoded: unknown, options: StartOptions = {}): string => {
  const { delay, priority = 0, startAt, key, whenFull, whenKeyTaken } = options
  const asked = [encoded, priority, startAt && DateTime.formatIso(startAt), delay, key, whenFull, whenKeyTaken]
  return createHash("sha256").update(stringify(asked)).digest("hex")
}

/** Of a run that is checked when it begins. */
export const unchecked = { key: undefined, submission: undefined, title: undefined }

export const newRun = <Config>(
  { kind }: Pick<Core<Config>, "kind">,
  { maxQueued }: Submitting<Config>,
  { at, config, encoded, group, id, idempotency, labels: own, requested, retryOf, startKey }: Submission<Config>,
  {
    key,
    submission,
    title,
    trace
  }: Pick<Checked, "key" | "submission" | "title"> & { readonly trace: RunTrace | undefined }
): NewRun => {
  const titled = title === undefined ? own : { title, ...own }
  const labels = labelProblem(titled) === undefined ? titled : own
  return {
    id,
    kind,
    key,
    startKey,
    group,
    config: encoded,
    labels,
    submission,
    searched: searchedText(config, { labels, config: encoded }),
    at,
    priority: requested.priority,
    startAt: requested.startAt,
    whenKeyTaken: requested.whenKeyTaken,
    idempotency,
    maxQueued,
    retryOf,
    trace
  }
}
