/**
 * Decodes what is sent as `http/protobuf` to what OTLP has for it in JSON. The numbers are those of the `.proto` files of
 * OpenTelemetry; a field that is not among them is an error.
 */

type Scalar = "string" | "hex" | "int" | "bool" | "double" | "fixed64" | "fixed32"
interface Message {
  readonly [field: number]: readonly [name: string, type: Scalar | (() => Message), repeated?: "repeated"]
}

const value = (): Message => ({
  1: ["stringValue", "string"],
  2: ["boolValue", "bool"],
  3: ["intValue", "int"],
  4: ["doubleValue", "double"],
  5: ["arrayValue", () => ({ 1: ["values", value, "repeated"] })]
})
const attribute = (): Message => ({ 1: ["key", "string"], 2: ["value", value] })
const resource = (): Message => ({ 1: ["attributes", attribute, "repeated"] })
const scope = (): Message => ({ 1: ["name", "string"], 2: ["version", "string"] })

const span = (): Message => ({
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  4: ["parentSpanId", "hex"],
  5: ["name", "string"],
  6: ["kind", "int"],
  7: ["startTimeUnixNano", "fixed64"],
  8: ["endTimeUnixNano", "fixed64"],
  9: ["attributes", attribute, "repeated"],
  11: [
    "events",
    () => ({ 1: ["timeUnixNano", "fixed64"], 2: ["name", "string"], 3: ["attributes", attribute, "repeated"] }),
    "repeated"
  ],
  13: [
    "links",
    () => ({ 1: ["traceId", "hex"], 2: ["spanId", "hex"], 4: ["attributes", attribute, "repeated"] }),
    "repeated"
  ],
  15: ["status", () => ({ 2: ["message", "string"], 3: ["code", "int"] })]
})

const number = (): Message => ({
  2: ["startTimeUnixNano", "fixed64"],
  3: ["timeUnixNano", "fixed64"],
  4: ["asDouble", "double"],
  6: ["asInt", "fixed64"],
  7: ["attributes", attribute, "repeated"]
})
const distribution = (): Message => ({
  2: ["startTimeUnixNano", "fixed64"],
  3: ["timeUnixNano", "fixed64"],
  4: ["count", "fixed64"],
  5: ["sum", "double"],
  6: ["bucketCounts", "fixed64", "repeated"],
  7: ["explicitBounds", "double", "repeated"],
  9: ["attributes", attribute, "repeated"],
  11: ["min", "double"],
  12: ["max", "double"]
})
const metric = (): Message => ({
  1: ["name", "string"],
  2: ["description", "string"],
  3: ["unit", "string"],
  5: ["gauge", () => ({ 1: ["dataPoints", number, "repeated"] })],
  7: [
    "sum",
    () => ({ 1: ["dataPoints", number, "repeated"], 2: ["aggregationTemporality", "int"], 3: ["isMonotonic", "bool"] })
  ],
  9: ["histogram", () => ({ 1: ["dataPoints", distribution, "repeated"], 2: ["aggregationTemporality", "int"] })]
})

const log = (): Message => ({
  1: ["timeUnixNano", "fixed64"],
  2: ["severityNumber", "int"],
  3: ["severityText", "string"],
  5: ["body", value],
  6: ["attributes", attribute, "repeated"],
  8: ["flags", "fixed32"],
  9: ["traceId", "hex"],
  10: ["spanId", "hex"],
  11: ["observedTimeUnixNano", "fixed64"]
})

/** `resourceSpans`, `scopeSpans`, `spans`, and the like. */
const request = (signal: string, items: string, item: () => Message): Message => {
  const scoped = (): Message => ({ 1: ["scope", scope], 2: [items, item, "repeated"] })
  const ofResource = (): Message => ({ 1: ["resource", resource], 2: [`scope${signal}`, scoped, "repeated"] })
  return { 1: [`resource${signal}`, ofResource, "repeated"] }
}

const requests = {
  traces: request("Spans", "spans", span),
  metrics: request("Metrics", "metrics", metric),
  logs: request("Logs", "logRecords", log)
}

/** By the wire type: a number, or the bytes of what has a length. */
const readers = (bytes: Buffer) => {
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error("a message is cut short")
    return bytes.subarray(at, (at += length))
  }
  const varint = (): number => {
    for (let result = 0n, shift = 0n; ; shift += 7n) {
      const byte = take(1).readUInt8()
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, result))
    }
  }
  return { isAtEnd: () => at === bytes.length, take, varint }
}

const decodeMessage = (bytes: Buffer, message: Message): Record<string, unknown> => {
  const { isAtEnd, take, varint } = readers(bytes)
  const wireTypes = { int: 0, bool: 0, double: 1, fixed64: 1, string: 2, hex: 2, fixed32: 5 }
  const read = (type: Scalar | (() => Message), wire: number): unknown => {
    if ((typeof type === "string" ? wireTypes[type] : 2) !== wire) throw new Error(`a field has the wire type ${wire}`)
    if (typeof type === "function") return decodeMessage(take(varint()), type())
    switch (type) {
      case "int":
        return varint()
      case "bool":
        return varint() === 1
      case "double":
        return take(8).readDoubleLE()
      case "fixed64":
        return take(8).readBigInt64LE()
      case "fixed32":
        return take(4).readUInt32LE()
      case "string":
        return new TextDecoder("utf-8", { fatal: true }).decode(take(varint()))
      case "hex":
        return take(varint()).toString("hex")
    }
  }
  const lists = new Map<string, Array<unknown>>()
  for (const [name, , repeated] of Object.values(message)) if (repeated !== undefined) lists.set(name, [])
  const fields: Record<string, unknown> = {}
  while (!isAtEnd()) {
    const tag = varint()
    const field = message[tag >> 3]
    if (field === undefined) throw new Error(`there is no field ${tag >> 3} among ${JSON.stringify(message)}`)
    const [name, type] = field
    const found = read(type, tag & 7)
    const list = lists.get(name)
    if (list === undefined) fields[name] = found
    else list.push(found)
  }
  return { ...Object.fromEntries(lists), ...fields }
}

/** As JSON, in which times are texts, and other numbers are numbers. */
export const decode = (signal: keyof typeof requests, bytes: Buffer): string =>
  JSON.stringify(decodeMessage(bytes, requests[signal]), (name, value: unknown) =>
    typeof value === "bigint" ? (name.endsWith("UnixNano") ? String(value) : Number(value)) : value
  )
