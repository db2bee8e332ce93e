#!/usr/bin/env node
/**
 * The command `charlotte`. Where it cannot run it says so, and loads nothing that may not be understood there.
 */
import { unsupported } from "./Platform.js"

const reason = unsupported({ node: process.versions.node, platform: process.platform })
if (reason === undefined) {
  const { runMain } = await import("@effect/platform-node/NodeRuntime")
  const { main, teardown } = await import("./Charlotte.js")
  runMain(main(process.argv.slice(2)), { disableErrorReporting: true, disablePrettyLogger: true, teardown })
} else {
  process.stderr.write(`charlotte: ${reason}\n`)
  process.exitCode = 2
}
