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
  /** Flushes for the last time: every later offer and flush dies. */
  readonly close: Effect.Effect<void>
  /** Dies once the buffer is closed. */
  readonly whileOpen: Effect.Effect<void>
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
  readonly isClosed: boolean
}

const empty: State = {
  ...{ waiting: Chunk.empty(), bytes: 0, accepted: 0, written: 0 },
  ...{ isDraining: false, isClosed: false }
}

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
  /** Says why a closed buffer accepts nothing. */
  readonly closed: Effect.Effect<never>
}

interface Buffer extends Options {
  readonly state: Ref.Ref<State>
  readonly progress: ReturnType<typeof makeNotifier>
}

export const make = (options: Options): Effect.Effect<EmitBuffer> =>
  Effect.map(Ref.make(empty), (state) => {
    const buffer = { ...options, state, progress: makeNotifier() }
    // The flush dies whenever it might have to wait, not only when it has to.
    const flush = ({ accepted, written }: State) =>
      Effect.zipRight(
        options.beforeWait,
        written === accepted ? Effect.void : until(buffer, ({ written }) => written >= accepted)
      )
    return {
      offer: (event) => offer(buffer, event),
      flush: Effect.flatMap(Ref.get(state), (now) => (now.isClosed ? options.closed : flush(now))),
      close: Effect.flatMap(
        Ref.updateAndGet(state, (now) => ({ ...now, isClosed: true })),
        flush
      ),
      whileOpen: Effect.flatMap(Ref.get(state), ({ isClosed }) => (isClosed ? options.closed : Effect.void))
    }
  })

const offer = (buffer: Buffer, event: AcceptedEvent): Effect.Effect<void> => {
  const size = sizeOf(event)
  const accept = Ref.modify(buffer.state, (now): ["closed" | "full" | "accepted" | "first", State] => {
    if (now.isClosed) return ["closed", now]
    if (now.bytes > 0 && now.bytes + size > capacity) return ["full", now]
    const waiting = Chunk.append(now.waiting, event)
    const counts = { bytes: now.bytes + size, accepted: now.accepted + 1, written: now.written }
    return [now.isDraining ? "accepted" : "first", { waiting, ...counts, isDraining: true, isClosed: false }]
  })
  // An interruption between accepting the event and forking its writer would leave the event unwritten and a flush waiting for ever.
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(accept, (answer) => {
      switch (answer) {
        case "closed":
          return buffer.closed
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
