#!/usr/bin/env node
/**
 * The command `charlotte`. On an unsupported platform it says so and loads nothing else.
 */
import * as Module from "node:module"
import { isAbsolute, join } from "node:path"
import { refusal } from "./Platform.js"

/**
 * Caches V8's compiled code for later processes in the user's own cache directory: Node's default is below /tmp, where others could
 * have planted code.
 */
const keepCompiled = ({ HOME = "", XDG_CACHE_HOME = "" }: NodeJS.ProcessEnv): void => {
  const cache = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(HOME, ".cache")
  if (isAbsolute(cache)) Module.enableCompileCache(join(cache, "charlotte"))
}

if (refusal()) process.exitCode = 2
else {
  keepCompiled(process.env)
  void import("./main.js").then(({ start }) => start())
}
