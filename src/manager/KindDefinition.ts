/**
 * The definition of a kind of job, and the types that follow from it.
 *
 * @since 0.2.0
 */
import type { Schema } from "effect"
import type { JobEvent, TypedEvent } from "../domain/JobEvent.js"
import type * as Record from "../domain/Run.js"
import type { AnyEvents, AnySignals } from "./Orchestrator.js"

/**
 * Schemas by the type of an event, or by the name of a signal.
 *
 * @since 0.2.0
 * @category models
 */
export interface Schemas {
  readonly [name: string]: Schema.Schema.All
}

/**
 * A kind of job: its name and its schemas, without what its jobs do.
 *
 * @since 0.2.0
 * @category models
 */
export interface Definition<
  out Name extends string,
  out C extends Schema.Schema.All,
  out S extends Schema.Schema.All,
  out E extends Schema.Schema.All,
  out Ev extends Schemas | undefined,
  out Si extends Schemas | undefined
> {
  /** The name of the kind. */
  readonly kind: Name
  readonly config: C
  readonly success: S
  readonly error: E
  /** The payload of each type of event; `undefined` when jobs may emit any type. */
  readonly events: Ev
  /** The payload of each signal; `undefined` when any name is accepted. */
  readonly signals: Si
}

/**
 * Any kind of job.
 *
 * @since 0.2.0
 * @category models
 */
export type Any = Definition<
  string,
  Schema.Schema.All,
  Schema.Schema.All,
  Schema.Schema.All,
  Schemas | undefined,
  Schemas | undefined
>

/**
 * The configuration of a job of that kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Config<K extends Any> = Schema.Schema.Type<K["config"]>

/**
 * The encoded configuration, which `start` takes.
 *
 * @since 0.2.0
 * @category types
 */
export type Encoded<K extends Any> = Schema.Schema.Encoded<K["config"]>

/**
 * The success value of a job of that kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Success<K extends Any> = Schema.Schema.Type<K["success"]>

/**
 * The typed failure of a job of that kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Error<K extends Any> = Schema.Schema.Type<K["error"]>

/**
 * The payload of each type of event that a job of that kind emits.
 *
 * @since 0.2.0
 * @category types
 */
export type Events<K extends Any> = K["events"] extends Schemas ? Payloads<K["events"]> : AnyEvents

/**
 * A recorded event of a job of that kind: written by the manager, or declared by the kind, with the payload as its schema encodes it.
 * Events are not decoded, so every event stays readable: an event that was recorded under other schemas keeps their encoding.
 *
 * @since 0.2.0
 * @category types
 */
export type Event<K extends Any> = K["events"] extends Schemas
  ? TypedEvent<{ readonly [Type in keyof K["events"]]: Schema.Schema.Encoded<K["events"][Type]> }>
  : JobEvent

/**
 * The payload of each signal that a job of that kind accepts.
 *
 * @since 0.2.0
 * @category types
 */
export type Signals<K extends Any> = K["signals"] extends Schemas ? Payloads<K["signals"]> : AnySignals

/**
 * The encoded payload of each signal that a job of that kind accepts; `signal` takes it.
 *
 * @since 0.2.0
 * @category types
 */
export type EncodedSignals<K extends Any> = K["signals"] extends Schemas
  ? { readonly [Name in keyof K["signals"]]: Schema.Schema.Encoded<K["signals"][Name]> }
  : AnySignals

/**
 * The record of a job of that kind, decoded.
 *
 * @since 0.2.0
 * @category types
 */
export type Run<K extends Any> = Record.TypedRun<Config<K>, Success<K>, Error<K>>

/**
 * The services that the schemas of a kind need.
 *
 * @since 0.2.0
 * @category types
 */
export type Requirements<K extends Any> =
  | Schema.Schema.Context<K["config"]>
  | Schema.Schema.Context<K["success"]>
  | Schema.Schema.Context<K["error"]>
  | ContextOf<K["events"]>
  | ContextOf<K["signals"]>

/**
 * The decoded types of a map of schemas.
 *
 * @since 0.2.0
 * @category types
 */
export type Payloads<S extends Schemas> = { readonly [Name in keyof S]: Schema.Schema.Type<S[Name]> }

/**
 * The services that a map of schemas needs.
 *
 * @since 0.2.0
 * @category types
 */
export type ContextOf<S extends Schemas | undefined> = S extends Schemas ? Schema.Schema.Context<S[keyof S]> : never
