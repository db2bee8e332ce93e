#!/usr/bin/env node
/**
 * The command `charlotte`, from its sources. Where it cannot run it says so, and loads nothing that may not be understood
 * there. What is installed is `installed.ts`.
 */
import { refusal } from "./Platform.js"

if (refusal()) process.exitCode = 2
else {
  const { start } = await import("./main.js")
  start()
}
