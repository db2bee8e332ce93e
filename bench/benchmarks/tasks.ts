/**
 * What a task costs beyond its agent and its gate, which are `true`.
 */
import { join } from "node:path"
import { type Benchmark, type Measured, readable } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import { root } from "../harness/Subjects.js"

const units = 4
const script = join(root, "bench", "subjects", "tasks.sh")

export const tasks: Benchmark = {
  name: "tasks",
  title: "Overhead per task",
  short: true,
  run: async (settings) => {
    const parameters = { units, tasks: 50, synchronous: "FULL", script }
    const figure = await compare(settings, {
      alone: { script: "subjects/tasks.ts", parameters: { ...parameters, concurrency: 1 } },
      four: { script: "subjects/tasks.ts", parameters: { ...parameters, concurrency: units } },
      shell: { script: "subjects/script.ts", parameters }
    })
    const each = (name: "alone" | "four" | "shell") => 1_000 / figure(name, "perSecond")
    const line = (name: "alone" | "four", concurrency: number, must: number, goal: number): Measured => ({
      what: `time per task of 200, concurrency ${concurrency}`,
      against: "a shell script with the same calls of git and sh",
      figure: `${readable(each(name))} ms`,
      base: `${readable(each("shell"))} ms`,
      value: each(name) / each("shell"),
      unit: "×",
      must: { atMost: must },
      goal: { atMost: goal }
    })
    return [line("alone", 1, 2, 1.3), line("four", units, 1, 0.5)]
  }
}
