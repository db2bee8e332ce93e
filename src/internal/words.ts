/**
 * The words of a text, for search: runs of letters and digits of any script, without case and diacritics.
 */

/** Characters of a word that count. */
const maxLength = 64

const shortened = (word: string): string =>
  word.length <= maxLength ? word : Array.from(word).slice(0, maxLength).join("")

/**
 * In order, with repetitions. Compatibility forms are the same (`ﬁ` is `fi`), and so are the forms of the Greek sigma. Scripts
 * without spaces are not segmented.
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
