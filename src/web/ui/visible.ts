/**
 * Replaces invisible characters of untrusted text, such as marks that change the direction of text, by their code points.
 */

/* oxlint-disable eslint/no-control-regex -- these are the characters to match */

/** Joiners are parts of visible characters. */
const unseen = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

/* oxlint-enable eslint/no-control-regex */

const all = new RegExp(unseen, "g")

/** `‹U+202E›` */
export const visible = (text: string): string =>
  unseen.test(text)
    ? text.replace(all, (char) => `‹U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`)
    : text
