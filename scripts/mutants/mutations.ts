/**
 * Small bugs that can be planted in a source text, each as one replacement. All that are drawn are in the text at once, each behind a
 * switch: the modules are loaded once, and the switch chooses which one is live.
 */
import ts from "typescript"

export interface Mutation {
  readonly kind: string
  readonly line: number
  readonly start: number
  readonly end: number
  /** The text in place of the range, if it is an expression; a statement is skipped. */
  readonly replacement: string
  readonly form: "expression" | "statement"
  /** What was changed, in one line. */
  readonly change: string
}

export interface Planted extends Mutation {
  readonly id: number
}

/** What is only read by people, or only names something, is no behaviour that a test should hold. */
const unheeded =
  /^(Effect\.(log\w*|annotate\w*|withSpan|withLogSpan|die(Message)?|fn|fnUntraced)|Schema\.brand|\w+\.annotations|new \w*(Error|Exception)|console\.\w+)$/

const comparisons = new Map([
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"]
])

const bounds = new Map([
  ["lessThan", "lessThanOrEqualTo"],
  ["lessThanOrEqualTo", "lessThan"],
  ["greaterThan", "greaterThanOrEqualTo"],
  ["greaterThanOrEqualTo", "greaterThan"]
])

/** Steps of a pipe that give the value they get, or change only when or whether an effect runs. */
const steps =
  /^\w+\.(tap\w*|ensuring|onExit|onInterrupt|onError|catch\w*|ignore\w*|retry\w*|timeout\w*|uninterruptible\w*|interruptible|zipLeft|when\w*|unless\w*|filter\w*|take\w*|drop\w*|dedupe\w*|sort\w*|reverse|delay\w*|forever|disconnect|scoped)$/

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > 90 ? `${line.slice(0, 88)} …` : line
}

