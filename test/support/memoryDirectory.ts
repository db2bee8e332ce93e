/**
 * The directory for files of tests: in memory where that is possible, since each transaction and each step of git waits for the disk
 * otherwise. The tests in `test/faults` stay on the disk.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"

const memory = "/dev/shm"

/** What the tests that run at once keep, with room to spare; a container often has 64 MiB there. */
const enough = 4 * 1024 ** 3

/** It may be mounted with `noexec`. */
const runsPrograms = (): boolean => {
  const directory = mkdtempSync(`${memory}/charlotte-`)
  try {
    writeFileSync(`${directory}/program`, "#!/bin/sh\n", { mode: 0o755 })
    return spawnSync(`${directory}/program`).status === 0
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const isUsable = (): boolean => {
  try {
    const { bavail, bsize } = statfsSync(memory)
    return Math.min(bavail * bsize, process.availableMemory()) >= enough && runsPrograms()
  } catch {
    return false
  }
}

/** That of the environment, if one is set there. */
export const memoryDirectory = (): string => (process.env["TMPDIR"] === undefined && isUsable() ? memory : tmpdir())
