/**
 * The words of a text, for search: runs of letters and digits of any script, ignoring case and diacritics.
 */

/** The number of characters of a word that count. */
const maxLength = 64

const shortened = (word: string): string =>
  word.length <= maxLength ? word : Array.from(word).slice(0, maxLength).join("")

/**
 * The words in order, with repetitions. Compatibility forms count as the same (`ﬁ` is `fi`), as do the forms of the Greek sigma.
 * Scripts without spaces are not segmented.
 */
export const words = (text: string): ReadonlyArray<string> =>
  (
    text
      .normalize("NFKD")
      .toLowerCase()
      .replaceAll(/\p{M}/gu, "")
      .replaceAll("ς", "σ")
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).map(shortened)
