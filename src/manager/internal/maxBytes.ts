/**
 * The limit on what is recorded as JSON: a configuration, a result, or the payload of an event.
 */

/** 1 MiB. */
export const defaultMaxBytes = 1024 * 1024

/** What is wrong with the size of a JSON text; undefined if it is within the limit. */
export const sizeProblem = (json: string, maxBytes: number): string | undefined => {
  const bytes = Buffer.byteLength(json)
  return bytes <= maxBytes ? undefined : `has ${bytes} bytes of JSON, and maxBytes of its kind is ${maxBytes}`
}
