/**
 * Reading server-sent events.
 */

export interface Frame {
  /** Empty when it has none: such as the heartbeats, which have no data either. */
  readonly id: string
  readonly event: string
  readonly data: string
}

/** Takes what comes in, cut anywhere, and gives the frames that are complete. */
export const make = (): ((bytes: Uint8Array) => ReadonlyArray<Frame>) => {
  const decoder = new TextDecoder()
  let rest = ""
  let fields = new Map<string, string>()

  const field = (line: string): void => {
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    const before = fields.get(name)
    fields.set(name, name === "data" && before !== undefined ? `${before}\n${value}` : value)
  }

  const frame = (): Frame => {
    const complete = fields
    fields = new Map()
    return { id: complete.get("id") ?? "", event: complete.get("event") ?? "message", data: complete.get("data") ?? "" }
  }

  return (bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    return lines.flatMap((text) => {
      const line = text.endsWith("\r") ? text.slice(0, -1) : text
      if (line === "") return [frame()]
      field(line)
      return []
    })
  }
}
