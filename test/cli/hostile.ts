/**
 * Text of those who would take over a terminal.
 */
import { FastCheck as fc } from "effect"

/** Text as somebody would write it who wants to take over a terminal. */
export const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x9b31m",
        "\x1bP1$q\x1b\\",
        "\x1b[",
        "\x1b"
      ),
      fc.constantFrom(
        "\u202e",
        "\u2066",
        "\u200f",
        "\u200b",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\r",
        "\n",
        "\t",
        "\b",
        "\x00"
      ),
      fc.constantFrom("日本語", "👨‍👩‍👧", "🇨🇭", "é", "e\u0301", "한국", "ﷺ", "👍🏽", "1️⃣"),
      fc.string(),
      fc.fullUnicodeString()
    ),
    { maxLength: 12 }
  )
  .map((parts) => parts.join(""))

/** What no line may hold that is shown: controls, and what turns the writing around. */
// oxlint-disable-next-line eslint/no-control-regex -- these are what is looked for
export const forbidden = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/
