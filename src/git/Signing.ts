/**
 * Signs the commits of jobs where the user signs (`commit.gpgSign`), if the key needs no person, who is not there to enter a passphrase
 * or to touch a device. A commit that cannot be signed is made without a signature, and the summary of the job counts it.
 */
import { Duration, Effect, Option } from "effect"
import { writeFile } from "node:fs/promises"
import { step } from "./GitCommand.js"
import type { Entry } from "./GitConfig.js"

/** How the user signs. */
export interface Signing {
  readonly format: "openpgp" | "x509" | "ssh"
  /** The key, as git's `user.signingKey` names it; without one, the signing program looks for the committer's key. */
  readonly key: string | undefined
  readonly program: string
}

const programs = { openpgp: "gpg", x509: "gpgsm", ssh: "ssh-keygen" } as const

const formatOf = (name: string): Signing["format"] | undefined =>
  name === "openpgp" || name === "x509" || name === "ssh" ? name : undefined

/** Whether the user signs commits. */
export const isWanted = (entries: ReadonlyArray<Entry>): boolean =>
  /^(true|yes|on|[1-9]\d*)$/i.test(entries.findLast(({ key }) => key === "commit.gpgsign")?.value ?? "")

/** How the user signs commits, if they do. A program that the repository itself names is not run, so nothing is signed then. */
export const of = (entries: ReadonlyArray<Entry>): Option.Option<Signing> => {
  const last = (...keys: ReadonlyArray<string>) => entries.findLast(({ key }) => keys.includes(key))
  const format = formatOf(last("gpg.format")?.value.toLowerCase() ?? "openpgp")
  if (format === undefined || !isWanted(entries)) return Option.none()
  const program = last(`gpg.${format}.program`, ...(format === "openpgp" ? ["gpg.program"] : []))
  if (program?.scope === "local" || program?.scope === "worktree") return Option.none()
  return Option.some({ format, key: last("user.signingkey")?.value, program: program?.value ?? programs[format] })
}

/** Longer than any signing that waits for no person. */
const limit = Duration.seconds(20)

/**
 * Settings with which git signs; a script goes into the directory. GnuPG fails rather than ask for a passphrase, as `ssh-keygen`
 * does without a terminal.
 */
export const prepare = (directory: string, { format, key, program }: Signing) =>
  Effect.gen(function* () {
    const wrapper = `${directory}/sign`
    if (format !== "ssh") yield* step("prepare to sign", () => writeFile(wrapper, batch(program), { mode: 0o700 }))
    const settings = {
      "gpg.format": format,
      [`gpg.${format}.program`]: format === "ssh" ? program : wrapper,
      ...(key === undefined ? {} : { "user.signingkey": key })
    }
    return { settings, limit }
  })

/** A wrapper script, since git passes no extra options to the program. */
const batch = (program: string): string => {
  const [home, path] = program.startsWith("~/") ? ['"$HOME"', program.slice(1)] : ["", program]
  return `#!/bin/sh\nexec ${home}'${path.replaceAll("'", "'\\''")}' --batch --pinentry-mode error "$@"\n`
}
