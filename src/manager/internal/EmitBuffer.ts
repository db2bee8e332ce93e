/**
 * Buffers emitted events that are not in the log yet: bounded, in order, and written in batches by one fiber, which exists only
 * while events wait to be written.
 */
import { Chunk, Effect, Ref } from "effect"
import type { AcceptedEvent } from "../../store/port/RunStoreService.js"
import { makeNotifier } from "../../store/port/ChangeNotifier.js"
import { RealClock } from "../../internal/RealClock.js"

export interface EmitBuffer {
  /** Accepts an event; waits while the buffer is full. */
  readonly offer: (event: AcceptedEvent) => Effect.Effect<void>
  /** Waits until all events that were accepted before are written. */
  readonly flush: Effect.Effect<void>
}

/** Bytes that may wait to be written. An event counts as at least 4 KiB, so at most 1,024 of them wait. */
const capacity = 4 * 1024 * 1024
const smallest = 4 * 1024

interface State {
  readonly waiting: Chunk.Chunk<AcceptedEvent>
  /** Bytes of the events that wait or are being written. */
  readonly bytes: number
  readonly accepted: number
  readonly written: number
  readonly isDraining: boolean
}

const empty: State = { waiting: Chunk.empty(), bytes: 0, accepted: 0, written: 0, isDraining: false }

/** A string takes one or two bytes a character; an event that is larger than the buffer fills it alone. */
const sizeOf = ({ payload = "", type, unit = "" }: AcceptedEvent): number =>
  Math.min(Math.max(2 * (payload.length + type.length + unit.length), smallest), capacity)

const sizeOfAll = (events: Chunk.Chunk<AcceptedEvent>): number =>
  Chunk.reduce(events, 0, (sum, event) => sum + sizeOf(event))

interface Options {
  /** Returns when the events are in the log, or never will be. */
  readonly write: (events: ReadonlyArray<AcceptedEvent>) => Effect.Effect<void>
  /** Runs the writing in a fiber of the manager. */
  readonly fork: (drain: Effect.Effect<void>) => Effect.Effect<void>
  /** Runs before every wait; dies if the wait would never end. */
  readonly beforeWait: Effect.Effect<void>
}

interface Buffer extends Options {
  readonly state: Ref.Ref<State>
  readonly progress: ReturnType<typeof makeNotifier>
}

export const make = (options: Options): Effect.Effect<EmitBuffer> =>
  Effect.map(Ref.make(empty), (state) => {
    const buffer = { ...options, state, progress: makeNotifier() }
    return {
      offer: (event) => offer(buffer, event),
      // The flush dies whenever it might have to wait, not only when it has to.
      flush: Effect.suspend(() =>
        Effect.zipRight(
          options.beforeWait,
          Effect.flatMap(Ref.get(state), ({ accepted, written }) =>
            written === accepted ? Effect.void : until(buffer, ({ written }) => written >= accepted)
          )
        )
      )
    }
  })

const offer = (buffer: Buffer, event: AcceptedEvent): Effect.Effect<void> => {
  const size = sizeOf(event)
  const accept = Ref.modify(buffer.state, (now): ["full" | "accepted" | "first", State] =>
    now.bytes > 0 && now.bytes + size > capacity
      ? ["full", now]
      : [
          now.isDraining ? "accepted" : "first",
          {
            waiting: Chunk.append(now.waiting, event),
            bytes: now.bytes + size,
            accepted: now.accepted + 1,
            written: now.written,
            isDraining: true
          }
        ]
  )
  // An interruption between accepting the event and forking its writer would leave the event unwritten and a flush waiting for ever.
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(accept, (answer) => {
      switch (answer) {
        case "accepted":
          return Effect.void
        case "first":
          // A step or a job whose effect ends with this one records its value, which must not be a fiber.
          return Effect.asVoid(buffer.fork(drain(buffer)))
        case "full":
          return restore(
            Effect.zipRight(
              until(buffer, ({ bytes }) => bytes === 0 || bytes + size <= capacity),
              offer(buffer, event)
            )
          )
      }
    })
  )
}

const until = ({ beforeWait, progress, state }: Buffer, reached: (state: State) => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (true) {
      // The version is read before the state, so that no change in between is missed.
      const version = yield* progress.version
      if (reached(yield* Ref.get(state))) return
      yield* beforeWait
      yield* progress.changed(version)
    }
  })

const drain = ({ progress, state, write }: Buffer): Effect.Effect<void> =>
  Effect.gen(function* () {
    // Events that are emitted without a wait in between go into one write.
    yield* Effect.flatMap(RealClock, ({ turn }) => turn)
    while (true) {
      const batch = yield* Ref.modify(state, take)
      if (Chunk.isEmpty(batch)) return
      yield* write(Chunk.toReadonlyArray(batch))
      const size = sizeOfAll(batch)
      yield* Ref.update(state, (now) => ({ ...now, bytes: now.bytes - size, written: now.written + batch.length }))
      yield* progress.wake
    }
  })

const take = (now: State): [Chunk.Chunk<AcceptedEvent>, State] => [
  now.waiting,
  { ...now, waiting: Chunk.empty(), isDraining: Chunk.isNonEmpty(now.waiting) }
]
