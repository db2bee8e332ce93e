/**
 * The language of a file, by its name, if there is a grammar for it.
 */

export type Language =
  | "bash"
  | "c"
  | "cpp"
  | "csharp"
  | "css"
  | "go"
  | "ini"
  | "java"
  | "javascript"
  | "json"
  | "kotlin"
  | "makefile"
  | "markdown"
  | "php"
  | "python"
  | "ruby"
  | "rust"
  | "sql"
  | "swift"
  | "typescript"
  | "xml"
  | "yaml"

/** A piece of a line; `classes` are separated by spaces. */
export interface Token {
  readonly text: string
  readonly classes: string
}

const byName: { readonly [name: string]: Language } = {
  Dockerfile: "bash",
  Makefile: "makefile",
  GNUmakefile: "makefile"
}

const byEnding: { readonly [ending: string]: Language } = {
  bash: "bash",
  c: "c",
  cc: "cpp",
  cjs: "javascript",
  cpp: "cpp",
  cs: "csharp",
  css: "css",
  cts: "typescript",
  cxx: "cpp",
  go: "go",
  h: "cpp",
  hpp: "cpp",
  htm: "xml",
  html: "xml",
  ini: "ini",
  java: "java",
  js: "javascript",
  json: "json",
  jsonc: "json",
  jsx: "javascript",
  kt: "kotlin",
  kts: "kotlin",
  less: "css",
  md: "markdown",
  mjs: "javascript",
  mk: "makefile",
  mts: "typescript",
  php: "php",
  py: "python",
  pyi: "python",
  rb: "ruby",
  rs: "rust",
  scss: "css",
  sh: "bash",
  sql: "sql",
  svelte: "xml",
  svg: "xml",
  swift: "swift",
  toml: "ini",
  ts: "typescript",
  tsx: "typescript",
  vue: "xml",
  xml: "xml",
  yaml: "yaml",
  yml: "yaml",
  zsh: "bash"
}

export const languageOf = (path: string): Language | undefined => {
  const name = path.slice(path.lastIndexOf("/") + 1)
  if (Object.hasOwn(byName, name)) return byName[name]
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase()
  return Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined
}
