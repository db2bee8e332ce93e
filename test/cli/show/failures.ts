/**
 * Failures of agents and gates, as processes print them: in the formats of `claude` and `codex`, and as text.
 */
import { toJson } from "../../../src/internal/Json.js"
import * as plainText from "../../../src/internal/plainText.js"
import * as ProcessOutcome from "../../../src/process/ProcessOutcome.js"
import * as answered from "../../../src/tasks/agents/answered.js"
import type { Format } from "../../../src/tasks/agents/Profile.js"
import * as agentTurn from "../../../src/tasks/run/agentTurn.js"
import { TaskFailure, TasksFailed } from "../../../src/tasks/run/errors.js"
import * as runCommand from "../../../src/tasks/run/runCommand.js"

export interface Failure {
  readonly name: string
  readonly format: Format
  /** The output of the agent. */
  readonly output: string
  /** The exit code of the agent. */
  readonly code: number
  /** The output of the gate, if it ran and failed. */
  readonly gate?: string
  /** How the reason begins. */
  readonly reason: string
  /** What the agent said last. */
  readonly said?: string
}

const lines = (...records: ReadonlyArray<unknown>): string =>
  records.map((record) => `${typeof record === "string" ? record : JSON.stringify(record)}\n`).join("")

const id = "0b9c7a4e-52f7-4a7e-8a3b-7b8f0c1d2e3f"
const init = { type: "system", subtype: "init", cwd: "/w", session_id: id, tools: ["Bash"], model: "claude-x" }
const claudeSays = (text: string) => ({
  type: "assistant",
  message: { id: "msg_1", model: "claude-x", content: [{ type: "text", text }], usage: { output_tokens: 7 } },
  session_id: id
})
const claudeRuns = (command: string) => ({
  type: "assistant",
  message: {
    id: "msg_2",
    model: "claude-x",
    content: [{ type: "tool_use", id: "t", name: "Bash", input: { command } }]
  },
  session_id: id
})
const printed = (content: string) => ({
  type: "user",
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content }] },
  session_id: id
})
const result = (text: string, more: object = {}) => ({
  type: "result",
  subtype: "success",
  is_error: true,
  duration_ms: 1_234,
  num_turns: 1,
  result: text,
  session_id: id,
  total_cost_usd: 0,
  usage: { input_tokens: 0, output_tokens: 0 },
  ...more
})
const finished = (text: string) => result(text, { is_error: false })
const thread = { type: "thread.started", thread_id: id }
const codexSays = (text: string) => ({ type: "item.completed", item: { id: "item_1", type: "agent_message", text } })
const turnFailed = (message: string) => ({ type: "turn.failed", error: { message } })

const esc = "\u001b"
const osc = `${esc}]0;owned\u0007`
const link = `${esc}]8;;https://x.example${esc}\\here${esc}]8;;${esc}\\`

const claude = (name: string, output: string, reason: string, more: Partial<Failure> = {}): Failure => ({
  name: `claude: ${name}`,
  format: "claude-stream-json",
  code: 1,
  output,
  reason,
  ...more
})
const codex = (name: string, output: string, reason: string, more: Partial<Failure> = {}): Failure => ({
  name: `codex: ${name}`,
  format: "codex-json",
  code: 1,
  output,
  reason,
  ...more
})
const text = (name: string, output: string, reason: string, more: Partial<Failure> = {}): Failure => ({
  name: `text: ${name}`,
  format: "text",
  code: 1,
  output,
  reason,
  ...more
})

const body = (message: string) =>
  JSON.stringify({ type: "error", error: { type: "invalid_request_error", message }, request_id: "req_011CS" })

