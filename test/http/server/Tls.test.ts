/** Ports with TLS, and ports that other machines reach. */
import { describe, expect, it } from "@effect/vitest"
import * as Http from "charlotte/http"
import { Context, Effect, Layer, Queue, Redacted, Stream } from "effect"
import { X509Certificate } from "node:crypto"
import { request } from "node:https"
import { connect } from "node:tls"
import { poll } from "../../../src/internal/RealClock.js"
import * as RemoteHost from "../../../src/http/server/RemoteHost.js"
import * as certificate from "../../support/certificate.js"
import { unknownId } from "../../support/jobs.js"
import { worldOf } from "../stub.js"
import * as World from "../world.js"

const ca = certificate.authority()
const { cert, key } = ca.issue(["node1.example.org", "127.0.0.1"])
const tls: Http.Server.Tls = { cert, key: Redacted.make(key) }

const served = Effect.map(worldOf({}, {}, { listen: [{ port: 0, tls }] }), ({ port, services }) => ({
  port,
  addresses: Context.get(services, Http.Server.Server).addresses
}))

/** The status, and the error if there is one. */
const get = (port: number, path: string, headers: { readonly [name: string]: string } = {}) =>
  Effect.async<readonly [number | undefined, string]>((resume) => {
    // The name of the Host header is not what is connected to.
    const checkServerIdentity = () => undefined
    const options = { host: "127.0.0.1", port, path, headers, ca: ca.cert, checkServerIdentity, agent: false }
    const sent = request(options, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece))
      response.on("end", () => resume(Effect.succeed([response.statusCode, text] as const)))
    })
    sent.on("error", (error) => resume(Effect.die(error)))
    sent.end()
  })

const { authorization } = World

/** Why a server does not listen there. */
const refused = (address: Http.Server.Address, token = World.token) =>
  Layer.build(Http.Server.layer({ listen: address, token }).pipe(Layer.provide(World.idle))).pipe(
    Effect.scoped,
    Effect.flip,
    Effect.map(({ message }) => message)
  )

describe("port with TLS", () => {
  it.scopedLive("serves those who send the token, and says where", () =>
    Effect.gen(function* () {
      const { addresses, port } = yield* served
      expect(addresses).toEqual([{ host: "127.0.0.1", port, url: `https://127.0.0.1:${port}` }])
      const [status, text] = yield* get(port, "/api/v1/jobs", { authorization })
      expect([status, text]).toEqual([200, '{"jobs":[]}'])
    })
  )

  it.scopedLive("asks for the token whatever is requested", () =>
    Effect.gen(function* () {
      const { port } = yield* served
      const paths = ["/healthz", "/readyz", "/docs", "/openapi.json", "/metrics", "/", `/api/v1/jobs/${unknownId}/logs`]
      for (const path of paths) expect([path, (yield* get(port, path))[0]]).toEqual([path, 401])
      expect((yield* get(port, "/healthz", { authorization }))[0]).toBe(200)
    })
  )

  it.scopedLive("takes the names of its certificate, and no others, for itself", () =>
    Effect.gen(function* () {
      const { port } = yield* served
      const statusFor = (host: string) =>
        Effect.map(get(port, "/healthz", { authorization, host }), ([status]) => status)
      expect(yield* statusFor(`NODE1.example.org:${port}`)).toBe(200)
      expect(yield* statusFor(`evil.example.org:${port}`)).toBe(403)
      expect(yield* statusFor(`node1.example.org:${port + 1}`)).toBe(403)
      expect((yield* get(port, "/healthz", { authorization, origin: `https://127.0.0.1:${port}` }))[0]).toBe(403)
    })
  )

  it.scopedLive("is not opened with a certificate and a key that do not belong together", () =>
    Effect.gen(function* () {
      const other = ca.issue(["127.0.0.1"])
      const message = yield* refused({ port: 0, tls: { cert, key: Redacted.make(other.key) } })
      expect(message).toMatch(/^cannot listen on 127.0.0.1:0: the certificate and its key cannot be used: .*mismatch/)
    })
  )
})

