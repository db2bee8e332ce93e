/**
 * Files in the home that lead a browser to the page with a one-time code: others could read an address on a command line. The server
 * removes each once its code was used or has expired.
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

/** Writes the file for the code with that id, readable only by its owner, and returns its path. The address needs no escaping. */
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

/** Removes all such files, including those left by a killed server or command. */
export const removeAll = (directory: string): Effect.Effect<void> =>
  Effect.try(() => readdirSync(directory).filter(isOpening)).pipe(
    Effect.flatMap(Effect.forEach((name) => removeFile(join(directory, name)), { discard: true })),
    Effect.ignore
  )