export const failures: ReadonlyArray<Failure> = [
  claude("its result", lines(init, result("Credit balance is too low")), "the agent failed: Credit balance is too low"),
  claude(
    "a response of the service in its result",
    lines(init, result(`API Error: 400 ${body("max_tokens is too large")}`)),
    "the agent failed: API Error: 400 max_tokens is too large"
  ),
  claude(
    "a long response in its result",
    lines(init, result(`API Error: 500 ${body(`no ${"x".repeat(3_000)}`)}`)),
    "the agent failed: API Error: 500 no xxx"
  ),
  claude(
    "colours and a title in its result",
    lines(init, result(`${osc}${esc}[31mnot logged in${esc}[0m ${link}`)),
    "the agent failed: not logged in here"
  ),
  claude(
    "several lines in its result",
    lines(init, result("Please run /login\nthen try again\n")),
    "the agent failed: Please run /login then try again"
  ),
  claude(
    "a result without a text",
    lines(init, claudeSays("I look."), { type: "result", subtype: "error_max_turns", is_error: true, session_id: id }),
    "the agent failed: error_max_turns",
    { said: "I look." }
  ),
  claude(
    "a result with errors",
    lines(init, {
      type: "result",
      subtype: "error_during_execution",
      is_error: true,
      errors: ["Stream closed", "aborted"],
      session_id: id
    }),
    "the agent failed: Stream closed; aborted"
  ),
  claude(
    "no result, but a line of the client",
    lines(init, claudeSays("I begin."), "Error: EACCES: permission denied, open '/root/.claude.json'"),
    "the agent exited with code 1: Error: EACCES: permission denied",
    { said: "I begin." }
  ),
  claude("no result and no other line", lines(init, claudeRuns("npm test")), "the agent exited with code 1"),
  claude("nothing at all", "", "the agent exited with code 1"),
  claude(
    "only a usage error",
    "error: unknown option '--verbos'\n",
    "the agent exited with code 1: error: unknown option"
  ),
  claude(
    "a record that was cut off",
    `${lines(init)}${JSON.stringify(claudeSays("x".repeat(500))).slice(0, 300)}`,
    "the agent exited with code 1"
  ),
  claude("an exit with another code", lines(init, result("Killed by policy")), "the agent failed: Killed by policy", {
    code: 137
  }),
  claude(
    "a result after much output",
    lines(init, ...Array.from({ length: 200 }, () => printed("y".repeat(400))), result("Prompt is too long")),
    "the agent failed: Prompt is too long"
  ),
  claude(
    "JSON in quotes in its result",
    lines(init, result('The tool returned {"status": "bad", "count": 3}, so I stopped')),
    "the agent failed: The tool returned"
  ),
  claude("a mark that reverses text", lines(init, result("evil \u202egnp.exe")), "the agent failed: evil gnp.exe"),
  claude(
    "a failed gate",
    lines(init, claudeSays("All tests pass."), finished("All tests pass.")),
    "the gate exited with code 1: 1 failed",
    {
      code: 0,
      gate: "1 failed\n",
      said: "All tests pass."
    }
  ),
  claude(
    "a gate with colours and a title",
    lines(init, claudeSays("Done.")),
    "the gate exited with code 1: FAIL a.test.ts / 1 failed",
    {
      code: 0,
      gate: `${osc}${esc}[31mFAIL${esc}[0m a.test.ts\n10 %\r100 %\r\n\n  1 failed\n`.replace("10 %\r100 %\r\n", ""),
      said: "Done."
    }
  ),
  claude("a gate that prints nothing", lines(init, claudeSays("Done.")), "the gate exited with code 1", {
    code: 0,
    gate: "",
    said: "Done."
  }),
  claude(
    "a gate with a long line",
    lines(init, claudeSays("Done.")),
    "the gate exited with code 1: AssertionError: expected",
    { code: 0, gate: `AssertionError: expected ${"z".repeat(5_000)}\n`, said: "Done." }
  ),
  claude(
    "a gate that runs an agent itself",
    lines(init, claudeSays("Done.")),
    "the gate exited with code 1: the review found a defect",
    { code: 0, gate: lines(init, claudeSays("bad"), finished("bad"), "the review found a defect"), said: "Done." }
  ),
  claude(
    "an agent that says much",
    lines(init, claudeSays(`${"I did this and that. ".repeat(300)}\n${osc}`)),
    "the gate exited with code 1: no",
    { code: 0, gate: "no\n", said: "I did this and that." }
  ),
  claude("a gate that ends with a record", lines(init, claudeSays("Done.")), "the gate exited with code 1: 2 of 3", {
    code: 0,
    gate: lines("2 of 3", result("x")),
    said: "Done."
  }),

  codex("its error", lines(thread, turnFailed("stream disconnected")), "the agent failed: stream disconnected"),
  codex(
    "an error record",
    lines(thread, { type: "turn.started" }, { type: "error", message: "You've hit your usage limit." }),
    "the agent failed: You've hit your usage limit."
  ),
  codex(
    "a response of the service in its error",
    lines(thread, turnFailed(`unexpected status 400 Bad Request: ${body("The model does not exist")}`)),
    "the agent failed: unexpected status 400 Bad Request: The model does not exist"
  ),
  codex(
    "a response in a field of its own",
    lines(thread, turnFailed('{"detail":"Unsupported parameter: x"}')),
    "the agent failed: Unsupported parameter: x"
  ),
  codex("colours in its error", lines(thread, turnFailed(`${esc}[1m${osc}no${esc}[0m`)), "the agent failed: no"),
  codex("no error", lines(thread, codexSays("I begin.")), "the agent exited with code 1", { said: "I begin." }),
  codex(
    "a panic",
    lines(thread, "thread 'main' panicked at core.rs:5:", "index out of bounds"),
    "the agent exited with code 1: thread 'main' panicked at core.rs:5: / index out"
  ),
  codex(
    "a failed gate",
    lines(thread, codexSays("I fixed it."), { type: "turn.completed" }),
    "the gate exited with code 1: npm ERR!",
    {
      code: 0,
      gate: "npm ERR! code ELIFECYCLE\nnpm ERR! errno 1\n",
      said: "I fixed it."
    }
  ),
  codex(
    "a gate that prints JSON",
    lines(thread, codexSays("I fixed it.")),
    'the gate exited with code 1: {"passed":3',
    {
      code: 0,
      gate: '{"passed":3,"failed":[1]}\n',
      said: "I fixed it."
    }
  ),
  codex(
    "a gate that prints a report of errors",
    lines(thread, codexSays("Ok.")),
    "the gate exited with code 1: no such file",
    {
      code: 0,
      gate: '{"level":"error","message":"no such file"}\n',
      said: "Ok."
    }
  ),

  text(
    "its last lines",
    "calling\n401 invalid API key\n",
    "the agent exited with code 1: calling / 401 invalid API key"
  ),
  text("nothing", "", "the agent exited with code 1"),
  text(
    "colours and a progress bar",
    `${esc}[32m10 %\r100 %${esc}[0m\nno space left\n`,
    "the agent exited with code 1: 100 % / no space left"
  ),
  text("a long line", `${"a".repeat(10_000)}\n`, "the agent exited with code 1: aaaa"),
  text("a record of another agent", lines(init, result("out of credits")), "the agent exited with code 1"),
  text("a failed gate", "I am done\n", "the gate exited with code 1: expected 3, received 4", {
    code: 0,
    gate: "\n\nexpected 3, received 4\n\n"
  }),
  text("a gate with binary output", "ok\n", "the gate exited with code 1: bad", {
    code: 0,
    gate: "\u0000\u0001bad\u0007\n"
  })
]

