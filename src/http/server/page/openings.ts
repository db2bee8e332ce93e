/**
 * Files in the home that lead a browser to the page with a one-time code: an address on a command line could be read by others.
 * The server removes each when its code was used, or can no longer be used.
 */
import { Effect } from "effect"
import { readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const fileOf = (directory: string, id: string): string => join(directory, `open-${id}.html`)

const isOpening = (name: string): boolean => /^open-[\w-]+\.html$/.test(name)

const documentFor = (address: string): string => `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${address}">
<title>Charlotte</title>
<p><a href="${address}">Open the page of Charlotte</a></p>
`

/** Writes the file for the code of that id, readable by its owner only, and gives its path. The address has nothing to escape. */
export const write = (directory: string, { address, id }: { readonly address: string; readonly id: string }) =>
  Effect.try({
    try: () => {
      const file = fileOf(directory, id)
      writeFileSync(file, documentFor(address), { mode: 0o600, flag: "wx" })
      return file
    },
    catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
  })

const removeFile = (file: string): Effect.Effect<void> => Effect.ignore(Effect.try(() => rmSync(file, { force: true })))

export const remove = (directory: string, id: string): Effect.Effect<void> => removeFile(fileOf(directory, id))

/** Those that a server and its commands have left when they were killed, too. */
export const removeAll = (directory: string): Effect.Effect<void> =>
  Effect.try(() => readdirSync(directory).filter(isOpening)).pipe(
    Effect.flatMap(Effect.forEach((name) => removeFile(join(directory, name)), { discard: true })),
    Effect.ignore
  )
