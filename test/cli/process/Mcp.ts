/** `charlotte mcp`, and a client of another library that talks to it. */
import { expect } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js"
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv"
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type * as Charlotte from "./Charlotte.js"
import * as Repository from "../../support/Repository.js"

/** Requests have no time limit of their own: the machine may be busy. */
const patience = { timeout: 280_000 }

export interface Talk {
  readonly client: Client
  readonly tools: Awaited<ReturnType<Client["listTools"]>>["tools"]
  /** The structured result of a call, whose arguments are checked as an agent's would be; fails if the tool does. */
  readonly call: (name: string, input?: Record<string, unknown>, signal?: AbortSignal) => Promise<Result>
  /** What a failed call says. */
  readonly refused: (name: string, input?: Record<string, unknown>) => Promise<Result>
  /** The call of a tool, and its cancellation in the same write. */
  readonly cancelled: (name: string, input: Record<string, unknown>) => Promise<void>
  /** Returns once the log has this line so many times. */
  readonly logs: (text: string, times?: number) => Promise<void>
  readonly errors: () => string
  /** Everything that was written to standard output. */
  readonly out: () => ReadonlyArray<string>
  /** Closes its standard input, and returns its exit code. */
  readonly close: () => Promise<number | null>
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into results as an agent would, without their types
export type Result = any

export const talk = (
  world: Charlotte.World,
  options = "",
  cwd = world.repository
): Effect.Effect<Talk, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => open(world, options, cwd)),
    ({ close }) => Effect.promise(close)
  )

const open = async (world: Charlotte.World, options: string, cwd: string): Promise<Talk> => {
  const { args, command } = Repository.commandIn(world, cwd, [
    "bash",
    "-c",
    `exec charlotte mcp --log-level debug ${options}`
  ])
  const child = spawn(command, args, { cwd, env: world.variables, stdio: ["pipe", "pipe", "pipe"] })
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
  const out: Array<string> = []
  let err = ""
  const waiting = new Set<() => void>()
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text
    for (const look of waiting) look()
  })
  child.stdin.on("error", () => {})
  const transport: Transport = {
    start: () => {
      createInterface(child.stdout).on("line", (line) => {
        out.push(line)
        transport.onmessage?.(JSONRPCMessageSchema.parse(JSON.parse(line)))
      })
      return Promise.resolve()
    },
    send: (message) => Promise.resolve(void child.stdin.write(`${JSON.stringify(message)}\n`)),
    close: () => {
      child.stdin.end()
      transport.onclose?.()
      return Promise.resolve()
    }
  }
  const client = new Client({ name: "a-person's-agent", version: "1" })
  await client.connect(transport, patience)
  const { tools } = await client.listTools({}, patience)
  const check = new AjvJsonSchemaValidator()
  const send = async (name: string, input: Record<string, unknown>, signal?: AbortSignal) => {
    const tool = tools.find((tool) => tool.name === name)
    expect(check.getValidator(JSON.parse(JSON.stringify(tool?.inputSchema)))(input)).toMatchObject({ valid: true })
    return client.callTool({ name, arguments: input }, undefined, { ...patience, ...(signal && { signal }) })
  }
  return {
    client,
    tools,
    call: async (name, input = {}, signal) => {
      for (;;) {
        const { content, isError, structuredContent }: Result = await send(name, input, signal)
        // As the hint says: the daemon may have to wait for a processor for longer than a command waits for it.
        if (isError === true && content[0].text.startsWith('{"error":"NotResponding"')) continue
        expect(isError, JSON.stringify(content)).not.toBe(true)
        return structuredContent
      }
    },
    refused: async (name, input = {}) => {
      const { content, isError }: Result = await client.callTool({ name, arguments: input }, undefined, patience)
      expect(isError, JSON.stringify(content)).toBe(true)
      return JSON.parse(content[0].text)
    },
    cancelled: async (name, input) => {
      const controller = new AbortController()
      child.stdin.cork()
      const answer = send(name, input, controller.signal)
      // The request is written when the promises before it have settled.
      await new Promise(setImmediate)
      controller.abort("no longer needed")
      await expect(answer).rejects.toThrow("no longer needed")
      await new Promise(setImmediate)
      child.stdin.uncork()
    },
    logs: (text, times = 1) =>
      new Promise((resolve) => {
        const look = () => {
          if (err.split(text).length <= times) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    errors: () => err,
    out: () => out,
    close: async () => {
      await client.close()
      return ended
    }
  }
}
