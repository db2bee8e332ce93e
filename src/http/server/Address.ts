/**
 * The addresses on which a server listens: as options, and once it listens.
 */
import type { Redacted, Stream } from "effect"
import type { AccessPolicy } from "./RequestGuard.js"

/**
 * Where to listen: the path of a unix socket, or a port (0 picks a free one), by default on 127.0.0.1. A port that other machines
 * can reach needs `tls` or `insecureHttp`. There, and on any port with `tls`, every request needs the token, and no page is served.
 *
 * @since 0.1.0
 * @category options
 */
export type Address =
  | { readonly socket: string }
  | {
      readonly port: number
      readonly host?: string
      readonly tls?: Tls
      /** Accepts that others on the network can read the token and all data. */
      readonly insecureHttp?: boolean
    }

/**
 * The certificate of a port, with its intermediate certificates, and its private key, both in PEM.
 *
 * @since 0.2.0
 * @category options
 */
export interface Tls {
  readonly cert: string
  readonly key: Redacted.Redacted
  /** Replacements of the certificate and its key, used for new connections from then on. */
  readonly renewals?: Stream.Stream<Pick<Tls, "cert" | "key">>
}

/**
 * An address on which a server listens.
 *
 * @since 0.2.0
 * @category models
 */
export type Bound =
  | { readonly socket: string }
  | {
      readonly port: number
      readonly host?: string
      /** Only for a port with TLS, or one that other machines can reach. */
      readonly url?: string
    }

/** An address on which a server listens, and who may send requests to it. */
export interface Endpoint {
  readonly address: Bound
  readonly policy: AccessPolicy
}
