/** Where this can run. It is asked before anything else is loaded, which may not even be understood there. */

/** The oldest Node that is tested: major and minor version. */
const needed = [22, 19] as const

const isOlder = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < needed[0] || (major === needed[0] && minor < needed[1])
}

/** Why not, if it cannot. */
export const unsupported = (host: { readonly node: string; readonly platform: string }): string | undefined => {
  if (host.platform === "win32") return "Windows is not supported; run it in WSL, the Windows Subsystem for Linux"
  if (isOlder(host.node)) return `Node.js ${host.node} is too old; install version ${needed.join(".")} or newer`
  return undefined
}

/** Whether this is a place where it cannot run; then it is said why. */
export const refusal = (): boolean => {
  const reason = unsupported({ node: process.versions.node, platform: process.platform })
  if (reason !== undefined) process.stderr.write(`charlotte: ${reason}\n`)
  return reason !== undefined
}
