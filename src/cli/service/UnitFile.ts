/**
 * The unit file of the daemon as a systemd user service.
 */
import { type Array, Option } from "effect"

export const unitName = "charlotte.service"

export interface UnitFile {
  /** The home directory. */
  readonly home: string
  /** The PATH of the daemon, and so of its agents and gates. */
  readonly path: string
  /** The program, an absolute path, and its arguments. */
  readonly command: Array.NonEmptyReadonlyArray<string>
}

/** Its first line; a file with another one was written by someone else. */
const mark = "# Written by: charlotte daemon install"

/** In double quotes, systemd reads escapes as in C; `%` begins a specifier. */
const quote = (word: string): string =>
  `"${word.replace(/["\\]/g, "\\$&").replaceAll("%", "%%").replace(control, toHex)}"`

// oxlint-disable-next-line no-control-regex -- these are the characters to escape
const control = /[\x00-\x1f\x7f]/g

const toHex = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`

/** Reads the quoted words of a line. */
const words = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inner = ""]) =>
    inner.replace(/\\x([0-9a-f]{2})|\\(.)|%%/g, (_, hex?: string, plain?: string) =>
      hex === undefined ? (plain ?? "%") : String.fromCharCode(Number.parseInt(hex, 16))
    )
  )

/** Of the arguments, `$` would begin a variable. systemd never looks for one in the program. */
const quoteArgument = (word: string): string => quote(word.replaceAll("$", "$$$$"))

/** This setting is not quoted, and is a glob pattern. */
const fileOf = (path: string): string => path.replace(/[\\*?[]/g, "\\$&").replaceAll("%", "%%")

/** The file with variables for the daemon, in its home directory. */
export const environmentFile = (home: string): string => `${home}/env`

export const render = ({ command: [program, ...rest], home, path }: UnitFile): string => `${mark}
# To change it, run that again, or add settings with: systemctl --user edit ${unitName}
[Unit]
Description=Charlotte
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${[quote(program), ...rest.map(quoteArgument)].join(" ")}
Environment=${quote(`CHARLOTTE_HOME=${home}`)}
Environment=${quote(`PATH=${path}`)}
# Keys of agents belong in this file, a NAME=value per line: all users can read this unit.
EnvironmentFile=-${fileOf(environmentFile(home))}
Restart=on-failure
RestartSec=5
# Invalid settings stay invalid.
RestartPreventExitStatus=2
# Charlotte ends its jobs itself, within ten seconds.
KillMode=mixed
TimeoutStopSec=15
# Each process of a job runs in a separate control group.
Delegate=yes

[Install]
WantedBy=default.target
`

/** None if the text was not rendered here. */
export const read = (text: string): Option.Option<UnitFile> => {
  const lines = text.split("\n")
  const wordsOf = (start: string) => lines.filter((line) => line.startsWith(start)).flatMap(words)
  const variable = (name: string) =>
    wordsOf("Environment=").flatMap((word) => (word.startsWith(`${name}=`) ? [word.slice(name.length + 1)] : []))[0]
  const [program, ...rest] = wordsOf("ExecStart=")
  const [home, path] = [variable("CHARLOTTE_HOME"), variable("PATH")]
  return lines[0] === mark && program !== undefined && home !== undefined && path !== undefined
    ? Option.some({ home, path, command: [program, ...rest.map((word) => word.replaceAll("$$", "$"))] })
    : Option.none()
}