/** Where the condition ends that begins there: at the next word of the statement, or at the bracket that closes around it. */
const endOfCondition = (sql: string, from: number): number => {
  const stop =
    /\$\{|[(){}]|\b(?:AND|OR|ORDER BY|GROUP BY|LIMIT|RETURNING|UNION|WHERE|END|THEN|ON CONFLICT|FOR)\b|["'`]$/g
  stop.lastIndex = from
  let depth = 0
  for (let found = stop.exec(sql); found !== null; found = stop.exec(sql)) {
    const [word] = found
    if (word === "(" || word === "{" || word === "${") depth += 1
    else if ((word === ")" || word === "}") && depth > 0) depth -= 1
    else if (depth === 0) return found.index
  }
  return sql.length
}

/** The changes of a text of SQL, from its literal, quotes included. */
const inSql = (
  literal: string
): ReadonlyArray<{ readonly kind: string; readonly text: string; readonly change: string }> => {
  if (!/\b(SELECT|UPDATE|DELETE|INSERT|WHERE|EXISTS|AND [(\w]+|ORDER BY)\b/.test(literal)) return []
  const replaced = (index: number, before: string, after: string) =>
    literal.slice(0, index) + after + literal.slice(index + before.length)
  const conditions = [...literal.matchAll(/\b(AND|WHERE) +/g)].flatMap(({ 0: word, index }) => {
    if (/BETWEEN [^ ]+ $/.test(literal.slice(0, index))) return []
    const from = index + word.length
    const condition = literal.slice(from, endOfCondition(literal, from)).trimEnd()
    return condition === "" || condition === "TRUE"
      ? []
      : // Its parameters stay.
        [
          {
            kind: "SQL condition left out",
            text: replaced(from, condition, `(${condition} OR TRUE)`),
            change: `${word}${condition} → ${word}TRUE`
          }
        ]
  })
  const orders = [...literal.matchAll(/\b(ASC|DESC)\b|\bORDER BY [\w."]+(?! DESC| ASC|[\w."(])/g)].map(
    ({ 0: word, index }) => {
      const after = word === "DESC" ? "ASC" : word === "ASC" ? "DESC" : `${word} DESC`
      return { kind: "order reversed", text: replaced(index, word, after), change: `${word} → ${after}` }
    }
  )
  const limits = [...literal.matchAll(/ (<=|>=|<|>) /g)].map(({ 0: word, index }) => {
    const after = word.includes("=") ? word.replace("=", "") : word.replace(/([<>])/, "$1=")
    return {
      kind: "bound moved",
      text: replaced(index, word, after),
      change: `${literal.slice(Math.max(0, index - 20), index)}${word}… →${after}`
    }
  })
  return [...conditions, ...orders, ...limits]
}

/** All mutations of a source text, in the order of the text. */
export const mutationsOf = (path: string, text: string): ReadonlyArray<Mutation> => {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const found: Array<Mutation> = []
  const source = (node: ts.Node): string => node.getText(file)

  const plant = (
    kind: string,
    node: ts.Node,
    replacement: string,
    {
      change = `${oneLine(source(node))} → ${oneLine(replacement)}`,
      form = "expression"
    }: Partial<Pick<Mutation, "change" | "form">> = {}
  ) => {
    const start = node.getStart(file)
    found.push({
      kind,
      line: file.getLineAndCharacterOfPosition(start).line + 1,
      start,
      end: node.end,
      replacement,
      form,
      change: oneLine(change)
    })
  }
  const leaveOut = (kind: string, statement: ts.Node) =>
    plant(kind, statement, "", { form: "statement", change: `${source(statement)} → left out` })

  const negate = (condition: ts.Expression) => plant("condition negated", condition, `!(${source(condition)})`)

  const ofBinary = (node: ts.BinaryExpression) => {
    const { kind } = node.operatorToken
    const [left, right] = [source(node.left), source(node.right)]
    const moved = comparisons.get(kind)
    const isNumber = ts.isNumericLiteral(node.left) || ts.isNumericLiteral(node.right)
    if (moved !== undefined) plant("bound moved", node, `${left} ${moved} ${right}`)
    else if (kind === ts.SyntaxKind.AmpersandAmpersandToken) plant("&& and || swapped", node, `(${left}) || (${right})`)
    else if (kind === ts.SyntaxKind.BarBarToken) plant("&& and || swapped", node, `(${left}) && (${right})`)
    else if (kind === ts.SyntaxKind.QuestionQuestionToken) plant("default left out", node, left)
    else if (kind === ts.SyntaxKind.MinusToken && isComparator(node))
      plant("order reversed", node, `${right} - ${left}`)
    else if (kind === ts.SyntaxKind.MinusToken) plant("arithmetic swapped", node, `${left} + ${right}`)
    else if (kind === ts.SyntaxKind.PlusToken && isNumber) plant("arithmetic swapped", node, `${left} - ${right}`)
    else if (kind === ts.SyntaxKind.AsteriskToken) plant("arithmetic swapped", node, `${left} / ${right}`)
    else if (kind === ts.SyntaxKind.SlashToken) plant("arithmetic swapped", node, `${left} * ${right}`)
    else if (kind === ts.SyntaxKind.EqualsEqualsEqualsToken && !isCondition(node))
      plant("condition negated", node, `${left} !== ${right}`)
    else if (kind === ts.SyntaxKind.ExclamationEqualsEqualsToken && !isCondition(node))
      plant("condition negated", node, `${left} === ${right}`)
  }

  const ofCall = (node: ts.CallExpression) => {
    const name = source(node.expression).replace(/\s+/g, "")
    const [first, second] = node.arguments
    if (/(^|\.)pipe$/.test(name))
      for (const step of node.arguments)
        if (steps.test(source(ts.isCallExpression(step) ? step.expression : step)))
          plant("step of a pipe left out", step, "(value) => value", { change: `${source(step)} → left out` })
    if (first === undefined) return
    const bound = /^(DateTime|Duration|Order|Number|BigInt)\.(\w+)$/.exec(name)
    const moved = bound?.[2] === undefined ? undefined : bounds.get(bound[2])
    if (moved !== undefined) plant("bound moved", node.expression, `${bound?.[1]}.${moved}`)
    if (second === undefined || node.arguments.length > 2) return
    if (/^Effect\.(tap|zipLeft|ensuring|onExit|onInterrupt|whenEffect|when)$/.test(name))
      plant("effect left out", node, source(first), { change: `${source(node)} → ${source(first)}` })
    if (name === "Effect.zipRight") plant("effect left out", node, source(second))
  }

  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) return
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const name = `${ts.isNewExpression(node) ? "new " : ""}${source(node.expression).replace(/\s+/g, "")}`
      // The body of a function with a name is behaviour, its name is none.
      if (/^Effect\.fn(Untraced)?$/.test(name)) return ts.forEachChild(node, visit)
      if (unheeded.test(name)) return
    }
    if (ts.isThrowStatement(node)) return

    if (ts.isIfStatement(node) || ts.isConditionalExpression(node))
      negate(ts.isIfStatement(node) ? node.expression : node.condition)
    else if (ts.isBinaryExpression(node)) ofBinary(node)
    else if (ts.isCallExpression(node)) ofCall(node)
    else if (ts.isExpressionStatement(node) && !isUnheeded(node.expression)) {
      const { expression } = node
      leaveOut(
        ts.isYieldExpression(expression) || ts.isAwaitExpression(expression) ? "effect left out" : "line left out",
        node
      )
    } else if (ts.isReturnStatement(node) && isEarly(node)) leaveOut("early return left out", node)
    else if (node.kind === ts.SyntaxKind.TrueKeyword) plant("boolean flipped", node, "false")
    else if (node.kind === ts.SyntaxKind.FalseKeyword) plant("boolean flipped", node, "true")
    else if ((ts.isBindingElement(node) || ts.isParameter(node)) && node.initializer !== undefined)
      plant("default left out", node.initializer, "undefined", { change: `${source(node)} → ${source(node.name)}` })
    else if (ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node) || ts.isStringLiteral(node)) {
      if (!ts.isPropertyName(node) && !ts.isTaggedTemplateExpression(node.parent))
        for (const { change, kind, text } of inSql(source(node))) plant(kind, node, text, { change })
    }
    ts.forEachChild(node, visit)
  }

  const isUnheeded = (expression: ts.Expression): boolean => {
    const inner =
      ts.isYieldExpression(expression) || ts.isAwaitExpression(expression) ? expression.expression : expression
    return (
      inner === undefined ||
      ts.isStringLiteral(inner) ||
      (ts.isCallExpression(inner) && unheeded.test(source(inner.expression).replace(/\s+/g, "")))
    )
  }
  visit(file)
  return found
    .filter(({ form, start }) => form === "statement" || !beginsStatement(file, start))
    .sort((a, b) => a.start - b.start || b.end - a.end)
}

