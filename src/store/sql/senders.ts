/**
 * The column `sender` of runs and requests: who has asked, and how the request came in, as JSON.
 */
import { Schema } from "effect"
import { Sender } from "../../domain/Sender.js"
import { stringify } from "../../internal/Json.js"
import { nullable } from "./statements.js"

export const Column = nullable(Schema.parseJson(Sender))

export const text = (sender: Sender | undefined): string | null => (sender === undefined ? null : stringify(sender))
