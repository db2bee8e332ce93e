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

export const all = [help, version, logLevel, completions] as const
