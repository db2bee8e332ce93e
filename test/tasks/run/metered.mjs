/**
 * A stand-in for an agent that notes what it draws. Its arguments are a directory, the format, the version, and the session or `new`.
 *
 * The directory has `turns.json`, with what each turn does, by its number: `done` writes the file that the gate wants, `idle` another,
 * `budget` ends as Claude Code does at its own budget, and `hang` writes its first message and then runs until it is killed. The file
 * `drawn` has a line with the cost of each turn, as far as its output shows it.
 */
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { basename } from "node:path"

const [root, format, version, session] = process.argv.slice(2)
const unit = basename(process.cwd())

appendFileSync(`${root}/count-${unit}`, "x")
const number = statSync(`${root}/count-${unit}`).size
const turn = JSON.parse(readFileSync(`${root}/turns.json`, "utf8"))[number - 1] ?? "done"

const read = (file, otherwise) => {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch {
    return otherwise
  }
}

const id = session === "new" ? `${unit}-${number}` : session
const saved = read(`${root}/session-${id}.json`, { input: 0, cached: 0, output: 0, usd: 0 })
const print = (record) => process.stdout.write(`${JSON.stringify(record)}\n`)
const own = {
  input: 100 * number + unit.length,
  cached: 1000 * number,
  output: 10 * number,
  usd: 0.1 * number + 0.000007
}
const draw = (cost) => appendFileSync(`${root}/drawn`, `${JSON.stringify(cost)}\n`)
const save = (total) => writeFileSync(`${root}/session-${id}.json`, JSON.stringify(total))
const sum = {
  input: saved.input + own.input,
  cached: saved.cached + own.cached,
  output: saved.output + own.output,
  usd: saved.usd + own.usd
}

const hang = () => {
  writeFileSync(`${root}/begun-${unit}-${number}`, "")
  setInterval(() => {}, 1000)
}

const work = () => {
  if (turn !== "hang") writeFileSync(turn === "done" ? "done.txt" : `${turn}.txt`, `${number}`)
}

const claude = () => {
  const usage = {
    input_tokens: own.input - 60,
    cache_creation_input_tokens: 60,
    cache_read_input_tokens: own.cached,
    output_tokens: own.output
  }
  print({
    type: "system",
    subtype: "init",
    session_id: id,
    ...(version !== "unknown" && { claude_code_version: version })
  })
  const message = { id: `msg-${id}-${number}`, model: "claude-sonnet-4-5", content: [{ type: "text", text: "Hi." }] }
  print({ type: "assistant", message: { ...message, usage: { ...usage, output_tokens: 1 } }, session_id: id })
  if (turn === "hang") {
    draw({ ...own, output: 1, usd: 0 })
    return hang()
  }
  print({ type: "assistant", message: { ...message, usage }, session_id: id })
  draw(own)
  save(sum)
  const total = version.startsWith("2.1.27") && version < "2.1.277" ? own.usd : sum.usd
  const end = { type: "result", total_cost_usd: total, session_id: id }
  work()
  if (turn === "budget") {
    print({ ...end, subtype: "error_max_budget_usd", is_error: true, errors: ["Reached maximum budget ($1)"] })
    process.exitCode = 1
  } else print({ ...end, subtype: "success", is_error: false, result: "Hi." })
}

const codex = () => {
  print({ type: "thread.started", thread_id: id })
  print({ type: "turn.started" })
  print({ type: "item.completed", item: { id: "item_0", type: "agent_message", text: "Hi." } })
  if (turn === "hang") return hang()
  draw({ ...own, usd: 0 })
  save(sum)
  work()
  const usage = { input_tokens: sum.input + sum.cached, cached_input_tokens: sum.cached, output_tokens: sum.output }
  print({ type: "turn.completed", usage })
}

process.stdin.on("end", format === "codex-json" ? codex : claude).resume()