describe("certificate of a port that is renewed", () => {
  /** The serial number of the certificate that a new connection gets. */
  const serialAt = (port: number) =>
    Effect.async<string>((resume) => {
      const socket = connect({ host: "127.0.0.1", port, ca: ca.cert, checkServerIdentity: () => undefined }, () => {
        resume(Effect.succeed(socket.getPeerCertificate().serialNumber))
        socket.destroy()
      })
      socket.on("error", (error) => resume(Effect.die(error)))
    })
  const serialOf = ({ cert }: certificate.Certificate) => new X509Certificate(cert).serialNumber
  const renewed = (names: ReadonlyArray<string>) => {
    const issued = ca.issue(names)
    return { serial: serialOf(issued), tls: { cert: issued.cert, key: Redacted.make(issued.key) } }
  }

  it.scopedLive("serves new connections from then on, with its names, and a broken one never does", () =>
    Effect.gen(function* () {
      const renewals = yield* Queue.unbounded<Http.Server.Tls>()
      const listen = { port: 0, tls: { ...tls, renewals: Stream.fromQueue(renewals) } }
      const { port } = yield* worldOf({}, {}, { listen: [listen] })
      expect(yield* serialAt(port)).toBe(serialOf({ cert, key }))

      const second = renewed(["node2.example.org", "127.0.0.1"])
      const third = renewed(["node3.example.org", "127.0.0.1"])
      yield* Queue.offerAll(renewals, [second.tls, { cert: third.tls.cert, key: second.tls.key }])
      yield* poll(serialAt(port), { until: (serial) => serial === second.serial, pause: 10, atMost: "2 minutes" })
      const statusFor = (host: string) =>
        Effect.map(get(port, "/healthz", { authorization, host: `${host}:${port}` }), ([status]) => status)
      expect(yield* statusFor("node2.example.org")).toBe(200)
      expect(yield* statusFor("node1.example.org")).toBe(403)

      // The broken one came before it.
      const fourth = renewed(["127.0.0.1"])
      yield* Queue.offer(renewals, fourth.tls)
      const seen = new Set<string>()
      yield* poll(
        Effect.tap(serialAt(port), (serial) => void seen.add(serial)),
        { until: (serial) => serial === fourth.serial, pause: 10, atMost: "2 minutes" }
      )
      expect(seen).not.toContain(third.serial)
    })
  )
})

describe("port that other machines reach", () => {
  it.scopedLive("is refused without TLS, unless that is wanted", () =>
    Effect.gen(function* () {
      for (const host of ["0.0.0.0", "::", "10.0.0.1", "node1.example.org"]) {
        expect(yield* refused({ host, port: 0 })).toMatch(/not a loopback address, and without TLS others could read/)
      }
    })
  )

  it.scopedLive("is refused without a token", () =>
    Effect.gen(function* () {
      const message = yield* refused({ host: "0.0.0.0", port: 0, tls }, Redacted.make("short"))
      expect(message).toBe("cannot listen on 0.0.0.0:0: a port requires a token of at least 32 characters")
    })
  )
})

describe("name of a port that other machines reach", () => {
  it("is that it listens on, with the port if it is not the usual one", () => {
    const isHost = RemoteHost.make({ host: "10.0.0.1", port: 443, cert })
    expect(["10.0.0.1", "10.0.0.1:443", "node1.example.org"].map(isHost)).toEqual([true, true, true])
    expect(["10.0.0.1:80", "10.0.0.2", "", ":443", "node1.example.org.evil"].map(isHost)).not.toContain(true)
  })

  it("is any of this machine where it listens on all addresses without a certificate", () => {
    const isHost = RemoteHost.make({ host: "::", port: 7433, cert: undefined })
    expect(["localhost:7433", "127.0.0.1:7433", "[::1]:7433"].map(isHost)).toEqual([true, true, true])
    expect(["evil.example:7433", "127.0.0.1"].map(isHost)).toEqual([false, false])
  })
})
