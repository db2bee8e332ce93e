/**
 * The protocol between a node and its guard, in lines. Each message has a number, which the guard acknowledges once it has acted on
 * the message.
 */
export type Message =
  /** The lease was fresh at that uptime of the machine. */
  | { readonly type: "beat"; readonly uptime: number }
  | { readonly type: "watch"; readonly cookie: string }
  | { readonly type: "spawned"; readonly cookie: string; readonly pid: number; readonly startTime: number }
  | { readonly type: "release"; readonly cookie: string }

export interface Numbered {
  readonly number: number
  readonly message: Message
}

const fieldsOf = (message: Message): ReadonlyArray<string | number> => {
  switch (message.type) {
    case "beat":
      return [message.uptime]
    case "spawned":
      return [message.cookie, message.pid, message.startTime]
    default:
      return [message.cookie]
  }
}

export const encode = ({ message, number }: Numbered): string =>
  `${[number, message.type, ...fieldsOf(message)].join(" ")}\n`

const number = String.raw`(\d+(?:\.\d+)?)`
const cookie = String.raw`([\w-]+)`
const format = new RegExp(`^(\\d+) (?:beat ${number}|(watch|release) ${cookie}|spawned ${cookie} (\\d+) (\\d+))$`)

/** Decodes a line; undefined for an invalid line. */
export const decode = (line: string): Numbered | undefined => {
  const [match, number, uptime, type, cookie = "", child = "", pid, startTime] = format.exec(line) ?? []
  if (match === undefined) return undefined
  const message = (message: Message): Numbered => ({ number: Number(number), message })
  if (uptime !== undefined) return message({ type: "beat", uptime: Number(uptime) })
  if (type === "watch" || type === "release") return message({ type, cookie })
  return message({ type: "spawned", cookie: child, pid: Number(pid), startTime: Number(startTime) })
}

/** Splits text that arrives in pieces into lines. */
export const lines = (use: (line: string) => void): ((piece: string) => void) => {
  let rest = ""
  return (piece) => {
    const [last = "", ...whole] = (rest + piece).split("\n").reverse()
    rest = last
    for (const line of whole.reverse()) use(line)
  }
}
