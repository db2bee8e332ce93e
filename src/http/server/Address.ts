/**
 * Where a server listens: the options, and what comes of them.
 */
import type { Redacted, Stream } from "effect"
import type { AccessPolicy } from "./RequestGuard.js"

/**
 * Where to listen: the path of a unix socket, or a port (0 picks a free one), by default on 127.0.0.1. A port that other machines
 * reach needs `tls`, or `insecureHttp`; there, and wherever there is `tls`, every request needs the token, and no page is served.
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
      /** Accepts that the token and all data can be read on the way. */
      readonly insecureHttp?: boolean
    }

/**
 * The certificate of a port, with those between it and its root, and its private key, both in PEM.
 *
 * @since 0.2.0
 * @category options
 */
export interface Tls {
  readonly cert: string
  readonly key: Redacted.Redacted
  /** Those that take the place of the certificate and its key, for connections that are made from then on. */
  readonly renewals?: Stream.Stream<Pick<Tls, "cert" | "key">>
}

/**
 * Where a server listens.
 *
 * @since 0.2.0
 * @category models
 */
export type Bound =
  | { readonly socket: string }
  | {
      readonly port: number
      readonly host?: string
      /** Of a port with TLS, or that other machines reach. */
      readonly url?: string
    }

/** Where a server listens, and who may send requests there. */
export interface Endpoint {
  readonly address: Bound
  readonly policy: AccessPolicy
}
