/**
 * Which names in the Host header mean a port that other machines reach: a page that leads a browser here under a name of its own is
 * refused, as on a loopback port.
 */
import { X509Certificate } from "node:crypto"
import { isIP } from "node:net"
import { hostname, networkInterfaces } from "node:os"
import { isWildcard } from "../../internal/HostPort.js"

const defaultPorts = { http: 80, https: 443 }

const named = (text: string): { readonly name: string; readonly port: string | undefined } => {
  const [, v6, other = "", port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text) ?? []
  return { name: v6 ?? other, port }
}

const ownNames = (): ReadonlyArray<string> => [
  "localhost",
  hostname().toLowerCase(),
  ...Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
]

/** The name that it listens on, and those of the certificate; without one, those of this machine where it listens on all of them. */
export const make = ({
  cert,
  host,
  port
}: {
  readonly host: string
  readonly port: number
  readonly cert: string | undefined
}): ((header: string) => boolean) => {
  const certificate = cert === undefined ? undefined : new X509Certificate(cert)
  const implied = cert === undefined ? defaultPorts.http : defaultPorts.https
  const isCertified = (name: string): boolean =>
    certificate !== undefined &&
    (isIP(name) > 0 ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined
  const isOwn = (name: string): boolean =>
    name === host.toLowerCase() || (certificate === undefined && isWildcard(host) && ownNames().includes(name))
  return (header) => {
    const { name, port: given } = named(header)
    return name !== "" && (given ?? String(implied)) === String(port) && (isOwn(name) || isCertified(name))
  }
}
