/** What a rehearsal has said on standard error, but how far it is, which it says every three seconds on a slow machine. */
export const withoutProgress = (err: string): string =>
  err.replace(/^(?:importing kinds\.mjs|\d+ records? checked) …\n/gm, "")