/** What earlier versions recorded, which kept the last 300 characters of the last three lines. */
export const recordedBefore = ({ code, gate, output }: Failure): string => {
  if (gate !== undefined) return "the gate exited with code 1"
  const end = plainText
    .strip(output)
    .split("\n")
    .filter((line) => line !== "")
    .slice(-3)
    .join(" / ")
  const cut = end.length > 300 ? `…${end.slice(-300)}` : end
  return `the agent exited with code ${code}${cut === "" ? "" : `: ${cut}`}`
}

export const file = { file: "/home/me/.charlotte/logs/api-1.log", from: 0, to: 10 }

const resultOf = (output: string, code: number): runCommand.CommandResult => ({
  reason: code === 0 ? undefined : `exited with code ${code}`,
  outcome: ProcessOutcome.Exited({ code }),
  moved: [],
  tail: output,
  log: { ...file, to: Buffer.byteLength(output) }
})

/** What a failure leaves in the record of its task, and in its events. */
export const recorded = ({ code, format, gate, output }: Failure) => {
  const turn = resultOf(output, code)
  const text = { format, tail: output, size: turn.log.to }
  const own = agentTurn.ownMessage(turn, text)
  const ofGate = gate === undefined ? undefined : resultOf(gate, 1)
  return {
    reason: ofGate === undefined ? agentTurn.failure(turn, own) : `the gate ${runCommand.reasonWithOutput(ofGate)}`,
    said: answered.said(text),
    agentReason: turn.reason === undefined ? undefined : (own ?? runCommand.reasonWithOutput(turn)),
    gateReason: ofGate?.reason
  }
}

/** The error of a job whose only task has failed for this reason, and the message of its unit. */
export const errorOf = (reason: string) => {
  const { message } = new TaskFailure({ unit: "api", task: 1, title: "Add it", attempts: 1, reason })
  const failures = [{ unit: "api", task: 1, reason: message }]
  return { error: toJson(new TasksFailed({ branch: "b", diff: "git diff", failures, blocked: [] })), message }
}
