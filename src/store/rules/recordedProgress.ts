/**
 * The progress of a run as it is recorded.
 */
import { Schema } from "effect"
import { Progress } from "../../domain/Run.js"
import { beginning } from "../../domain/storable.js"
import type { NewProgress } from "../port/RunStoreService.js"

/** With the number of retries of the run: a retry within the run begins without progress, and nothing is written for that. */
export const RecordedProgress = Schema.Struct({ ...Progress.fields, tries: Schema.optional(Schema.Int) })

export type RecordedProgress = typeof RecordedProgress.Type

/** In bytes of UTF-8, since a list shows it in one line. */
const maxText = 200
const mark = "…"

/** Redact secrets before this: a truncated secret is not recognized. */
const cut = (text: string): string =>
  text.length <= maxText && Buffer.byteLength(text) <= maxText
    ? text
    : beginning(text, maxText - Buffer.byteLength(mark)) + mark

export const recorded = ({ progress: { done, text, total }, tries }: NewProgress): RecordedProgress => ({
  done,
  total,
  ...(text === undefined ? {} : { text: cut(text) }),
  ...(tries === 0 ? {} : { tries })
})

export const progressOf = ({ tries: _, ...progress }: RecordedProgress): Progress =>
  new Progress(progress, { disableValidation: true })

/** The progress to show; none if the run was retried since. */
export const shown = (
  recorded: RecordedProgress | null | undefined,
  tries: number
): { readonly progress?: Progress } =>
  recorded === null || recorded === undefined || (recorded.tries ?? 0) !== tries
    ? {}
    : { progress: progressOf(recorded) }
