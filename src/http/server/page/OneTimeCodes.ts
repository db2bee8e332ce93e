/**
 * One-time codes, with which a browser starts a session. They are kept only in memory.
 */
import { Clock, Effect } from "effect"
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { InvalidCode, TooManyTries } from "../../contract/errors.js"

/** In milliseconds. */
export const lifetime = 60_000
const window = 60_000

/** Wrong codes within the window. */
const maxWrong = 5

/** Unused codes; beyond this number, the oldest are dropped. */
const maxCodes = 100

export interface Issued {
  readonly id: string
  readonly code: string
  readonly origin: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

interface Kept extends Omit<Issued, "code"> {
  readonly digest: Buffer
}

export interface OneTimeCodes {
  readonly issue: (origin: string) => Effect.Effect<Issued>
  /** Redeems a code. It is used up by the first attempt, even from the wrong origin. */
  readonly take: (code: string, origin: string) => Effect.Effect<{ readonly id: string }, InvalidCode | TooManyTries>
  readonly forget: Effect.Effect<void>
}

/** Digests have equal lengths, which `timingSafeEqual` requires. */
const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest()

export const make = (): OneTimeCodes => {
  let codes: ReadonlyArray<Kept> = []
  let wrong: ReadonlyArray<number> = []

  const refuse = (now: number) =>
    Effect.suspend(() => {
      wrong = [...wrong, now]
      return new InvalidCode()
    })

  return {
    issue: (origin) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const code = randomBytes(16).toString("base64url")
        const issued = { id: randomBytes(12).toString("base64url"), origin, expiresAt: now + lifetime }
        codes = [...codes, { ...issued, digest: digestOf(code) }].slice(-maxCodes)
        return { ...issued, code }
      }),
    take: (code, origin) =>
      Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<Kept, InvalidCode | TooManyTries> => {
        wrong = wrong.filter((at) => now - at < window)
        if (wrong.length >= maxWrong) return new TooManyTries()
        const digest = digestOf(code)
        // Compares with all codes, so that the time does not depend on the position of the match.
        const matching = codes.filter((kept) => timingSafeEqual(kept.digest, digest))
        codes = codes.filter((kept) => !matching.includes(kept) && now < kept.expiresAt)
        const [found] = matching
        return found !== undefined && found.origin === origin && now < found.expiresAt
          ? Effect.succeed(found)
          : refuse(now)
      }),
    forget: Effect.sync(() => {
      codes = []
    })
  }
}
