/**
 * Server-sent events by `fetch`, because an `EventSource` cannot send a token.
 */

export interface Frame {
  /** The position to resume from; a frame without one repeats an earlier frame's. */
  readonly id: string
  /** Empty for the events of jobs; `shutdown` when the server shuts down. */
  readonly event: string
  readonly data: string
}

/** Parses pieces of a stream, cut anywhere, into complete frames. */
export const makeParser = (): ((piece: string) => ReadonlyArray<Frame>) => {
  let rest = ""
  let id = ""
  let event = ""
  let data: Array<string> = []
  return (piece) => {
    const frames: Array<Frame> = []
    const lines = (rest + piece).split("\n")
    rest = lines.pop() ?? ""
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw
      if (line === "") {
        if (data.length > 0) frames.push({ id, event, data: data.join("\n") })
        data = []
        event = ""
        continue
      }
      const colon = line.indexOf(":")
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)
      if (field === "id") id = value
      else if (field === "event") event = value
      else if (field === "data") data.push(value)
    }
    return frames
  }
}
