/**
 * The configuration of every git command, which overrides all configuration files: no program named in a file is executed, and
 * nothing waits for user input or the network.
 */

const settings: Readonly<Record<string, string>> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.untrackedCache": "false",
  "core.splitIndex": "false",
  "core.pager": "cat",
  "core.editor": ":",
  "core.askPass": "",
  "core.sshCommand": "false",
  "core.gitProxy": "",
  "core.alternateRefsCommand": "",
  "credential.helper": "",
  "commit.gpgSign": "false",
  "tag.gpgSign": "false",
  "gpg.program": "false",
  "gpg.openpgp.program": "false",
  "gpg.x509.program": "false",
  "gpg.ssh.program": "false",
  "log.showSignature": "false",
  "merge.verifySignatures": "false",
  "diff.external": "",
  "submodule.recurse": "false",
  "protocol.allow": "never",
  "gc.auto": "0",
  "maintenance.auto": "false",
  // Otherwise git guesses an author from the host name.
  "user.useConfigOnly": "true",
  // Concurrent changes to refs wait for each other rather than fail.
  "core.filesRefLockTimeout": "1000",
  "core.packedRefsTimeout": "1000",
  // Work that is recorded as done must survive a power loss.
  "core.fsync": "committed,reference",
  // One flush for all objects of a command: `git add` of 50,000 files takes 21 s instead of 145 s on a slow disk (ext4), measured
  // by `git -c core.fsync=committed,reference -c core.fsyncMethod=batch add --all`, against `fsync` as the method.
  "core.fsyncMethod": "batch"
}

/** The user's settings that affect file contents and merges, and name no program. */
const kept = [
  "core.autocrlf",
  "core.eol",
  "core.safecrlf",
  "core.filemode",
  "core.symlinks",
  "core.ignorecase",
  "core.precomposeunicode",
  "core.protecthfs",
  "core.protectntfs",
  "core.excludesfile",
  "core.attributesfile",
  "core.sharedrepository",
  "core.bigfilethreshold",
  "merge.renames",
  "merge.renamelimit",
  "merge.directoryrenames",
  "merge.conflictstyle",
  "diff.renames",
  "diff.renamelimit"
]

/** One line of `git config --list`. */
export interface Entry {
  readonly scope: string
  readonly key: string
  readonly value: string
}

/** Parses the output of `git config --list --show-scope -z`. */
export const parse = (listing: string): ReadonlyArray<Entry> => {
  const fields = listing.split("\0")
  const entries: Array<Entry> = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [scope = "", line = ""] = [fields[i], fields[i + 1]]
    const end = line.indexOf("\n")
    // A key without a value means true.
    entries.push(
      end < 0 ? { scope, key: line, value: "true" } : { scope, key: line.slice(0, end), value: line.slice(end + 1) }
    )
  }
  // Exclude the settings that Charlotte itself passes.
  return entries.filter(({ scope }) => scope !== "command")
}

/** The user's settings to pass to every command; the last value of a key wins. */
export const keep = (entries: ReadonlyArray<Entry>): Readonly<Record<string, string>> =>
  Object.fromEntries(entries.filter(({ key }) => kept.includes(key)).map(({ key, value }) => [key, value]))

/** Settings as numbered environment variables, which override every file; the last value of a key wins. */
const numbered = (
  entries: ReadonlyArray<readonly [key: string, value: string]>,
  from: number
): Record<string, string> =>
  Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(from + entries.length)],
    ...entries.flatMap(([key, value], i) => [
      [`GIT_CONFIG_KEY_${from + i}`, key],
      [`GIT_CONFIG_VALUE_${from + i}`, value]
    ])
  ])

/** The variables for a repository's own settings, numbered after the constant ones; the keys do not overlap. */
export const variables = (own: Readonly<Record<string, string>>): Record<string, string> =>
  numbered(Object.entries(own), Object.keys(settings).length)

/** The variables of a command that reaches another repository: it asks no one, runs no hook, and the URL names no program. */
export const network: Readonly<Record<string, string>> = {
  ...numbered([["core.hooksPath", "/dev/null"]], 0),
  LC_ALL: "C",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ALLOW_PROTOCOL: "file:git:http:https:ssh"
}

/** The variables that do not depend on a repository. */
export const constants: Readonly<Record<string, string>> = {
  ...numbered(Object.entries(settings), 0),
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "false",
  SSH_ASKPASS: "false",
  GIT_EDITOR: ":",
  GIT_SEQUENCE_EDITOR: ":",
  GIT_PAGER: "cat",
  // Progress is never shown, and printing it would kill a git whose reader has died.
  GIT_PROGRESS_DELAY: "1000000",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_LITERAL_PATHSPECS: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "none"
}