const isCondition = (node: ts.Node): boolean =>
  (ts.isIfStatement(node.parent) && node.parent.expression === node) ||
  (ts.isConditionalExpression(node.parent) && node.parent.condition === node)

const isComparator = (node: ts.Node): boolean => {
  let at = node.parent
  while (ts.isBinaryExpression(at) || ts.isParenthesizedExpression(at)) at = at.parent
  return ts.isArrowFunction(at) && at.parameters.length === 2 && ts.isCallExpression(at.parent)
}

/** A return inside of an `if`, after which the function has more to do. */
const isEarly = (node: ts.ReturnStatement): boolean =>
  ts.isIfStatement(node.parent) || (ts.isBlock(node.parent) && ts.isIfStatement(node.parent.parent))

/** Where semicolons are left out, a bracket at the start of a statement would continue the one before. */
const beginsStatement = (file: ts.SourceFile, start: number): boolean => {
  let is = false
  const visit = (node: ts.Node): void => {
    if (node.pos > start || node.end < start || is) return
    if (ts.isExpressionStatement(node) && node.getStart(file) === start) is = true
    else ts.forEachChild(node, visit)
  }
  visit(file)
  return is
}

/** The text with all of these planted, each behind its switch. */
export const instrumented = (text: string, planted: ReadonlyArray<Planted>): string => {
  const sorted = [...planted].sort((a, b) => a.start - b.start || b.end - a.end)
  const render = (start: number, end: number, inside: ReadonlyArray<Planted>): string => {
    let out = ""
    let at = start
    let rest = inside
    for (let next = rest[0]; next !== undefined; next = rest[0]) {
      const { start: from, end: to } = next
      const within = rest.slice(1).filter((other) => other.start < to)
      rest = rest.slice(1 + within.length)
      const original = render(from, to, within)
      const isLive = `globalThis.isPlanted(${next.id})`
      out += text.slice(at, from)
      out +=
        next.form === "statement"
          ? `if (!${isLive}) { ${original} }`
          : `(${isLive} ? (${next.replacement}) : (${original}))`
      at = to
    }
    return out + text.slice(at, end)
  }
  return render(0, text.length, sorted)
}
