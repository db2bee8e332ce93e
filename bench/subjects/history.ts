/**
 * Which jobs there are in a database that was filled.
 */

/** So many teams share the jobs that have a label. */
export const teams = 10

/** The id of a job by its number, which has 24 digits. */
export const idOf = (digits: string): string => `01${digits}`

/** Of one in the later half, so that there are pages before it. */
export const anId = (jobs: number): string =>
  idOf(String(Math.floor((jobs * (1 + Math.random())) / 2)).padStart(24, "0"))
