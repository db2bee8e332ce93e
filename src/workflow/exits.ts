/**
 * How exits are recorded: as the value or the failure of a step, or as the value of a decision.
 */
import { Effect, Exit, Schema } from "effect"

/** The cause of failures that a schema encodes. */
export const CauseOf = <A, I, R>(error: Schema.Schema<A, I, R>) => Schema.Cause({ error, defect: Schema.Defect })

/** A cause whose failures are encoded already. */
export const EncodedCause = CauseOf(Schema.Unknown)

/** JSON leaves out a value that is `undefined`. */
const Recorded = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ ok: Schema.Literal(true), value: Schema.optional(Schema.Unknown) }),
    Schema.Struct({ ok: Schema.Literal(false), cause: EncodedCause })
  )
)

const encodeRecorded = Schema.encode(Recorded)
const decodeRecorded = Schema.decode(Recorded)

/** An exit whose values are encoded already, as JSON text. */
export const encode = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<string> =>
  Effect.orDie(
    encodeRecorded(
      Exit.match(exit, {
        onSuccess: (value): typeof Recorded.Type => ({ ok: true, value }),
        onFailure: (cause): typeof Recorded.Type => ({ ok: false, cause })
      })
    )
  )

export const decode = (text: string): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  Effect.map(Effect.orDie(decodeRecorded(text)), (recorded) =>
    recorded.ok ? Exit.succeed(recorded.value) : Exit.failCause(recorded.cause)
  )
