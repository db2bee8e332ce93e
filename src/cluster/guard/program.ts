/**
 * The guard process of a node. Its node starts it in a separate session and holds the other end of its standard input, which the
 * kernel closes when the node is gone, regardless of how it ended.
 */
import { uptime } from "node:os"
import * as Cgroup from "../../process/Cgroup.js"
import { proc } from "../../process/ProcessTable.js"
import { decode, lines } from "./protocol.js"
import * as Watchdog from "./Watchdog.js"

// Signals to a whole process group or control group are meant for the node: its guard ends after it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(signal, () => {})
process.title = "charlotte-guard"

const watchdog = Watchdog.make({
  table: { ...proc, cgroups: Cgroup.detect() },
  silence: Number(process.argv[2]),
  freshAt: Number(process.argv[3]),
  uptime: () => uptime() * 1_000,
  schedule: (run, millis) => {
    const timer = setTimeout(run, millis)
    return { cancel: () => clearTimeout(timer) }
  },
  answer: (number) => process.stdout.write(`${number}\n`),
  // oxlint-disable-next-line unicorn/no-process-exit -- its timers and its pipe would keep it
  exit: () => process.exit(0)
})

const receive = lines((line) => {
  const message = decode(line)
  if (message !== undefined) watchdog.receive(message)
})

// Once the node is gone, a response cannot be delivered.
process.stdout.on("error", () => {})
process.stdin.setEncoding("utf8")
process.stdin.on("data", (piece: string) => receive(piece))
process.stdin.on("error", watchdog.end)
process.stdin.on("close", watchdog.end)
process.stdin.on("end", watchdog.end)
