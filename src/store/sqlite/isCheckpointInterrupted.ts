import { Effect } from "effect"
import { spawn } from "node:child_process"

/** The exit code if the counters differ; an exception in the script exits with 1. */
const interrupted = 3

/**
 * The header of the index of the WAL has two copies of 48 bytes, and after them the number of frames that are in the database file, five
 * marks of readers, eight bytes of locks, and the number of frames that a checkpoint has begun to copy.
 */
const script = `
const { openSync, readSync } = require("node:fs")
const header = Buffer.alloc(136)
if (readSync(openSync(process.argv[1], "r"), header, 0, header.length, 0) < header.length) process.exit(1)
const number = new Uint32Array(header.buffer, header.byteOffset, header.length / 4)
process.exit(number[32] > number[24] ? ${interrupted} : 0)
`

/**
 * Whether a checkpoint has begun to copy frames into the database file and has not ended: the process that ran it may have been killed. A
 * child process reads the index of the WAL, since closing the file in this process would release the locks that SQLite holds on it.
 */
export const isCheckpointInterrupted = (filename: string): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, ["-e", script, "--", `${filename}-shm`], { env: {}, stdio: "ignore" })
    child.on("error", () => resume(Effect.succeed(false)))
    child.on("close", (code) => resume(Effect.succeed(code === interrupted)))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
