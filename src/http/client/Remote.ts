/**
 * Operations of a manager as requests, which may fail with a `ClientError`, too.
 */
import type { Effect, Stream } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { Operations } from "../../manager/internal/Operations.js"
import type { ClientError } from "./ClientError.js"

export type Response<A, E = never> = Effect.Effect<A, E | StoreError | ClientError>

type ResponseOf<Result, E> =
  Result extends Effect.Effect<infer A, infer E2>
    ? Response<A, E | E2>
    : Result extends Stream.Stream<infer A, infer E2>
      ? Stream.Stream<A, E | E2 | ClientError>
      : never

/** `E`: what each of them may fail with besides. */
export type Remote<Some, E = never> = {
  readonly [Name in keyof Some]: Some[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => ResponseOf<Result, E>
    : ResponseOf<Some[Name], E>
}

/** The operations on a job of any kind. */
export type OfJob = Remote<Pick<Operations, "remove" | "reschedule" | "resume" | "retry" | "stop">>
