/**
 * How long it takes to search very many recorded jobs.
 */
import { type Benchmark, milliseconds } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import { run } from "../harness/Subjects.js"

const jobs = 1_000_000

const line = (what: string, values: ReadonlyArray<number>) =>
  milliseconds(`a page of 50 with ${what}, at 1,000,000 recorded jobs, p95`, values, 50, 20)

export const search: Benchmark = {
  name: "search",
  title: "Search",
  run: async (settings) => {
    const parameters = { synchronous: "FULL", file: `${settings.directory}/searched.db`, jobs }
    await run({ script: "subjects/fill.ts", parameters: { ...parameters, events: 2 } })
    process.stderr.write(" filled ")
    const figures = await compare(settings, {
      search: { script: "subjects/search.ts", parameters: { ...parameters, times: 200 } }
    })
    const p95 = (figure: string) => figures("search", figure)
    return [
      line("a word that all have", p95("all")),
      line("a word that 100 have", p95("few")),
      line("a word that none has", p95("none")),
      line("two words that all have and one that 100 have", p95("both")),
      line("six words, one of which none has", p95("disjoint")),
      line("six letters with which words of all begin", p95("letters")),
      line("a word that all have, and a status that 50,000 have", p95("status")),
      line("a word that all have, and a status that none has", p95("running"))
    ]
  }
}
