/**
 * The configuration of a clone in which processes work: the user repository's, without repository-specific settings.
 */
import { Option } from "effect"
import type { Repository } from "./Repository.js"

/** Settings that name a directory or a format, includes (which are resolved already), and daemons that would outlive the work. */
const isOfRepository = (key: string): boolean =>
  /^(extensions|include|includeif)\./.test(key) ||
  /^core\.(worktree|bare|repositoryformatversion|sparsecheckout(cone)?|splitindex|fsmonitor|untrackedcache)$/.test(key)

const quote = (text: string): string =>
  `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`

const line = ([key, value]: readonly [key: string, value: string]): ReadonlyArray<string> => {
  const [, section, subsection, name] = /^([^.]+)(?:\.([^]*))?\.([^.]+)$/.exec(key) ?? []
  if (section === undefined || name === undefined) return []
  const header = subsection === undefined ? `[${section}]` : `[${section} ${quote(subsection)}]`
  return [header, `\t${name} = ${quote(value)}`]
}

export const cloneConfig = ({ author, local, objectFormat }: Repository): string => {
  // Set the identity explicitly: a condition on the git directory, as in `includeIf "gitdir:~/work/"`, does not match the clone.
  const identity = Option.match(author, {
    onNone: () => [],
    onSome: ({ email, name }) => [["user.name", name] as const, ["user.email", email] as const]
  })
  const kept = local.filter(({ key }) => !isOfRepository(key)).map(({ key, value }) => [key, value] as const)
  const own = [
    ["core.bare", "false"],
    ["core.repositoryformatversion", "1"],
    ["extensions.objectformat", objectFormat],
    // The clone lasts only for hours, and the job would have to wait for background maintenance.
    ["gc.auto", "0"],
    ["maintenance.auto", "false"]
  ] as const
  return `${[...kept, ...identity, ...own].flatMap(line).join("\n")}\n`
}
