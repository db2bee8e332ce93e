/**
 * Clients in a thread beside the measured server; the thread runs the same script.
 */
import { fileURLToPath } from "node:url"
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import type { Figures } from "../harness/Subject.js"

export { isMainThread as isServer }

/** Starts the thread, and returns its figures. Calls `onReady` when the thread is ready. */
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
