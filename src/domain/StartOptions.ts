/**
 * Options for starting a job that may have to wait: for a permit, for a time, or behind a key.
 *
 * @since 0.2.0
 */
import { DateTime, Duration, Effect, Either, type ParseResult, Schema } from "effect"
import { InvalidJobConfig, type StartError } from "./errors.js"
import { invalidConfig } from "./invalidConfig.js"
import type { JobId } from "./JobId.js"
import { storable } from "./storable.js"

/**
 * What `start` does at capacity.
 *
 * @since 0.2.0
 * @category options
 */
export const WhenFull = Schema.Literal("refuse", "queue")

/**
 * What `start` does at capacity.
 *
 * @since 0.2.0
 * @category options
 */
export type WhenFull = typeof WhenFull.Type

/**
 * What `start` does if another job holds the key.
 *
 * @since 0.2.0
 * @category options
 */
export const WhenKeyTaken = Schema.Literal("refuse", "attach", "replace", "queue")

/**
 * What `start` does if another job holds the key.
 *
 * @since 0.2.0
 * @category options
 */
export type WhenKeyTaken = typeof WhenKeyTaken.Type

/**
 * Options of `start`.
 *
 * @since 0.2.0
 * @category options
 */
export interface StartOptions<out When extends WhenFull = WhenFull> {
  /**
   * At capacity, refuse with `MaxJobsReached`, and while the kind is paused with `KindPaused`, or record the run as `pending`; `refuse`
   * by default.
   */
  readonly whenFull?: When | undefined
  /** Among the runs that wait for a permit, higher priorities begin first; a whole number within ±1,000,000, 0 by default. */
  readonly priority?: number | undefined
  /** The run begins no earlier, and needs no permit before. A time in the past means now. */
  readonly startAt?: DateTime.DateTime | undefined
  /** Like `startAt`, but counted from now; not negative. */
  readonly delay?: Duration.DurationInput | undefined
  /** 1 to 256 bytes. At most one job of a kind holds a key. */
  readonly key?: string | undefined
  /**
   * If another job holds the key: refuse with `JobConflict`, return that job's id, stop it and begin when it has ended, or
   * wait behind it; `refuse` by default.
   */
  readonly whenKeyTaken?: WhenKeyTaken | undefined
  /** Calls with the same key get the same run, for as long as that run is kept. 1 to 256 bytes. */
  readonly idempotencyKey?: string | undefined
}

/**
 * Starts a job; `E` are the errors that do not depend on the options.
 *
 * @since 0.2.0
 * @category types
 */
export type Start<in Config, out E> = <When extends WhenFull = WhenFull>(
  config: Config,
  options?: StartOptions<When>
) => Effect.Effect<JobId, StartError<When> | E>

/** A `start` whose error type follows from its options. */
export const typedStart = <Config, E>(
  start: (config: Config, options?: StartOptions) => Effect.Effect<JobId, StartError | E>
): Start<Config, E> =>
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: a start that may wait is refused neither for want of a permit nor by a pause
  start as Start<Config, E>

const maxPriority = 1_000_000
const maxKeyBytes = 256

const KeyText = Schema.String.pipe(
  Schema.filter((key) => {
    const bytes = Buffer.byteLength(key)
    return (bytes >= 1 && bytes <= maxKeyBytes) || `must be 1 to ${maxKeyBytes} bytes long`
  }),
  storable
)

const Finite = Schema.DurationFromSelf.pipe(
  Schema.filter((delay) => Duration.isFinite(delay) || "must be a finite duration")
)

const oneOf = <Literals extends readonly [string, ...Array<string>]>(choice: Schema.Literal<Literals>) =>
  choice.annotations({ message: () => ({ message: `must be one of ${choice.literals.join(", ")}`, override: true }) })

const Options = Schema.Struct({
  whenFull: Schema.optional(oneOf(WhenFull)),
  priority: Schema.optional(Schema.Int.pipe(Schema.between(-maxPriority, maxPriority))),
  startAt: Schema.optional(Schema.DateTimeUtcFromSelf),
  delay: Schema.optional(Finite),
  key: Schema.optional(KeyText),
  whenKeyTaken: Schema.optional(oneOf(WhenKeyTaken)),
  idempotencyKey: Schema.optional(KeyText)
})

