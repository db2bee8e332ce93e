/**
 * A port that the daemon listens on, besides the socket of its home.
 */
import type { Address } from "../../daemon/home/LockOwner.js"
import { loopbackAddress } from "../../internal/HostPort.js"

export interface Port {
  readonly host: string
  readonly port: number
}

const pattern = /^(?:(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):)?(\d{1,5})$/i

/** `127.0.0.1:7433`, `[::1]:7433`, `node1.example.org:7433`, or the port alone. */
export const parse = (text: string): Port | undefined => {
  const [, host = "127.0.0.1", digits] = pattern.exec(text) ?? []
  const port = Number(digits)
  return port <= 65_535 ? { host: host.replace(/[[\]]/g, ""), port } : undefined
}

/** Whether a daemon listens on the requested port; port 0 matches any port of that address. */
export const isAt = (wanted: Port, address: Address): boolean => {
  if ("socket" in address || (wanted.port !== 0 && wanted.port !== address.port)) return false
  const { host = "127.0.0.1", url } = address
  return wanted.host === host || (url === undefined && loopbackAddress(wanted.host) === host)
}
