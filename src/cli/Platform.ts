/** Supported platforms. Checked before anything else is loaded, since an old Node cannot even parse the rest. */
import { oldNode } from "../internal/oldNode.js"

/** Why a platform is not supported; undefined if it is. */
export const unsupported = (host: { readonly node: string; readonly platform: string }): string | undefined => {
  if (host.platform === "win32") return "Windows is not supported; run it in WSL, the Windows Subsystem for Linux"
  return oldNode(host.node)
}

/** Whether this platform is unsupported; prints why. */
export const refusal = (): boolean => {
  const reason = unsupported({ node: process.versions.node, platform: process.platform })
  if (reason !== undefined) process.stderr.write(`charlotte: ${reason}\n`)
  return reason !== undefined
}
