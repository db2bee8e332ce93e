/**
 * Interprets errors of connections to other machines.
 */
import type { ConnectionFailed } from "../../http/contract/errors.js"

/** Whether the address belongs to `--server`. */
export const isRemote = ({ address }: { readonly address: string }): boolean => /^https?:/.test(address)

/** Whether the error is about a certificate, by the codes of OpenSSL and Node. */
export const isAboutCertificate = ({ problem }: Pick<ConnectionFailed, "problem">): boolean =>
  /CERT|LEAF_SIGNATURE/.test(problem)

/** The hint for a failed connection to another machine. */
export const remedy = ({ problem }: Pick<ConnectionFailed, "problem">): string => {
  if (problem.includes("ALTNAME")) return "its certificate is for another name: use one that is in it"
  if (problem.includes("EXPIRED")) return "renew the certificate of the daemon, and restart it"
  if (isAboutCertificate({ problem })) {
    return "if a CA of your own has signed its certificate, set NODE_EXTRA_CA_CERTS to the file with that of the CA"
  }
  return "check the URL and the network, and whether the daemon listens there"
}
