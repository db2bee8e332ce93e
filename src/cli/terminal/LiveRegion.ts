/**
 * Lines that stay on a terminal, and below them a region that is redrawn. The cursor rests on the first row of the region: when its
 * width changes, one terminal wraps the lines again and another cuts them off, so the rows above the cursor would be unknown. It is
 * never hidden, so the terminal stays usable however this process ends.
 */
import { Clock, Effect, Runtime, type Scope } from "effect"
import * as StyledLine from "./StyledLine.js"
import { Output, type OutputClosed, type Size } from "./Output.js"

export type Draw = (size: Size, now: number) => ReadonlyArray<StyledLine.Line>

export interface Live {
  /** Adds permanent lines above the region. */
  readonly print: (lines: ReadonlyArray<StyledLine.Line>) => Effect.Effect<void>
  /** Sets how the region is drawn from now on. */
  readonly show: (draw: Draw) => Effect.Effect<void>
  /** Redraws until it is interrupted. */
  readonly run: Effect.Effect<never, OutputClosed>
}

/** Ten frames a second. */
const pause = "100 millis"

/** Synchronized output: terminals that support it draw a frame without flicker, others ignore it. */
const atOnce = (text: string): string => `\x1b[?2026h${text}\x1b[?2026l`
const up = (rows: number): string => (rows === 0 ? "" : `\x1b[${rows}F`)
const eraseToEndOfLine = "\x1b[K"
const eraseBelow = "\x1b[J"

/** Closing the scope prints pending lines and clears the region. */
export const make: Effect.Effect<Live, never, Output | Scope.Scope> = Effect.gen(function* () {
  const output = yield* Output
  let draw: Draw = () => []
  let waiting: ReadonlyArray<StyledLine.Line> = []
  /** The region as drawn last, and for which width. */
  let area: ReadonlyArray<StyledLine.Line> = []
  let columns = 0

  const text = (line: StyledLine.Line) => `${StyledLine.paint(line, output.colours)}${eraseToEndOfLine}\n`

  const put = (size: Size, next: ReadonlyArray<StyledLine.Line>) =>
    Effect.suspend(() => {
      const isWhole = size.columns === columns || area.length === 0
      if (waiting.length === 0 && isWhole && isSame(area, next)) return Effect.void
      const frame = `\r${[...waiting, ...next].map(text).join("")}${eraseBelow}${up(next.length)}`
      waiting = []
      area = next
      columns = size.columns
      // The state above says that the frame was drawn, so it must be.
      return Effect.uninterruptible(output.write(atOnce(frame)))
    })

  const frame = Effect.gen(function* () {
    const size = yield* output.size
    const now = yield* Clock.currentTimeMillis
    // The last column stays free: terminals differ in where the cursor is after filling it.
    const next = draw({ ...size, columns: Math.max(1, size.columns - 1) }, now)
    yield* put(size, next.slice(0, Math.max(0, size.rows - 1)))
  })

  const clear = Effect.flatMap(output.size, (size) => Effect.ignore(put(size, [])))
  yield* Effect.addFinalizer(() => clear)
  yield* onSuspend(clear)

  return {
    print: (lines) =>
      Effect.sync(() => {
        waiting = [...waiting, ...lines]
      }),
    show: (next) =>
      Effect.sync(() => {
        draw = next
      }),
    run: Effect.forever(Effect.zipRight(frame, Effect.sleep(pause)))
  }
})

const isSame = (a: ReadonlyArray<StyledLine.Line>, b: ReadonlyArray<StyledLine.Line>): boolean =>
  a.length === b.length &&
  a.every((line, index) => StyledLine.paint(line, true) === StyledLine.paint(b[index] ?? [], true))

/** Ctrl-Z: runs an effect before the process is suspended, such as one that clears what a shell would write over. */
const onSuspend = (clear: Effect.Effect<void>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const runFork = Runtime.runFork(yield* Effect.runtime())
    const suspend = Effect.sync(() => {
      // Without a listener, the signal has its default effect, which depends on the shell.
      process.off("SIGTSTP", onSignal)
      process.kill(process.pid, "SIGTSTP")
    })
    const onSignal = () => void runFork(Effect.zipRight(clear, suspend))
    const listen = () => {
      if (!process.listeners("SIGTSTP").includes(onSignal)) process.on("SIGTSTP", onSignal)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        listen()
        process.on("SIGCONT", listen)
      }),
      () =>
        Effect.sync(() => {
          process.off("SIGTSTP", onSignal)
          process.off("SIGCONT", listen)
        })
    )
  })
