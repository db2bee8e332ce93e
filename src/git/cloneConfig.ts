/** The configuration of a clone in which processes work: what the user's repository has, but for what makes it that one. */
import { Option } from "effect"
import type { Repository } from "./Repository.js"

/** What names a directory or a format, what is read already, and a daemon that would outlive the work. */
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
  // A condition by the git directory, as in `includeIf "gitdir:~/work/"`, does not hold for the clone.
  const identity = Option.match(author, {
    onNone: () => [],
    onSome: ({ email, name }) => [["user.name", name] as const, ["user.email", email] as const]
  })
  const kept = local.filter(({ key }) => !isOfRepository(key)).map(({ key, value }) => [key, value] as const)
  const own = [
    ["core.bare", "false"],
    ["core.repositoryformatversion", "1"],
    ["extensions.objectformat", objectFormat],
    // It lasts for hours, and what git would start in the background is waited for.
    ["gc.auto", "0"],
    ["maintenance.auto", "false"]
  ] as const
  return `${[...kept, ...identity, ...own].flatMap(line).join("\n")}\n`
}
