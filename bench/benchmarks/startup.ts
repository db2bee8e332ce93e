/**
 * How long the command that `npm run build` makes takes: until a daemon is ready, and until `charlotte jobs` has exited.
 */
import { execFileSync, spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { type Benchmark, type Line, milliseconds, ratio } from "../harness/Benchmark.js"
import * as Peers from "../harness/Peers.js"
import { root } from "../harness/Subjects.js"

const bin = join(root, "dist", "cli", "bin.cjs")

/** Milliseconds until a process exits, or sends its first IPC message, when it is ready. */
const time = (argv: ReadonlyArray<string>, env: NodeJS.ProcessEnv, until: "exit" | "message"): Promise<number> =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    const child = spawn(process.execPath, argv, {
      env,
      cwd: root,
      stdio: until === "exit" ? "ignore" : ["ignore", "ignore", "inherit", "ipc"]
    })
    let millis: number | undefined
    child.once("message", () => {
      millis = performance.now() - begun
      child.disconnect()
      child.kill("SIGTERM")
    })
    child.once("exit", (code) => {
      if (code === 0) resolve(millis ?? performance.now() - begun)
      else reject(new Error(`${argv.join(" ")} ended with ${String(code)}`))
    })
  })

/** pm2's list command, with a separate daemon that manages nothing. */
const pm2 = (directory: string) => {
  const env = { ...process.env, PM2_HOME: join(directory, "pm2") }
  const file = join(root, "bench", "node_modules", "pm2", "bin", "pm2")
  const run = (command: string) => execFileSync(process.execPath, [file, command], { env, stdio: "ignore" })
  run("ping")
  return { time: () => time([file, "jlist"], env, "exit"), end: () => run("kill") }
}

const listing = "`charlotte jobs` against a daemon"

export const startup: Benchmark = {
  name: "startup",
  title: "Start of the command",
  short: true,
  run: async ({ directory, runs, short }) => {
    execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
    const home = (name: string) => ({ ...process.env, CHARLOTTE_HOME: join(directory, name) })
    const daemon = home("with-daemon")
    mkdirSync(join(directory, "without-daemon"), { mode: 0o700 })

    execFileSync(process.execPath, [bin, "daemon", "start"], { env: daemon, stdio: ["ignore", "ignore", "inherit"] })
    const peer = short ? undefined : Peers.attempt(() => pm2(directory))
    const found = {
      pm2: Array<number>(),
      jobs: Array<number>(),
      ready: Array<number>()
    }
    try {
      for (let turn = 0; turn < 2 * runs + 1; turn++) {
        found.jobs.push(await time([bin, "jobs"], daemon, "exit"))
        found.ready.push(await time([bin, "daemon", "start", "--foreground"], home("without-daemon"), "message"))
        if (typeof peer === "object") found.pm2.push(await peer.time())
        process.stderr.write(".")
      }
    } finally {
      if (typeof peer === "object") peer.end()
      execFileSync(process.execPath, [bin, "daemon", "stop"], { env: daemon, stdio: "ignore" })
    }

    const beside: ReadonlyArray<Line> =
      peer === undefined
        ? []
        : typeof peer === "string"
          ? [{ what: listing, against: "pm2 jlist", unmeasured: peer }]
          : [
              ratio({
                what: listing,
                against: "pm2 jlist",
                ours: found.jobs,
                theirs: found.pm2,
                suffix: " ms",
                must: { atMost: 1 },
                goal: { atMost: 0.7 }
              })
            ]
    return [
      milliseconds("process start to a ready daemon", found.ready, 500, 200),
      milliseconds(listing, found.jobs, 300, 150),
      ...beside
    ]
  }
}