const validate = Schema.validateEither(Options, { errors: "all", onExcessProperty: "error" })

const validateKey = Schema.validateEither(Options.pick("key"))

const validateGroup = Schema.validateEither(Schema.Struct({ group: KeyText }))

const problemOf = (checked: Either.Either<unknown, ParseResult.ParseError>): InvalidJobConfig | undefined =>
  Either.isLeft(checked) ? invalidConfig(checked.left) : undefined

/** The error for an invalid key from code of the application (the `key` of a kind or a `check`); none if the key is valid. */
export const keyProblem = (key: string | undefined): InvalidJobConfig | undefined =>
  key === undefined ? undefined : problemOf(validateKey({ key }))

/** The error for an invalid group from the definition of a kind; none if the group is valid. */
export const groupProblem = (group: string | undefined): InvalidJobConfig | undefined =>
  group === undefined ? undefined : problemOf(validateGroup({ group }))

/** The options, resolved at a point in time. */
export interface Requested {
  readonly whenFull: WhenFull
  readonly priority: number
  /** The start time, only if it is in the future. */
  readonly startAt: DateTime.Utc | undefined
  readonly key: string | undefined
  readonly whenKeyTaken: WhenKeyTaken
  readonly idempotencyKey: string | undefined
  /** Whether only an immediate start is requested. */
  readonly isPlain: boolean
}

const plain: Requested = {
  whenFull: "refuse",
  priority: 0,
  startAt: undefined,
  key: undefined,
  whenKeyTaken: "refuse",
  idempotencyKey: undefined,
  isPlain: true
}

const invalid = (path: string, message: string) => new InvalidJobConfig({ issues: [{ path: [path], message }] })

/** Decoded, a negative duration is zero. */
const isNegative = (delay: Duration.DurationInput): boolean => /(^|,)-/.test(String(delay))

/** Checks options, for a kind whose configurations may determine a key. */
export const request = (
  options: StartOptions | undefined,
  { at, hasKey }: { readonly at: DateTime.Utc; readonly hasKey: boolean }
): Effect.Effect<Requested, InvalidJobConfig> =>
  Effect.gen(function* () {
    if (options === undefined) return plain
    const { delay: input, startAt: time, ...others } = options
    const delay = input === undefined ? undefined : Duration.decodeUnknown(input)
    if (delay?._tag === "None") return yield* invalid("delay", "must be a duration, such as 5 minutes")
    if (input !== undefined && isNegative(input)) return yield* invalid("delay", "must not be negative")
    const checked = validate({
      ...others,
      ...(time === undefined ? {} : { startAt: DateTime.isDateTime(time) ? DateTime.toUtc(time) : time }),
      ...(delay === undefined ? {} : { delay: delay.value })
    })
    if (Either.isLeft(checked)) return yield* invalidConfig(checked.left)
    const valid = checked.right
    if (valid.startAt !== undefined && valid.delay !== undefined) {
      return yield* invalid("delay", "cannot be combined with startAt")
    }
    if (valid.whenKeyTaken !== undefined && valid.key === undefined && !hasKey) {
      return yield* invalid("whenKeyTaken", "needs a key")
    }
    const startAt = valid.delay === undefined ? valid.startAt : DateTime.addDuration(at, valid.delay)
    const requested = {
      whenFull: valid.whenFull ?? "refuse",
      priority: valid.priority ?? 0,
      startAt: startAt !== undefined && DateTime.greaterThan(startAt, at) ? startAt : undefined,
      key: valid.key,
      whenKeyTaken: valid.whenKeyTaken ?? "refuse",
      idempotencyKey: valid.idempotencyKey
    }
    return {
      ...requested,
      isPlain:
        requested.whenFull === "refuse" &&
        requested.startAt === undefined &&
        requested.key === undefined &&
        requested.whenKeyTaken === "refuse" &&
        requested.idempotencyKey === undefined
    }
  })
