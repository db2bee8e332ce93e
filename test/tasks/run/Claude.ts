/**
 * What stand-ins for Claude Code have in common: they are shell scripts that get the session to resume, or `new`.
 */
import { Agents } from "charlotte/tasks"
import { readFileSync } from "node:fs"

export const profile = (script: string, name: string) =>
  new Agents.Profile({
    name,
    command: ["sh", script, "new"],
    resume: ["sh", script, "{session}"],
    prompt: "stdin",
    format: "claude-stream-json",
    env: []
  })

/** The calls in a file to which each call has appended `== SESSION` and then its prompt. */
export const calls = (file: string) => {
  const [, ...calls] = readFileSync(file, "utf8").split("== ")
  return calls.map((call) => {
    const [session = "", ...prompt] = call.split("\n")
    return { session, prompt: prompt.join("\n") }
  })
}
