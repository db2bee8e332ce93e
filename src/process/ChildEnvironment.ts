/**
 * The environment of a child process: only the variables that are listed here or named by the caller.
 */
import { Context } from "effect"

/**
 * The variable that carries the cookie. Processes with the cookie of a job are killed when that job ends, so it is passed on to
 * every descendant, and a manager inside a job adds its own cookie to the one it inherited.
 */
export const cookieName = "RUN_BY_CHARLOTTE"

export interface Variables {
  readonly [name: string]: string | undefined
}

/** The variables of this program; the only place where they are read for child processes. */
export class ParentEnvironment extends Context.Reference<ParentEnvironment>()("charlotte/ParentEnvironment", {
  defaultValue: (): Variables => process.env
}) {}

const allowed = new Set(
  ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "COLORTERM", "NO_COLOR"].concat([
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME"
  ])
)

const isAllowed = (name: string) => allowed.has(name) || name.startsWith("LC_")

/** The manager's own settings, such as its home and its token. */
const isOurs = (name: string) => name.startsWith("CHARLOTTE_")

/** Git's variables would point a git command to another repository, index or configuration. */
const isGit = (name: string) => name.startsWith("GIT_")

export const make = (options: {
  readonly around: Variables
  readonly cookie: string
  /** Names of variables to inherit; variables of Charlotte and git are dropped even if named. */
  readonly inherit?: ReadonlyArray<string> | undefined
  /** Variables with their values; Charlotte's variables are dropped even here. */
  readonly env?: { readonly [name: string]: string } | undefined
}): Record<string, string> => {
  const { around, cookie, env = {}, inherit = [] } = options
  const passed = Object.keys(around).filter((name) => isAllowed(name) || (inherit.includes(name) && !isGit(name)))
  const outer = around[cookieName]
  return Object.fromEntries(
    [
      ...passed.map((name) => [name, around[name]] as const),
      ...Object.entries(env),
      [cookieName, outer === undefined ? cookie : `${outer}:${cookie}`] as const
    ].flatMap(([name, value]) => (value === undefined || isOurs(name) ? [] : [[name, value]]))
  )
}
