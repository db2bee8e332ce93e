/**
 * Files in a fresh directory, and the services to read them.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

export const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** A temporary directory with these files. */
export const repository = (contents: Readonly<Record<string, string | Uint8Array>>) =>
  Effect.map(TemporaryDirectory.make, (path) => {
    for (const [name, content] of Object.entries(contents)) {
      mkdirSync(dirname(join(path, name)), { recursive: true })
      writeFileSync(join(path, name), content)
    }
    return path
  })

/** A minimal task file. */
export const task = (number: number, dependsOn: ReadonlyArray<number> = [], more = "") =>
  `---\ntask: ${number}\nbackpressure: test -f ${number}.txt\ndepends_on: [${dependsOn.join(", ")}]\n${more}---\n\n# Task ${number}\n\n` +
  `\`\`\`sh\ntouch ${number}.txt\n\`\`\`\n`

/** A minimal unit file. */
export const unit = (name: string, dependsOn: ReadonlyArray<string> = []) =>
  `---\nunit: ${name}\ndepends_on: [${dependsOn.join(", ")}]\n---\n\n# The plan of ${name}\n`
