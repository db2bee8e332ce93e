/**
 * The jobs in a database that `fill.ts` has filled.
 */

/** The number of teams in the labels. */
export const teams = 10

/** The id of a job from its number with 24 digits. */
export const idOf = (digits: string): string => `01${digits}`

/** The id of a random job in the later half, so that there are pages before it. */
export const anId = (jobs: number): string =>
  idOf(String(Math.floor((jobs * (1 + Math.random())) / 2)).padStart(24, "0"))
