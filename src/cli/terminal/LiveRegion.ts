/**
 * Draws on a terminal: lines that stay, and below them an area that changes. The cursor always rests below all of it and is
 * never hidden, so whatever ends this program leaves a terminal as it was.
 */
import { Clock, Effect, type Scope } from "effect"
import * as StyledLine from "./StyledLine.js"
import { Output, type OutputClosed, type Size } from "./Output.js"

export type Draw = (size: Size, now: number) => ReadonlyArray<StyledLine.Line>

export interface Live {
  /** Puts lines above the area, for good. */
  readonly print: (lines: ReadonlyArray<StyledLine.Line>) => Effect.Effect<void>
  /** Says how the area looks from now on. */
  readonly show: (draw: Draw) => Effect.Effect<void>
  /** Draws until it is interrupted. */
  readonly run: Effect.Effect<never, OutputClosed>
}

/** As often as an eye can follow. */
const pause = "100 millis"

/** A terminal that knows how shows it all at once; the others take no notice. */
const atOnce = (text: string): string => `\x1b[?2026h${text}\x1b[?2026l`
const up = (rows: number): string => (rows === 0 ? "\r" : `\x1b[${rows}F`)
const eraseToEndOfLine = "\x1b[K"
const eraseBelow = "\x1b[J"

/** At the end of the scope the area goes, and what was to stay is there. */
export const make: Effect.Effect<Live, never, Output | Scope.Scope> = Effect.gen(function* () {
  const output = yield* Output
  let draw: Draw = () => []
  let waiting: ReadonlyArray<StyledLine.Line> = []
  /** The area as it stands there, and for which width. */
  let area: ReadonlyArray<StyledLine.Line> = []
  let columns = 0

  const text = (line: StyledLine.Line) => `${StyledLine.paint(line, output.colours)}${eraseToEndOfLine}\n`

  /** Where a terminal has become narrower, it has broken the lines that were there. */
  const height = (size: Size): number =>
    area.reduce((rows, line) => rows + Math.max(1, Math.ceil(StyledLine.width(line) / size.columns)), 0)

  const put = (size: Size, next: ReadonlyArray<StyledLine.Line>) =>
    Effect.suspend(() => {
      const isWhole = size.columns === columns || area.length === 0
      if (waiting.length === 0 && isWhole && isSame(area, next)) return Effect.void
      const frame = up(height(size)) + [...waiting, ...next].map(text).join("") + eraseBelow
      waiting = []
      area = next
      columns = size.columns
      // What is noted as drawn is drawn.
      return Effect.uninterruptible(output.write(atOnce(frame)))
    })

  const frame = Effect.gen(function* () {
    const size = yield* output.size
    const now = yield* Clock.currentTimeMillis
    // The last column stays free: a terminal that has filled it does not agree with others where it then is.
    const next = draw({ ...size, columns: Math.max(1, size.columns - 1) }, now)
    yield* put(size, next.slice(0, Math.max(0, size.rows - 1)))
  })

  yield* Effect.addFinalizer(() => Effect.flatMap(output.size, (size) => Effect.ignore(put(size, []))))

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
