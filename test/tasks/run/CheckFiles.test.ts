import { describe, expect, it } from "@effect/vitest"
import * as CheckFiles from "../../../src/tasks/run/CheckFiles.js"

describe("the files by which a gate judges", () => {
  it("are tests and snapshots in their usual places", () => {
    for (const path of [
      "test/a.js",
      "packages/x/tests/data/a.json",
      "src/__tests__/a.ts",
      "src/__snapshots__/a.snap",
      "spec/a_spec.rb",
      "src/a.test.tsx",
      "src/a.spec.ts",
      "pkg/a_test.go",
      "test_a.py",
      "src/LoginTest.java",
      "a.bats"
    ])
      expect([path, CheckFiles.isTest(path)]).toEqual([path, true])
    for (const path of [
      "src/a.js",
      "src/testing/a.ts",
      "src/latest.ts",
      "docs/test.md",
      "contest/a.go",
      "src/Tester.java"
    ])
      expect([path, CheckFiles.isTest(path)]).toEqual([path, false])
  })

  it("are the configuration of what runs tests", () => {
    for (const path of [
      "conftest.py",
      "tests/conftest.py",
      "vitest.config.ts",
      "vitest.e2e.config.mts",
      "jest.config.js",
      "jest.setup.ts",
      ".mocharc.json",
      "Makefile",
      "lib/Makefile",
      "tox.ini",
      "phpunit.xml.dist"
    ])
      expect([path, CheckFiles.isRunner(path)]).toEqual([path, true])
    for (const path of ["src/config.ts", "vitest.md", "Makefile.md", "src/jest.ts", "index.html"])
      expect([path, CheckFiles.isRunner(path)]).toEqual([path, false])
  })

  it("are those that its command names, but not those that it only looks at", () => {
    const named = (gate: string) => [...CheckFiles.namedBy(gate)]
    expect(named("sh tools/check.sh src")).toEqual(["sh", "tools/check.sh", "src"])
    expect(named("./tools/check.sh")).toEqual(["tools/check.sh"])
    expect(named("grep -q x src/a.js && test -f src/b.js")).toEqual([])
    expect(named("cd web && node 'my check.js' < data.txt | cat log.txt")).toEqual([
      "web/node",
      "web/my check.js",
      "web/data.txt"
    ])
    expect(named("CI=1 npx vitest --config=vitest.e2e.ts")).toContain("vitest.e2e.ts")
    expect(named("if ! sh a.sh; then exit 1; fi")).toContain("a.sh")
    expect(named('diff expected.txt "$(sh run.sh)"')).toEqual(expect.arrayContaining(["expected.txt"]))
  })
})
