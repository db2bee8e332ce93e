/** What a browser loads for the page. */
import { describe, expect, inject, it } from "vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { brotliCompressSync, gzipSync } from "node:zlib"

const directory = inject("page")
const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.(html|js|css)$/.test(name)
)
const files = new Map(names.map((name) => [name, readFileSync(join(directory, name))]))

const total = (compress: (content: Buffer) => Buffer): number =>
  [...files.values()].reduce((sum, content) => sum + compress(content).length, 0)

describe("the files of the page", () => {
  it("have at most 150 KB, compressed", () => {
    const sizes = { gzip: total((content) => gzipSync(content, { level: 9 })), brotli: total(brotliCompressSync) }
    process.stdout.write(`page: ${JSON.stringify(sizes)} bytes in ${files.size} files\n`)
    expect(sizes.gzip).toBeLessThanOrEqual(150_000)
  })

  it("load nothing from elsewhere, and nothing that the security policy would stop", () => {
    const html = files.get("index.html")?.toString() ?? ""
    const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address)
    expect(loaded.filter((address) => !address.startsWith("data:image/svg+xml,"))).toEqual([
      expect.stringMatching(/^\/assets\/styles-\w+\.css$/),
      expect.stringMatching(/^\/assets\/page-\w+\.js$/)
    ])
    expect(html).not.toMatch(/style=|<style|<script(?! type="module" src=")|onload/)
    for (const [name, content] of files) {
      expect(content.toString(), name).not.toMatch(/sourceMappingURL|@import|url\((?!data:)/)
      expect(content.toString(), name).not.toMatch(/(?:import|from)\s*\(?["']https?:/)
    }
  })
})
