/**
 * Where a node listens, and how other nodes reach it.
 *
 * @since 0.2.0
 */
import { Data, Effect } from "effect"
import { lookup } from "node:dns/promises"
import { SocketAddress } from "node:net"
import * as HostPort from "../../internal/HostPort.js"

/**
 * An address that the engine cannot or will not use.
 *
 * @since 0.2.0
 * @category errors
 */
export class AddressRefused extends Data.TaggedError("AddressRefused")<{
  /** The address as it was written. */
  readonly address: string
  readonly reason: string
}> {
  override get message() {
    return `cannot use the address ${JSON.stringify(this.address)} for a cluster: ${this.reason}`
  }
}

export type Address = HostPort.HostPort

export const parse = (text: string): Effect.Effect<Address, AddressRefused> =>
  Effect.mapError(
    HostPort.parse(text),
    () => new AddressRefused({ address: text, reason: `expected ${HostPort.expected}` })
  )

/** All spellings of "every interface", such as `0`, `0.0.0.0`, `::` and `::ffff:0:0`. */
const isEveryInterface = (address: string, family: number): boolean => {
  const { address: normal } = new SocketAddress({ address, family: family === 6 ? "ipv6" : "ipv4" })
  return ["0.0.0.0", "::", "::ffff:0.0.0.0", "::ffff:0:0"].includes(normal)
}

const resolve = ({ host, text }: Address) =>
  Effect.tryPromise({
    try: () => lookup(host),
    catch: (error) => new AddressRefused({ address: text, reason: `${host} cannot be resolved: ${String(error)}` })
  })

/** Refuses an address that other nodes cannot connect to. */
export const reachable = (text: string): Effect.Effect<Address, AddressRefused> =>
  Effect.tap(parse(text), (address) =>
    Effect.flatMap(resolve(address), ({ address: resolved, family }) =>
      isEveryInterface(resolved, family)
        ? new AddressRefused({
            address: text,
            reason: "other nodes cannot connect to it; name an address of this machine"
          })
        : Effect.void
    )
  )

/** Refuses an address that other machines can reach. */
export const onLoopback = (address: Address): Effect.Effect<void, AddressRefused> =>
  Effect.flatMap(resolve(address), ({ address: resolved }) =>
    HostPort.isLoopback(resolved)
      ? Effect.void
      : new AddressRefused({
          address: address.text,
          reason: "other machines can reach it, so all nodes need one secret (for daemons: add --token-file FILE)"
        })
  )

/** Resolves the address to bind. Listening on every interface is refused unless `isInsecure`. */
export const bindable = (text: string, isInsecure: boolean): Effect.Effect<Address, AddressRefused> =>
  Effect.gen(function* () {
    const address = yield* parse(text)
    const resolved = yield* resolve(address)
    if (isEveryInterface(resolved.address, resolved.family) && !isInsecure) {
      return yield* new AddressRefused({
        address: text,
        reason:
          "it listens on every interface, and what nodes say to each other is not encrypted; name an address of a private network"
      })
    }
    return { ...address, host: resolved.address }
  })
