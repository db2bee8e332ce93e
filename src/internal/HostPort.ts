/**
 * An address in the form that people write: `10.0.0.5:7450`, `node1.internal:7450`, or `[fd00::5]:7450`.
 */
import { Option } from "effect"
import { isIPv4 } from "node:net"

export interface HostPort {
  /** The address as it was written; an IPv6 address is in brackets. */
  readonly text: string
  readonly host: string
  readonly port: number
}

/** The expected form, worded for the end of a sentence. */
export const expected = "HOST:PORT, such as 10.0.0.5:7450 or [fd00::5]:7450, with a port of 1 to 65535"

const pattern = /^(?:\[(?<bracketed>[\da-fA-F:.]+)\]|(?<plain>[\w.-]+)):(?<port>\d{1,5})$/

export const parse = (text: string): Option.Option<HostPort> => {
  const { bracketed, plain, port = "" } = pattern.exec(text)?.groups ?? {}
  const host = bracketed ?? plain
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  return host === undefined || !isPort ? Option.none() : Option.some({ text, host, port: Number(port) })
}

/** The host as it stands in a URL and before a port. */
export const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/** The address of a host that only processes of this machine can reach: of 127.0.0.0/8, or `::1`. */
export const loopbackAddress = (host: string): string | undefined => {
  if (host === "localhost") return "127.0.0.1"
  return host === "::1" || (isIPv4(host) && host.startsWith("127.")) ? host : undefined
}

/** Whether only processes of this machine can reach the host. */
export const isLoopback = (host: string): boolean => loopbackAddress(host) !== undefined

const wildcards = ["0.0.0.0", "::"]

/** Whether the host means every address of this machine. */
export const isWildcard = (host: string): boolean => wildcards.includes(host)
