/**
 * The port of a daemon, besides the socket of its home: plain HTTP with the token of the home on a loopback address, or TLS with a
 * token that all nodes share if other machines can reach it.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Clock, Effect, Either, Redacted, Stream } from "effect"
import { createPrivateKey, X509Certificate } from "node:crypto"
import type { Tls } from "../../tasks/http/Server.js"
import { bracketed, isLoopback, isWildcard } from "../../internal/HostPort.js"
import { RealClock } from "../../internal/RealClock.js"
import { Configuration } from "../config/Configuration.js"
import type { Home } from "../home/Home.js"
import * as LockOwner from "../home/LockOwner.js"
import type { Settings } from "../config/PortSettings.js"
import * as SecretFile from "../home/SecretFile.js"
import * as Secrets from "../home/Secrets.js"
import { Problem } from "../Problem.js"

export type { Settings }

export interface Port {
  readonly host: string
  readonly port: number
}

/** A port with everything needed to serve it. */
export interface Served extends Port {
  readonly token: Redacted.Redacted
  readonly tls?: Tls
  readonly insecureHttp?: boolean
}

const all = "--tls-cert FILE --tls-key FILE --token-file FILE"

/** The setting that is missing, if any, as a message. */
const refusalOf = ({ host }: Port, { insecureHttp, tlsCert, tlsKey, tokenFile }: Settings): string | undefined => {
  if (tlsCert !== undefined && tlsKey === undefined) return "a certificate needs its key: add --tls-key FILE"
  if (tlsCert === undefined && tlsKey !== undefined) return "a key needs its certificate: add --tls-cert FILE"
  if (isLoopback(host) || insecureHttp === true) return undefined
  if (tlsCert === undefined) {
    return `other machines could reach it, and read the token on the way: add ${all}, or --insecure-http in a network that is private`
  }
  return tokenFile === undefined ? "all nodes and their clients share one token: add --token-file FILE" : undefined
}

/** The settings of the command line, or else of the configuration. */
const merged = (given: Settings) =>
  Effect.map(Configuration, ({ port }): Settings => ({
    tlsCert: given.tlsCert ?? port.tlsCert,
    tlsKey: given.tlsKey ?? port.tlsKey,
    tokenFile: given.tokenFile ?? port.tokenFile,
    insecureHttp: given.insecureHttp ?? port.insecureHttp
  }))

/** The contents of certificate files, and problems with them. */
interface Secured {
  readonly tls: Tls
  readonly validTo: string
  readonly warnings: ReadonlyArray<string>
}

const tlsOf = (certPath: string, keyPath: string): Effect.Effect<Secured, Problem> =>
  Effect.gen(function* () {
    const { text: cert } = yield* SecretFile.read("certificate", certPath)
    const key = yield* SecretFile.read("key", keyPath)
    const unusable = (what: "certificate" | "key", path: string) => (cause: unknown) =>
      SecretFile.unusable(
        what,
        path,
        `it must be in PEM, without a passphrase (${cause instanceof Error ? cause.message : String(cause)})`
      )
    const certificate = yield* Effect.try({
      try: () => new X509Certificate(cert),
      catch: unusable("certificate", certPath)
    })
    const privateKey = yield* Effect.try({ try: () => createPrivateKey(key.text), catch: unusable("key", keyPath) })
    if (!certificate.checkPrivateKey(privateKey)) {
      const problem = `it is not the key of the certificate in ${certPath}; name the two that belong together`
      return yield* SecretFile.unusable("key", keyPath, problem)
    }
    const isOver = Date.parse(certificate.validTo) < (yield* Clock.currentTimeMillis)
    return {
      tls: { cert, key: Redacted.make(key.text) },
      validTo: certificate.validTo,
      warnings: [
        ...(key.isOpen ? [openFile(keyPath)] : []),
        ...(isOver ? [`the certificate in ${certPath} was valid until ${certificate.validTo}: renew it`] : [])
      ]
    }
  })

/** Interval in milliseconds at which the files of a certificate are read. */
const renewalCheck = 10_000

