/**
 * Clients run in a thread beside the server that is measured: it is the same script once more.
 */
import { fileURLToPath } from "node:url"
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import type { Figures } from "../harness/Subject.js"

export { isMainThread as isServer }

/** Starts the thread; gives what it finds. When it says that it is ready, the rest of what is measured begins. */
export const clients = (script: string, onReady: () => void = () => undefined): Promise<Figures> =>
  new Promise((resolve, reject) => {
    const thread = new Worker(fileURLToPath(script), { argv: process.argv.slice(2) })
    thread.on("message", (message: Figures | "ready") => (message === "ready" ? onReady() : resolve(message)))
    thread.on("error", reject)
  })

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
export const ready = (): void => parentPort?.postMessage("ready")
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
export const found = (figures: Figures): void => parentPort?.postMessage(figures)
