import * as format from "./format.js"

/** `2 retries, continued once`: what has followed the first attempt of a job; undefined if nothing has. */
export const continuations = ({
  attempt,
  tries = 0
}: {
  readonly attempt: number
  readonly tries?: number | undefined
}): string | undefined => {
  const more = attempt - 1 - tries
  const parts = [
    ...(tries > 0 ? [format.count(tries, "retry", "retries")] : []),
    ...(more > 0 ? [`continued ${more === 1 ? "once" : format.count(more, "time")}`] : [])
  ]
  return parts.length === 0 ? undefined : parts.join(", ")
}
