import { describe, expect, it } from "@effect/vitest"
import * as Markdown from "../../../src/tasks/plan/Markdown.js"

const title = (text: string) => Markdown.parse(text).title
const scripts = (text: string) => Markdown.parse(text).scripts

describe("Markdown title", () => {
  it("is the first heading of level 1", () => {
    expect(title("## Two\n\n# One #\n\n# Other\n")).toBe("One")
    expect(title("   #\tC# is fine ##  \n")).toBe("C# is fine")
    expect(title("One\n===\n")).toBe("One")
    expect(title("a\r\n\r\n# One\r\n")).toBe("One")
  })

  it("may have a line separator, which ends no line in Markdown", () => {
    expect(title("# One\u2028two\u2029three\n")).toBe("One two three")
    expect(title("One\u2028two\n===\n")).toBe("One two")
    expect(scripts("```sh \u2028\na\n```\n")).toEqual(["a\n"])
  })

  it("ignores text that only looks like a heading", () => {
    expect(title("#One\n    # Two\n#\n\\# Three\n- a\n===\n\n===\n")).toBeUndefined()
    expect(title("```\n# One\n```\n<!--\n# Two\n-->\n")).toBeUndefined()
  })

  it("is truncated if too long", () => {
    expect(title(`# a ${"#".repeat(1_000_000)}x`)).toBe("a")
    expect(title(`# ${"a ".repeat(500_000)}x`)).toHaveLength(199)
  })
})

describe("Markdown scripts", () => {
  it("are the blocks whose info string starts with sh", () => {
    const text =
      "```sh\na\n```\n\n~~~ sh title\nb\n~~~\n```bash\nc\n```\n```shell\nd\n```\n```\ne\n```\n```{sh}\nf\n```\n"
    expect(scripts(text)).toEqual(["a\n", "b\n"])
  })

  it("may contain shorter fences, and fences of the other kind", () => {
    expect(scripts("````sh\ncat <<EOF\n```sh\nx\n```\n~~~~\nEOF\n`````\nafter\n")).toEqual([
      "cat <<EOF\n```sh\nx\n```\n~~~~\nEOF\n"
    ])
  })

  it("lose the indentation of their fence only", () => {
    expect(scripts("  ```sh\n  a\n    b\n c\n  ```\n")).toEqual(["a\n  b\nc\n"])
    expect(scripts("    ```sh\n    a\n    ```\n")).toEqual([])
  })

  it("extend to the end of the text if unclosed", () => {
    expect(scripts("```sh\na\n\n``` not a fence\nb")).toEqual(["a\n\n``` not a fence\nb\n"])
    expect(scripts("```sh\na\n")).toEqual(["a\n"])
  })

  it("have normalized line endings", () => {
    expect(scripts("```sh\r\na\r\nb\r\n```\r\n")).toEqual(["a\nb\n"])
  })

  it("exclude commented-out, inline and blank code", () => {
    expect(
      scripts("<!--\n```sh\na\n```\n-->\n```sh x` y\n\n```sh\n\n  \n```\n<!-- one line -->\n```sh\nb\n```\n")
    ).toEqual(["b\n"])
  })
})
