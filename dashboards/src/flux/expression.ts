/**
 * Flux expressions as values, printed in one place. Nothing is put together from strings: a text becomes a literal by `text`,
 * a column is named by `column`, and what Grafana fills in is marked as such, so that tests can see what a query touches.
 */
export type Expression =
  | { readonly is: 'text'; readonly value: string }
  | { readonly is: 'whole'; readonly value: number }
  | { readonly is: 'float'; readonly value: number }
  | { readonly is: 'duration'; readonly value: string }
  | { readonly is: 'name'; readonly name: string }
  | { readonly is: 'chosen'; readonly variable: string }
  | { readonly is: 'column'; readonly row: string; readonly name: string }
  | { readonly is: 'list'; readonly items: readonly Expression[] }
  | { readonly is: 'record'; readonly base: string | null; readonly fields: Fields }
  | { readonly is: 'operation'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'exists' | 'not'; readonly of: Expression }
  | { readonly is: 'choice'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly is: 'call'; readonly name: string; readonly args: Fields }
  | { readonly is: 'function'; readonly parameters: readonly string[]; readonly body: Expression }

export type Fields = Readonly<Record<string, Expression>>
type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | 'and' | 'or'

const DURATION = /^-?\d+(ms|s|m|h|d|w|mo|y)$/
const NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/

/** A text. `$` is refused: Grafana would look for a variable behind it. */
export function text(value: string): Expression {
  if (value.includes('$')) throw new RangeError(`Grafana reads a variable into ${JSON.stringify(value)}`)
  return { is: 'text', value }
}
export const whole = (value: number): Expression => ({ is: 'whole', value })
export const float = (value: number): Expression => ({ is: 'float', value })
export function duration(value: string): Expression {
  if (!DURATION.test(value)) throw new RangeError(`${value} is no Flux duration`)
  return { is: 'duration', value }
}
/** A name that stands for itself: a binding of the script, a function, one of Grafana's macros. */
export function name(value: string): Expression {
  if (!NAME.test(value)) throw new RangeError(`${value} is no Flux name`)
  return { is: 'name', name: value }
}
/** What the board's variable holds, as quoted texts (Grafana's format `doublequote`): one text, or several with commas. */
export const chosen = (variable: string): Expression => ({ is: 'chosen', variable })
export const column = (columnName: string, row = 'r'): Expression => ({ is: 'column', row, name: columnName })
export const list = (...items: readonly Expression[]): Expression => ({ is: 'list', items })
/** A new row: every column of `base`, where there is one, and these. */
export const record = (fields: Fields, base: string | null = 'r'): Expression => ({ is: 'record', base, fields })
export const call = (functionName: string, args: Fields = {}): Expression => ({ is: 'call', name: functionName, args })
export const fn = (parameters: readonly string[], body: Expression): Expression => ({ is: 'function', parameters, body })
export const exists = (of: Expression): Expression => ({ is: 'exists', of })
export const not = (of: Expression): Expression => ({ is: 'not', of })
export const choose = (test: Expression, yes: Expression, no: Expression): Expression => ({ is: 'choice', test, yes, no })

const operation =
  (operator: Operator) =>
  (left: Expression, right: Expression): Expression => ({ is: 'operation', operator, left, right })
export const equal = operation('==')
export const differs = operation('!=')
export const atMost = operation('<=')
export const above = operation('>')
export const below = operation('<')
export const plus = operation('+')
export const minus = operation('-')
export const times = operation('*')
export const over = operation('/')

/** All of them; each is looked at only where those before it hold. */
export const all = (first: Expression, ...rest: readonly Expression[]): Expression => rest.reduce(operation('and'), first)
export const any = (first: Expression, ...rest: readonly Expression[]): Expression => rest.reduce(operation('or'), first)

/** The first case whose test holds; `otherwise` where none does. */
export const firstOf = (cases: readonly (readonly [test: Expression, value: Expression])[], otherwise: Expression): Expression =>
  cases.reduceRight((no, [test, yes]) => choose(test, yes, no), otherwise)

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const quote = (value: string): string => `"${value.replace(/[\\"\n\r\t]/g, character => ESCAPES[character] ?? character)}"`

const isIdentifier = (columnName: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(columnName)
const label = (columnName: string): string => (isIdentifier(columnName) ? columnName : quote(columnName))

const commas = (fields: Fields): string =>
  Object.entries(fields)
    .map(([key, value]) => `${label(key)}: ${print(value)}`)
    .join(', ')

/** The expression as Flux. */
export function print(expression: Expression): string {
  switch (expression.is) {
    case 'text':
      return quote(expression.value)
    case 'whole':
      return String(Math.trunc(expression.value))
    case 'float':
      return Number.isInteger(expression.value) ? expression.value.toFixed(1) : String(expression.value)
    case 'duration':
      return expression.value
    case 'name':
      return expression.name
    case 'chosen':
      return `\${${expression.variable}:doublequote}`
    case 'column':
      return isIdentifier(expression.name) ? `${expression.row}.${expression.name}` : `${expression.row}[${quote(expression.name)}]`
    case 'list':
      return `[${expression.items.map(print).join(', ')}]`
    default:
      return printCompound(expression)
  }
}

type Compound = Exclude<Expression, { is: 'text' | 'whole' | 'float' | 'duration' | 'name' | 'chosen' | 'column' | 'list' }>

function printCompound(expression: Compound): string {
  switch (expression.is) {
    case 'record':
      return `{${expression.base === null ? '' : `${expression.base} with `}${commas(expression.fields)}}`
    case 'operation':
      return `${leftOf(expression)} ${expression.operator} ${inner(expression.right)}`
    case 'exists':
    case 'not':
      return `${expression.is} ${inner(expression.of)}`
    case 'choice':
      return `if ${print(expression.test)} then ${print(expression.yes)} else ${print(expression.no)}`
    case 'call':
      return `${expression.name}(${commas(expression.args)})`
    case 'function':
      return `(${expression.parameters.join(', ')}) => ${expression.body.is === 'record' ? `(${print(expression.body)})` : print(expression.body)}`
  }
}

/** An operand: in brackets where it is an operation or a choice of its own. */
const inner = (operand: Expression): string =>
  operand.is === 'operation' || operand.is === 'choice' || operand.is === 'exists' ? `(${print(operand)})` : print(operand)

/** The left side of a chain of one operator needs no brackets: Flux reads it from the left. */
function leftOf({ operator, left }: Extract<Expression, { is: 'operation' }>): string {
  return left.is === 'operation' && left.operator === operator ? print(left) : inner(left)
}

/** The expression and everything inside it. */
export function* walk(expression: Expression): Generator<Expression> {
  yield expression
  for (const child of childrenOf(expression)) yield* walk(child)
}

function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.is) {
    case 'list':
      return expression.items
    case 'record':
      return Object.values(expression.fields)
    case 'operation':
      return [expression.left, expression.right]
    case 'exists':
    case 'not':
      return [expression.of]
    case 'choice':
      return [expression.test, expression.yes, expression.no]
    case 'call':
      return Object.values(expression.args)
    case 'function':
      return [expression.body]
    default:
      return []
  }
}
