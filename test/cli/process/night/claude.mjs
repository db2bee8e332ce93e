#!/usr/bin/env node
/**
 * A stand-in for Claude Code: it prints the same records, has a usage limit, and finds a session again only in the directory in which
 * that began. A task says what to do, line by line:
 *
 * - `write FILE`: writes random bytes, in two halves, and notes their hash
 * - `await NAME`: is at work until the file NAME is there; a file `reached-TASK-NAME` shows that it is
 *
 * These files, the sessions, and what it has noted are in CLAUDE_CONFIG_DIR. There is a limit until the time in the file `limit`, in
 * seconds.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto"
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { setTimeout } from "node:timers/promises"

const account = process.env["CLAUDE_CONFIG_DIR"] ?? "."
const prompt = readFileSync(0, "utf8")
const resumed = process.argv[process.argv.indexOf("--resume") + 1 || Infinity]
const session_id = resumed ?? randomUUID()

const print = (record) => process.stdout.write(`${JSON.stringify({ ...record, session_id })}\n`)
const says = (content) =>
  print({ type: "assistant", message: { id: `msg_${randomUUID()}`, role: "assistant", content: [content] } })
const text = (text) => says({ type: "text", text })
const result = (record) => print({ type: "result", subtype: "success", is_error: false, num_turns: 1, ...record })
const note = (file, line) => appendFileSync(`${account}/${file}`, `${line}\n`)
const inFile = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "")
const hashOf = (file) => createHash("sha256").update(readFileSync(file)).digest("hex")

/** Ends the turn where the limit is reached, as each request then does. */
const request = () => {
  const resetsAt = Number(inFile(`${account}/limit`))
  if (resetsAt * 1_000 <= Date.now()) return
  const words = `You've hit your session limit · resets ${new Date(resetsAt * 1_000).toISOString().slice(11, 16)} (UTC)`
  print({ type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt, rateLimitType: "five_hour" } })
  text(words)
  result({ is_error: true, result: words, api_error_status: 429, usage: { input_tokens: 0, output_tokens: 0 } })
  process.exit(1)
}

const directory = `${account}/projects/${process.cwd().replaceAll(/\W/g, "-")}`
const file = `${directory}/${session_id}.json`
mkdirSync(directory, { recursive: true })
if (resumed !== undefined && !existsSync(file)) {
  result({
    subtype: "error_during_execution",
    is_error: true,
    errors: [`No conversation found with session ID: ${resumed}`]
  })
  process.exit(1)
}

const session = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"))
  : {
      task: /^# (.*)$/m.exec(prompt)?.[1].toLowerCase().replaceAll(" ", "-"),
      steps: [...prompt.matchAll(/^- (write|await) (\S+)$/gm)].map(([, verb, what]) => ({ verb, what })),
      done: 0,
      written: {}
    }
const save = () => {
  writeFileSync(`${file}.new`, JSON.stringify(session))
  renameSync(`${file}.new`, file)
}
save()
if (resumed === undefined) note("began", session.task)
print({
  type: "system",
  subtype: "init",
  cwd: process.cwd(),
  tools: ["Bash", "Edit", "Write"],
  model: "claude-sonnet-4-5"
})
for (const [name, hash] of Object.entries(session.written))
  if (!existsSync(name) || hashOf(name) !== hash) note("lost", `${session.task} ${name}`)

const verbs = {
  write: async (name) => {
    const bytes = randomBytes(100_000)
    says({ type: "tool_use", id: `toolu_${randomUUID()}`, name: "Write", input: { file_path: name } })
    writeFileSync(name, bytes.subarray(0, 50_000))
    await setTimeout(50)
    writeFileSync(name, bytes)
    session.written[name] = hashOf(name)
  },
  await: async (name) => {
    writeFileSync(`${account}/reached-${session.task}-${name}`, "")
    for (let n = 1; !existsSync(`${account}/${name}`); n++) {
      request()
      text(`I am still at it, for the ${n}th time.`)
      await setTimeout(100)
    }
  }
}

request()
text(`I go on with ${session.task}.`)
for (const { verb, what } of session.steps.slice(session.done)) {
  await verbs[verb](what)
  session.done += 1
  save()
  request()
}
for (const [name, hash] of Object.entries(session.written)) note("sums", `${hash}  ${name}`)
result({
  result: `I have finished ${session.task}.`,
  total_cost_usd: 0.1,
  usage: { input_tokens: 10, output_tokens: 20 }
})
