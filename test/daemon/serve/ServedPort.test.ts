/** The files and settings of a port, and what is wrong with them. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Array, Chunk, ConfigProvider, Effect, Layer, Logger, Redacted, Stream } from "effect"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as Secrets from "../../../src/daemon/home/Secrets.js"
import * as ServedPort from "../../../src/daemon/serve/ServedPort.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import * as certificate from "../../support/certificate.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const token = "a-token-that-all-the-nodes-of-a-cluster-share"

const scene = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const home = `${directory}/home`
  mkdirSync(home, { mode: 0o700 })
  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(`${directory}/${name}`, text, { mode })
    chmodSync(`${directory}/${name}`, mode)
    return `${directory}/${name}`
  }
  const ca = certificate.authority()
  const { cert, key } = ca.issue(["node1.example.org"])
  const settings = {
    tlsCert: write("cert.pem", cert, 0o644),
    tlsKey: write("key.pem", key),
    tokenFile: write("token", `${token}\n`)
  }
  const make = (
    settings: ServedPort.Settings,
    { host = "0.0.0.0", variables = {} }: { readonly host?: string; readonly variables?: Record<string, string> } = {}
  ) => {
    const layer = Secrets.layer.pipe(
      Layer.provideMerge(Configuration.layer),
      Layer.provideMerge(Home.layerAt(home)),
      Layer.provideMerge(NodeContext.layer)
    )
    return ServedPort.make({ host, port: 7433 }, settings).pipe(
      Effect.provide(layer),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
    )
  }
  const problem = (...args: Parameters<typeof make>) => Effect.map(Effect.flip(make(...args)), ({ message }) => message)
  return { ca, cert, directory, home, key, make, problem, settings, write }
})

describe("port of a daemon", () => {
  it.scoped("beyond loopback has the certificate, the key and the token of its files", () =>
    Effect.gen(function* () {
      const { cert, key, make, settings } = yield* scene
      const { port, warnings } = yield* make(settings)
      expect(Redacted.value(port.token)).toBe(token)
      expect(port.tls?.cert).toBe(cert)
      expect(port.tls && Redacted.value(port.tls.key)).toBe(key)
      expect(warnings).toEqual([])
    })
  )

  it.scoped("beyond loopback is refused with one sentence that says what to add", () =>
    Effect.gen(function* () {
      const { problem, settings } = yield* scene
      const { tlsCert, tlsKey, tokenFile } = settings
      expect(yield* problem({})).toBe(
        "cannot listen on 0.0.0.0:7433: other machines could reach it, and read the token on the way: " +
          "add --tls-cert FILE --tls-key FILE --token-file FILE, or --insecure-http in a network that is private"
      )
      expect(yield* problem({ tokenFile })).toContain("add --tls-cert FILE")
      expect(yield* problem({ tlsCert, tokenFile })).toContain("add --tls-key FILE")
      expect(yield* problem({ tlsKey, tokenFile })).toContain("add --tls-cert FILE")
      expect(yield* problem({ tlsCert, tlsKey })).toContain("share one token: add --token-file FILE")
    })
  )

  it.scoped("goes without TLS where that is wanted, with the token of the home", () =>
    Effect.gen(function* () {
      const { home, make } = yield* scene
      const { port } = yield* make({ insecureHttp: true })
      expect(port).toMatchObject({ host: "0.0.0.0", port: 7433, insecureHttp: true })
      expect(Redacted.value(port.token)).toBe(readFileSync(`${home}/token`, "utf8").trim())
    })
  )

  it.scoped("on a loopback address needs nothing", () =>
    Effect.gen(function* () {
      const { home, make } = yield* scene
      const { port } = yield* make({}, { host: "127.0.0.1" })
      expect(port.tls).toBeUndefined()
      expect(Redacted.value(port.token)).toBe(readFileSync(`${home}/token`, "utf8").trim())
    })
  )

  it.scoped("takes from config.yaml and the environment what the command line leaves out", () =>
    Effect.gen(function* () {
      const { home, make, problem, settings } = yield* scene
      const { tlsCert, tlsKey, tokenFile } = settings
      writeFileSync(`${home}/config.yaml`, `tlsCert: ${tlsCert}\ntlsKey: /nowhere\n`)
      const variables = { CHARLOTTE_TLS_KEY: tlsKey, CHARLOTTE_TOKEN_FILE: tokenFile }
      const { port } = yield* make({}, { variables })
      expect(port.tls?.cert).toBe(readFileSync(tlsCert, "utf8"))
      expect(Redacted.value(port.token)).toBe(token)
      writeFileSync(`${home}/config.yaml`, "tlsCert: cert.pem\ninsecureHttp: perhaps\n")
      const message = yield* problem({}, { variables: { CHARLOTTE_INSECURE_HTTP: "yes" } })
      expect(message).toContain("must be an absolute path")
      expect(message).toContain("must be true or false")
      expect(message).toContain("CHARLOTTE_INSECURE_HTTP")
    })
  )
})

describe("URL at which other nodes reach a port", () => {
  const token = Redacted.make("")
  const tls = { cert: "", key: token }
  const url = (host: string, more: { readonly port?: number; readonly tls?: typeof tls } = {}) =>
    ServedPort.urlOf({ host, port: 7433, token, ...more }, "[fd00::5]:7440")

  it("is where it listens, or the host that the node advertises if that is everywhere", () => {
    expect(url("node1.example.org", { tls })).toBe("https://node1.example.org:7433")
    expect(url("fd00::6", { tls })).toBe("https://[fd00::6]:7433")
    expect(url("0.0.0.0", { tls })).toBe("https://[fd00::5]:7433")
    expect(url("10.0.0.5")).toBe("http://10.0.0.5:7433")
  })

  it("is none on a loopback address without TLS, and where the port is not known yet", () => {
    expect([url("127.0.0.1"), url("::1"), url("10.0.0.5", { port: 0 })]).toEqual([undefined, undefined, undefined])
    expect(url("127.0.0.1", { tls })).toBe("https://127.0.0.1:7433")
  })
})

describe("file of a port", () => {
  it.scoped("is named with what is wrong with it", () =>
    Effect.gen(function* () {
      const { ca, directory, problem, settings, write } = yield* scene
      const missing = `${directory}/missing`
      expect(yield* problem({ ...settings, tlsCert: missing })).toContain(
        `the certificate in ${missing} cannot be used: ENOENT`
      )
      expect(yield* problem({ ...settings, tlsKey: directory })).toContain("not a regular file")
      expect(yield* problem({ ...settings, tlsKey: write("text", "no key") })).toContain("it must be in PEM")
      expect(yield* problem({ ...settings, tlsCert: write("text", "none") })).toContain("it must be in PEM")
      const other = write("other.pem", ca.issue(["node2.example.org"]).key)
      expect(yield* problem({ ...settings, tlsKey: other })).toBe(
        `the key in ${other} cannot be used: it is not the key of the certificate in ${settings.tlsCert}; name the two that belong together`
      )
    })
  )

  it.scoped("with a token has one that is hard to guess", () =>
    Effect.gen(function* () {
      const { problem, settings, write } = yield* scene
      const empty = write("empty", "\n")
      expect(yield* problem({ ...settings, tokenFile: empty })).toBe(
        `the token in ${empty} cannot be used: it is empty; make one with: openssl rand -hex 32 > ${empty}`
      )
      expect(yield* problem({ ...settings, tokenFile: write("short", "short") })).toContain("at least 32 visible")
      expect(yield* problem({ ...settings, tokenFile: write("two", `${token}\n${token}`) })).toContain("at least 32")
    })
  )

  it.scopedLive("that others may read, and a certificate that is over, are warned of", () =>
    Effect.gen(function* () {
      const { ca, make, settings, write } = yield* scene
      chmodSync(settings.tokenFile, 0o644)
      const over = ca.issue(["node1.example.org"], { until: new Date(Date.now() - 3_600_000) })
      const tlsKey = write("over-key.pem", over.key, 0o640)
      const { warnings } = yield* make({ ...settings, tlsCert: write("over.pem", over.cert), tlsKey })
      expect(warnings).toEqual([
        `other users of this machine may read ${tlsKey}: chmod 600 ${tlsKey}`,
        expect.stringMatching(/over\.pem was valid until .* GMT: renew it$/),
        `other users of this machine may read ${settings.tokenFile}: chmod 600 ${settings.tokenFile}`
      ])
    })
  )

  it.scoped("has what its files hold after a renewal, and says once what is wrong with them", () =>
    Effect.gen(function* () {
      const { ca, make, settings, write } = yield* scene
      const { port } = yield* make(settings)
      const second = ca.issue(["node2.example.org"])
      const third = ca.issue(["node3.example.org"])
      const rounds: ReadonlyArray<() => void> = [
        () => {},
        () => void write("cert.pem", second.cert),
        () => {},
        () => void write("key.pem", second.key),
        () => void write("cert.pem", "no certificate"),
        () => void write("cert.pem", third.cert),
        () => void write("key.pem", third.key)
      ]
      // Each time that it sleeps, before it looks again, the files become what they are in the next round.
      const left = [...rounds]
      const clock = { now: Effect.succeed(0), turn: Effect.void, sleep: () => Effect.sync(() => left.shift()?.()) }
      const logged: Array<string> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
        logged.push(`${logLevel.label} ${Array.ensure(message).join(" ")}`)
      })
      const renewed = yield* (port.tls?.renewals ?? Stream.empty).pipe(
        Stream.take(2),
        Stream.runCollect,
        Effect.provideService(RealClock, clock),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      expect(Chunk.toArray(renewed).map(({ cert, key }) => ({ cert, key: Redacted.value(key) }))).toEqual([
        second,
        third
      ])
      const unusable = "ERROR the port keeps its certificate: the"
      expect(logged).toEqual([
        expect.stringMatching(`^${unusable} key in .*/key.pem cannot be used: it is not the key of the certificate`),
        expect.stringMatching(`^INFO the port has the certificate in .*/cert.pem from now on, which is valid until `),
        expect.stringMatching(`^${unusable} certificate in .*/cert.pem cannot be used: it must be in PEM`),
        expect.stringMatching(`^${unusable} key in .*/key.pem cannot be used: it is not the key of the certificate`),
        expect.stringMatching(`^INFO the port has the certificate in .*/cert.pem from now on, which is valid until `)
      ])
    })
  )
})
