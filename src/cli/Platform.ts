/** Where this can run. It is asked before anything else is loaded, which may not even be understood there. */

const needed = 20

/** Why not, if it cannot. */
export const unsupported = (host: { readonly node: string; readonly platform: string }): string | undefined => {
  if (host.platform === "win32") return "Windows is not supported; run it in WSL, the Windows Subsystem for Linux"
  if (Number.parseInt(host.node) < needed) return `Node.js ${host.node} is too old; install version ${needed} or newer`
  return undefined
}

/** Whether this is a place where it cannot run; then it is said why. */
export const refusal = (): boolean => {
  const reason = unsupported({ node: process.versions.node, platform: process.platform })
  if (reason !== undefined) process.stderr.write(`charlotte: ${reason}\n`)
  return reason !== undefined
}