/** The renewed contents of the files. Unusable contents are logged and skipped; they may be half of a renewal. */
const renewals = (certPath: string, keyPath: string, first: Secured): Stream.Stream<Tls> => {
  const nextCheck = Effect.flatMap(RealClock, ({ sleep }) =>
    Effect.zipRight(sleep(renewalCheck), Effect.either(tlsOf(certPath, keyPath)))
  )
  const contentOf = Either.match({
    onLeft: ({ message }: Problem) => message,
    onRight: ({ tls: { cert, key } }: Secured) => `${cert}${Redacted.value(key)}`
  })
  const log = Either.match({
    onLeft: ({ message }: Problem) => Effect.logError(`the port keeps its certificate: ${message}`),
    onRight: ({ validTo, warnings }: Secured) =>
      Effect.zipRight(
        Effect.logInfo(`the port has the certificate in ${certPath} from now on, which is valid until ${validTo}`),
        Effect.forEach(warnings, (warning) => Effect.logWarning(warning), { discard: true })
      )
  })
  return Stream.succeed(Either.right(first)).pipe(
    Stream.concat(Stream.repeatEffect(nextCheck)),
    Stream.changesWith((before, after) => contentOf(before) === contentOf(after)),
    Stream.drop(1),
    Stream.tap(log),
    Stream.filterMap(Either.getRight),
    Stream.map(({ tls }) => tls)
  )
}

const renewable = (certPath: string, keyPath: string) =>
  Effect.map(tlsOf(certPath, keyPath), (secured) => ({
    warnings: secured.warnings,
    tls: { ...secured.tls, renewals: renewals(certPath, keyPath, secured) }
  }))

const openFile = (path: string): string => `other users of this machine may read ${path}: chmod 600 ${path}`

/** Whether the port can be served, before anything is changed for it. */
export const check = (port: Port, given: Settings): Effect.Effect<void, Problem, Configuration> =>
  Effect.gen(function* () {
    const settings = yield* merged(given)
    const problem = refusalOf(port, settings)
    if (problem !== undefined) {
      const address = LockOwner.show(port)
      const details = { address, problem }
      return yield* new Problem({ name: "ListenRefused", problem: `cannot listen on ${address}: ${problem}`, details })
    }
    if (settings.tlsCert !== undefined && settings.tlsKey !== undefined) yield* tlsOf(settings.tlsCert, settings.tlsKey)
    if (settings.tokenFile !== undefined) yield* SecretFile.readToken(settings.tokenFile)
  })

/** The token that all nodes share, if there is a file with one. */
export const sharedToken = (given: Settings): Effect.Effect<Redacted.Redacted | undefined, Problem, Configuration> =>
  Effect.gen(function* () {
    const { tokenFile } = yield* merged(given)
    return tokenFile === undefined ? undefined : (yield* SecretFile.readToken(tokenFile)).token
  })

/** The port with the contents of its files, and warnings about them. */
export const make = (
  port: Port,
  given: Settings
): Effect.Effect<
  { readonly port: Served; readonly warnings: ReadonlyArray<string> },
  Problem,
  Configuration | Home | Secrets.Secrets | FileSystem
> =>
  Effect.gen(function* () {
    yield* check(port, given)
    const { insecureHttp = false, tlsCert, tlsKey, tokenFile } = yield* merged(given)
    const secured = tlsCert === undefined || tlsKey === undefined ? undefined : yield* renewable(tlsCert, tlsKey)
    const shared = tokenFile === undefined ? undefined : yield* SecretFile.readToken(tokenFile)
    const token = shared?.token ?? (yield* Secrets.token)
    const { learn } = yield* Secrets.Secrets
    learn(Redacted.value(token))
    return {
      port: { ...port, token, insecureHttp, ...(secured && { tls: secured.tls }) },
      warnings: [
        ...(secured?.warnings ?? []),
        ...(shared?.isOpen === true && tokenFile !== undefined ? [openFile(tokenFile)] : [])
      ]
    }
  })

/**
 * The URL at which other nodes reach the port of a node, if they can. A port on a wildcard address is reached at the host that the
 * node advertises.
 */
export const urlOf = ({ host, port, tls }: Served, advertise: string): string | undefined => {
  if (port === 0 || (tls === undefined && isLoopback(host))) return undefined
  const named = isWildcard(host) ? advertise.replace(/:\d+$/, "") : bracketed(host)
  const scheme = tls === undefined ? "http" : "https"
  return `${scheme}://${named}:${port}`
}
