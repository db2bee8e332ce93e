/** The oldest supported Node. The command checks it before anything else is loaded, so this imports nothing. */

/** Major and minor version. */
const needed = [22, 19] as const

/** Why a version of Node is not supported; undefined if it is. */
export const oldNode = (version: string): string | undefined => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < needed[0] || (major === needed[0] && minor < needed[1])
    ? `Node.js ${version} is too old; install version ${needed.join(".")} or newer`
    : undefined
}
