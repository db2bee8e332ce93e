/**
 * The key of a job: one active job per branch of a repository, whatever path the repository is opened by.
 */
import { Option, Schema } from "effect"

export const conflictKey = (branch: string, identity: string): string => `branch ${branch} of repository ${identity}`

const Config = Schema.Struct({ repoPath: Schema.String })

/** The same for people, with the path by which the configuration names the repository. */
export const withPath = (key: string, config: unknown): string =>
  Option.match(Schema.decodeUnknownOption(Config)(config), {
    onNone: () => key,
    onSome: ({ repoPath }) => key.replace(/ of repository \d+:\d+$/, () => ` of ${repoPath}`)
  })
