/** Supported platforms. Checked before anything else is loaded, since an old Node cannot even parse the rest. */

/** The oldest supported Node: major and minor version. */
const needed = [22, 19] as const

const isOlder = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < needed[0] || (major === needed[0] && minor < needed[1])
}

/** Why a platform is not supported; undefined if it is. */
export const unsupported = (host: { readonly node: string; readonly platform: string }): string | undefined => {
  if (host.platform === "win32") return "Windows is not supported; run it in WSL, the Windows Subsystem for Linux"
  if (isOlder(host.node)) return `Node.js ${host.node} is too old; install version ${needed.join(".")} or newer`
  return undefined
}

/** Whether this platform is unsupported; prints why. */
export const refusal = (): boolean => {
  const reason = unsupported({ node: process.versions.node, platform: process.platform })
  if (reason !== undefined) process.stderr.write(`charlotte: ${reason}\n`)
  return reason !== undefined
}
