/**
 * The chart of the README: whole job life cycles per second, of Charlotte and the others.
 */
import { isMeasured } from "./Benchmark.js"
import type { Found, Results } from "./Found.js"

const width = 760
const left = 240
const bar = 22

interface Bar {
  readonly name: string
  readonly value: number
}

const perSecond = (figure: string): number => Number(figure.replace(/[^\d.]/g, ""))

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;")

/** A short name of the other side of a comparison. */
const short = (against: string): string =>
  against.startsWith("raw better-sqlite3") ? "bare SQLite, a commit per change" : (against.split(",")[0] ?? against)

/** Charlotte, then the others, the fastest first. */
const bars = (found: ReadonlyArray<Found>, what: string): ReadonlyArray<Bar> => {
  const lines = found
    .flatMap(({ lines }) => lines)
    .filter(isMeasured)
    .filter((line) => line.what === what && line.base !== undefined)
  const others = lines.map(({ against, base = "" }) => ({ name: short(against), value: perSecond(base) }))
  return [
    ...lines.slice(0, 1).map(({ figure }) => ({ name: "Charlotte", value: perSecond(figure) })),
    ...others.sort((a, b) => b.value - a.value)
  ]
}

export const chart = ({ lifecycle }: Results): string => {
  const found = lifecycle === undefined ? [] : [lifecycle]
  const groups = [10, 100].map((callers) => ({
    title: `${callers} concurrent callers`,
    bars: bars(found, `life cycle, FULL, ${callers} callers`)
  }))
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const captions = found.flatMap(({ commit, date, machine, versions }) => [
    ...versions.split(", ").filter((name) => /^(Charlotte|Node) /.test(name)),
    machine,
    date.slice(0, 10),
    `commit ${commit}`
  ])
  let y = 58
  const body = groups.flatMap(({ bars, title }) => {
    const top = y
    y += 26 + bars.length * bar + 16
    return [
      `<text x="24" y="${top + 12}" font-weight="600">${title}</text>`,
      ...bars.map(({ name, value }, i) => {
        const at = top + 22 + i * bar
        const length = Math.max(2, (value / most) * (width - left - 110))
        const isOurs = i === 0
        return [
          `<text x="${left - 10}" y="${at + 14}" text-anchor="end"${isOurs ? ' font-weight="600"' : ""}>${escaped(name)}</text>`,
          `<rect x="${left}" y="${at + 2}" width="${length.toFixed(1)}" height="${bar - 6}" rx="2" fill="${isOurs ? "#2a7d3f" : "#b6bcc4"}"/>`,
          `<text x="${(left + length + 8).toFixed(1)}" y="${at + 14}" fill="#444">${value.toLocaleString("en-US")}</text>`
        ].join("\n")
      })
    ]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 22}" viewBox="0 0 ${width} ${y + 22}" font-family="sans-serif" font-size="12.5" role="img" aria-label="Jobs per second">
<rect width="100%" height="100%" rx="8" fill="#fff"/>
<text x="24" y="34" font-size="16" font-weight="600">Jobs per second through their whole life, every change synced to disk</text>
${body.join("\n")}
<text x="24" y="${y + 6}" fill="#666" font-size="11">${escaped(captions.join(" · "))}</text>
</svg>
`
}
