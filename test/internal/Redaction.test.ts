/** Known secrets do not appear in redacted output. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Redaction from "../../src/internal/Redaction.js"

/** Secrets, also with characters that are special in regular expressions, quotes and JSON. */
const secret = fc
  .array(fc.oneof(fc.constantFrom('"', "\\", "/", "\t", "$", "(", "[", "+", "-", "ü", "\u{1f577}"), fc.hexa()), {
    minLength: 8,
    maxLength: 24
  })
  .map((parts) => parts.join(""))
  .filter((text) => text.trim().length >= 8)

describe("Redaction.text", () => {
  it("replaces every occurrence of each secret, whatever its characters", () => {
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), fc.array(fc.hexa()), (secrets, noise) => {
        const { text } = Redaction.make(secrets)
        const around = noise.join("")
        const redacted = text(
          `${around} ${secrets.join(around || " ")} ${secrets.join("\n")} ${JSON.stringify(secrets)}`
        )
        for (const secret of secrets) {
          expect(redacted).not.toContain(secret.trim())
          expect(redacted).not.toContain(JSON.stringify(secret.trim()).slice(1, -1))
        }
      })
    )
  })

  it("leaves everything else unchanged", () => {
    const { text } = Redaction.make(["sk-1234567890", "with.dots+and$"])
    expect(text("nothing of sk-123456789, or withXdots+and$")).toBe("nothing of sk-123456789, or withXdots+and$")
    expect(text("[sk-1234567890] sk-1234567890!")).toBe("[[redacted]] [redacted]!")
    expect(Redaction.make([]).text("anything")).toBe("anything")
  })

  it("replaces the longest of several secrets with the same prefix", () => {
    expect(Redaction.make(["password", "password-and-more"]).text("password-and-more password")).toBe(
      "[redacted] [redacted]"
    )
  })

  it("replaces the lines of a multi-line secret, whatever their prefix", () => {
    const key = "-----BEGIN KEY-----\n  c2VjcmV0IG9uZQ==  \r\nc2VjcmV0IHR3bw==\nshort\n-----END KEY-----\n"
    const { text } = Redaction.make([key])
    expect(text(`| ${key.trim().split("\n").join("\n| ")}`)).toBe(
      "| [redacted]\n|   [redacted]  \r\n| [redacted]\n| short\n| [redacted]"
    )
    expect(text(`<${key.trim()}>`)).toBe("<[redacted]>")
  })

  it("ignores secrets that are too short", () => {
    const { text } = Redaction.make(["1234567", "", "  true  ", "12345678"])
    expect(text("true 1234567 12345678")).toBe("true 1234567 [redacted]")
  })
})

describe("Redaction.json", () => {
  it("redacts strings and keys, and preserves everything else", () => {
    fc.assert(
      fc.property(secret, fc.jsonValue(), (secret, value) => {
        const { json } = Redaction.make([secret])
        const hidden = (text: string) => text.replaceAll(secret.trim(), "[redacted]")
        fc.pre(!JSON.stringify(value).includes("redacted"))
        const redacted = json(
          JSON.stringify({ value, [`at ${secret}`]: [`${secret}!`, JSON.stringify({ secret }), 1] })
        )
        expect(JSON.parse(redacted)).toEqual({
          value: JSON.parse(JSON.stringify(value)),
          [`at ${hidden(secret)}`]: [`${hidden(secret)}!`, expect.stringContaining("[redacted]"), 1]
        })
        expect(redacted).not.toContain(JSON.stringify(secret.trim()).slice(1, -1))
      })
    )
  })

  it("returns a document without secrets unchanged", () => {
    const { json } = Redaction.make(["a secret of ours"])
    const text = '{ "a": 1.0, "b": "\\u0061 secret" }'
    expect(json(text)).toBe(text)
  })

  it("finds a secret after an escape sequence, but none that starts inside one", () => {
    const { json } = Redaction.make(["nothing-here", "new\nline\nsecret"])
    expect(json('{"a":"\\\\nothing-here"}')).toBe('{"a":"\\\\[redacted]"}')
    expect(json('{"a":"x\\nothing-here"}')).toBe('{"a":"x\\nothing-here"}')
    expect(json(JSON.stringify(["new\nline\nsecret"]))).toBe('["[redacted]"]')
  })
})

describe("Redaction.growing", () => {
  it("redacts added secrets from then on", () => {
    const { json, learn, text } = Redaction.growing(["first secret"])
    expect(text("first secret, second secret")).toBe("[redacted], second secret")
    learn("second secret")
    expect(text("first secret, second secret")).toBe("[redacted], [redacted]")
    expect(json('["second secret"]')).toBe('["[redacted]"]')
  })
})
