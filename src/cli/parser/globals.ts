/**
 * The options that every command has.
 */
import { LogLevel } from "effect"
import * as Parameter from "./Parameter.js"

export const help = Parameter.flag("help", { alias: "h", description: "Show help for any command." })

export const version = Parameter.flag("version", { description: "Show the version." })

export const logLevel = Parameter.choiceOption(
  "log-level",
  "LEVEL",
  LogLevel.allLevels.map(({ _tag }) => _tag.toLowerCase()),
  "Log to standard error at this level: debug, info, warning or error."
)

export const completions = Parameter.choiceOption(
  "completions",
  "SHELL",
  ["bash", "zsh", "fish"],
  "Print a completion script for bash, zsh or fish."
)

export const server = Parameter.textOption("server", {
  placeholder: "URL",
  description:
    "Use the daemon at https://HOST:PORT, or http on a loopback address, instead of that of the home (default: $CHARLOTTE_SERVER)."
})

export const tokenFile = Parameter.fileOption(
  "token-file",
  "The file with the token of --server, or of a port of the daemon (default: $CHARLOTTE_TOKEN_FILE)."
)

export const all = [help, version, logLevel, server, tokenFile, completions] as const
