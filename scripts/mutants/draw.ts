/** Which of all mutants are planted: a random choice that a seed repeats. */

/** mulberry32 */
const random = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const draw = <A>(all: ReadonlyArray<A>, most: number, seed: number): ReadonlyArray<A> => {
  const next = random(seed)
  const left = [...all]
  const drawn: Array<A> = []
  while (drawn.length < most && left.length > 0) drawn.push(...left.splice(Math.floor(next() * left.length), 1))
  return drawn
}

/** The lines that a patch without context adds, by file. */
export const addedLines = (patch: string): ReadonlyMap<string, (line: number) => boolean> => {
  const files = patch.split(/^diff --git /m).flatMap((part) => {
    const file = /^\+\+\+ b\/(.+)$/m.exec(part)?.[1]
    if (file === undefined) return []
    const ranges = [...part.matchAll(/^@@ -\S+ \+(\d+)(?:,(\d+))? @@/gm)].map(
      ([, from, count = "1"]) => [Number(from), Number(from) + Number(count)] as const
    )
    return [[file, (line: number) => ranges.some(([from, to]) => line >= from && line < to)] as const]
  })
  return new Map(files)
}
