/**
 * The page at `/docs`, rendered from the OpenAPI document: self-contained, without scripts.
 */
import type { OpenAPISpec, OpenAPISpecOperation } from "@effect/platform/OpenApi"
import { createHash } from "node:crypto"

const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? "")

const style = `
  :root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  code, pre { font-family: ui-monospace, monospace; font-size: 0.9em }
  pre { overflow-x: auto; padding: 0.75rem; border: 1px solid; border-radius: 0.25rem }
  section { border-top: 1px solid; margin-top: 1.5rem }
  table { border-collapse: collapse }
  th, td { text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0 }
`

/** Permits the style of the page and nothing else. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

const rows = (title: string, cells: ReadonlyArray<readonly [string, string]>): string =>
  cells.length === 0
    ? ""
    : `<h4>${title}</h4><table>${cells.map(([name, text]) => `<tr><th><code>${escape(name)}</code></th><td>${escape(text)}</td></tr>`).join("")}</table>`

const schema = (title: string, value: unknown): string =>
  value === undefined
    ? ""
    : `<details><summary>${escape(title)}</summary><pre>${escape(JSON.stringify(value, null, 2))}</pre></details>`

const operation = (method: string, path: string, about: OpenAPISpecOperation): string => {
  const parameters = about.parameters.map(
    ({ in: location, name, required }) => [name, `${location}${required ? ", required" : ""}`] as const
  )
  const responses = Object.entries(about.responses).map(([status, { description }]) => [status, description] as const)
  return `<section><h3><code>${method.toUpperCase()} ${escape(path)}</code></h3>
    <p><strong>${escape(about.summary ?? "")}</strong> ${escape(about.description ?? "")}</p>
    ${rows("Parameters", parameters)}${schema("Body", about.requestBody?.content)}
    ${rows("Responses", responses)}${schema("Responses in full", about.responses)}</section>`
}

export const docsPage = (spec: OpenAPISpec): string => {
  const operations = Object.entries(spec.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, about]) => operation(method, path, about))
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>${escape(spec.info.title)}</title><style>${style}</style></head><body>
    <h1>${escape(spec.info.title)} ${escape(spec.info.version)}</h1><p>${escape(spec.info.description ?? "")}
    The OpenAPI document: <a href="/openapi.json">/openapi.json</a>.</p>${operations.join("")}
    <section><h2>Schemas</h2>${Object.entries(spec.components.schemas)
      .map(([name, value]) => schema(name, value))
      .join("")}</section>
    </body></html>`
}
