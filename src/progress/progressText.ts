/**
 * How far a job is, in words.
 */
export interface Progress {
  readonly done: number
  readonly total: number
  readonly text?: string | undefined
}

/** `60 of 100 (60 %), resizing images`. */
export const progressText = ({ done, text, total }: Progress): string => {
  const share = total === 0 ? "" : ` (${Math.floor((100 * done) / total)} %)`
  return `${done} of ${total}${share}${text === undefined ? "" : `, ${text}`}`
}
