/**
 * Tokenizes source text with the grammars of highlight.js. Loaded when a diff is shown: no other view needs it. `lowlight` returns
 * a tree instead of HTML, so that text stays text.
 */
import type { Element, Root, Text } from "hast"
import bash from "highlight.js/lib/languages/bash"
import c from "highlight.js/lib/languages/c"
import cpp from "highlight.js/lib/languages/cpp"
import csharp from "highlight.js/lib/languages/csharp"
import css from "highlight.js/lib/languages/css"
import go from "highlight.js/lib/languages/go"
import ini from "highlight.js/lib/languages/ini"
import java from "highlight.js/lib/languages/java"
import javascript from "highlight.js/lib/languages/javascript"
import json from "highlight.js/lib/languages/json"
import kotlin from "highlight.js/lib/languages/kotlin"
import makefile from "highlight.js/lib/languages/makefile"
import markdown from "highlight.js/lib/languages/markdown"
import php from "highlight.js/lib/languages/php"
import python from "highlight.js/lib/languages/python"
import ruby from "highlight.js/lib/languages/ruby"
import rust from "highlight.js/lib/languages/rust"
import sql from "highlight.js/lib/languages/sql"
import swift from "highlight.js/lib/languages/swift"
import typescript from "highlight.js/lib/languages/typescript"
import xml from "highlight.js/lib/languages/xml"
import yaml from "highlight.js/lib/languages/yaml"
import { createLowlight } from "lowlight"
import type { Language, Token } from "./languageOf.js"

const grammars = {
  bash,
  c,
  cpp,
  csharp,
  css,
  go,
  ini,
  java,
  javascript,
  json,
  kotlin,
  makefile,
  markdown,
  php,
  python,
  ruby,
  rust,
  sql,
  swift,
  typescript,
  xml,
  yaml
} satisfies { readonly [L in Language]: unknown }

const lowlight = createLowlight(grammars)

/** The tokens of each line; a comment or a string may span several. */
export const highlight = (text: string, language: Language): ReadonlyArray<ReadonlyArray<Token>> => {
  const lines: Array<Array<Token>> = [[]]
  const visit = (node: Root | Element | Text, classes: string): void => {
    if (node.type === "text") {
      node.value.split("\n").forEach((part, at) => {
        if (at > 0) lines.push([])
        if (part !== "") lines.at(-1)?.push({ text: part, classes })
      })
      return
    }
    const own = node.type === "element" ? node.properties["className"] : undefined
    const all = Array.isArray(own) ? `${classes} ${own.join(" ")}`.trim() : classes
    for (const child of node.children) if (child.type === "element" || child.type === "text") visit(child, all)
  }
  visit(lowlight.highlight(language, text, { prefix: "hl-" }), "")
  return lines
}
