import assert from "node:assert/strict"
import { test } from "node:test"
import { greet } from "../src/greet.js"

test("greets as .env says", () => assert.equal(greet("Wilbur"), "Salutations, Wilbur!"))
