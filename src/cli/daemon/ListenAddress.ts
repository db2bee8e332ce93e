/**
 * A loopback port that the daemon listens on, besides the socket of its home.
 */
export interface Port {
  readonly host: string
  readonly port: number
}

const pattern = /^(?:(127\.0\.0\.1|localhost|\[::1\]):)?(\d{1,5})$/

/** `127.0.0.1:7433`, or the port alone. */
export const parse = (text: string): Port | undefined => {
  const [, host = "127.0.0.1", digits] = pattern.exec(text) ?? []
  const port = Number(digits)
  return port <= 65_535 ? { host: host.replace(/[[\]]/g, ""), port } : undefined
}
