/**
 * The permitted Host headers of a port that other machines can reach. As on a loopback port, this prevents DNS rebinding: a web page
 * cannot make a browser send requests here under its own host name.
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

/** Permits the listening name and the certificate's names; without a certificate, on a wildcard address, the names of this machine. */
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
