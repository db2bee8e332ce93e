/**
 * Chance from a seed: the same seed, the same choices, on every machine.
 */
export interface Random {
  /** From 0 up to 1. */
  readonly next: () => number
  /** A whole number from 0 up to `limit`, which is not among them. */
  readonly below: (limit: number) => number
  readonly between: (least: number, most: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(all: readonly [A, ...ReadonlyArray<A>]) => A
  /** One of them, each as often as its weight says. */
  readonly weighted: <A extends string>(weights: Readonly<Record<A, number>>) => A
  /** A generator of its own, for what must not depend on who else draws. */
  readonly fork: () => Random
}

/** Mulberry32: a state of 32 bits, and good enough for coins and dice. */
export const make = (seed: number): Random => {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (probability) => next() < probability,
    pick: (all) => all[below(all.length)] ?? all[0],
    weighted: <A extends string>(weights: Readonly<Record<A, number>>): A => {
      const entries = keys(weights).map((name) => [name, weights[name]] as const)
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      const found = entries.find(([, weight]) => (left -= weight) < 0) ?? entries[0]
      if (found === undefined) throw new Error("nothing to choose from")
      return found[0]
    },
    fork: () => make(below(2 ** 31))
  }
}

const keys = <A extends string>(record: Readonly<Record<A, unknown>>): ReadonlyArray<A> => {
  const names: Array<A> = []
  for (const name in record) names.push(name)
  return names
}
