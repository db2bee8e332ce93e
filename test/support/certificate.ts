/**
 * Certificates for tests, made in this process: an authority of a test's own, and what it signs. Just enough of X.509 for that.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { isIPv4 } from "node:net"

const tlv = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const body = Buffer.concat(parts)
  const size = body.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...parts: ReadonlyArray<Uint8Array>): Buffer => tlv(0x30, ...parts)
const integer = (...bytes: ReadonlyArray<number>): Buffer => tlv(0x02, Buffer.from(bytes))
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, "hex"))

const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"))

const nameOf = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(oid("550403"), tlv(0x0c, Buffer.from(commonName)))))

/** As YYMMDDHHMMSSZ. */
const utcTime = (at: Date): Buffer => tlv(0x17, Buffer.from(`${at.toISOString().replace(/\D/g, "").slice(2, 14)}Z`))

const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tlv(0x04, value))

const alternativeNames = (names: ReadonlyArray<string>): Buffer =>
  sequence(
    ...names.map((name) =>
      isIPv4(name) ? tlv(0x87, Buffer.from(name.split(".").map(Number))) : tlv(0x82, Buffer.from(name))
    )
  )

const pem = (der: Buffer): string => {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? []
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n")
}

export interface Certificate {
  readonly cert: string
  readonly key: string
}

interface About {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly serial: number
  readonly until: Date
  readonly extensions: ReadonlyArray<Buffer>
}

const day = 24 * 3_600_000

const certificate = ({ extensions, issuer, publicKey, serial, subject, until }: About, signer: KeyObject): string => {
  const body = sequence(
    tlv(0xa0, integer(2)),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(utcTime(new Date(until.getTime() - 10 * day)), utcTime(until)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(...extensions))
  )
  return pem(sequence(body, ecdsaWithSha256, tlv(0x03, Buffer.from([0]), sign("sha256", body, signer))))
}

const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" })

/** An authority whose certificates are good for those who have its own. */
export const authority = () => {
  const issuer = "an authority for tests"
  const { privateKey, publicKey } = pair()
  const tomorrow = new Date(Date.now() + day)
  let serial = 1
  const isAuthority = extension("551d13", sequence(tlv(0x01, Buffer.from([0xff]))))
  const own = { subject: issuer, issuer, publicKey, serial, until: tomorrow, extensions: [isAuthority] }
  return {
    cert: certificate(own, privateKey),
    /** For these names and addresses; valid until tomorrow, if nothing else is said. */
    issue: (names: ReadonlyArray<string>, { until = tomorrow }: { readonly until?: Date } = {}): Certificate => {
      const keys = pair()
      const extensions = [extension("551d11", alternativeNames(names))]
      const about = { subject: names[0] ?? "", issuer, publicKey: keys.publicKey, serial: ++serial, until, extensions }
      return {
        cert: certificate(about, privateKey),
        key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
      }
    }
  }
}
