import { badRequest, isObject } from '../body.ts'

/**
 * JSON Schema -> GBNF (llama.cpp's grammar language). The output is compact JSON with at most one space after ":" and ",",
 * so that a weak model cannot fill its budget with white space.
 *
 * Enforced: type, enum, const, properties, required, additionalProperties, items, prefixItems, minItems, maxItems,
 * minLength, maxLength, anyOf, oneOf, $ref to $defs or definitions (also recursive). Not enforceable here: the keywords in
 * `UNENFORCED`; a strict schema that has them is refused, any other is served without them.
 */
type Schema = Readonly<Record<string, unknown>>

const UNENFORCED = [
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'propertyNames',
  'contains',
  'not',
  'if',
  'allOf',
  'dependentRequired',
  'dependentSchemas',
]
const MAX_DEPTH = 64
const MAX_RULES = 1_000
/** llama.cpp expands {m,n} into rules, and every token is checked against all of them: 1,000 took 12 ms a token. */
const MAX_REPETITIONS = 256
/** Any of the optional members may come next: 500 of them blocked the thread for seconds. */
const MAX_OPTIONAL_MEMBERS = 50
/** Alternatives of one place live side by side, and every candidate token is checked against each: 500 took 200 ms a token. */
const MAX_CHOICES = 100
/** The two bounds that OpenAI has as well: values of all enums, and characters of all names and values. */
const MAX_ENUM_VALUES = 1_000
const MAX_LITERAL_CHARACTERS = 120_000

/** Shared terminals; `space` is what keeps models trained on pretty JSON inside their habits. */
const TERMINALS = [
  'space ::= " "?',
  'char ::= [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" ["\\\\/bfnrt] | "\\\\u" [0-9a-fA-F]{4}',
  'string ::= "\\"" char* "\\""',
  'integer ::= "-"? ("0" | [1-9] [0-9]{0,15})',
  'number ::= integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?',
  'boolean ::= "true" | "false"',
  'null ::= "null"',
  'value ::= object | array | string | number | boolean | null',
  'member ::= string ":" space value',
  'object ::= "{" (member ("," space member)*)? "}"',
  'array ::= "[" (value ("," space value)*)? "]"',
]

type Builder = {
  readonly root: Schema
  readonly rules: Map<string, string>
  readonly refs: Map<string, string>
  /** Alternatives that stand side by side where the rule stands; one where it is not named. */
  readonly widths: Map<string, number>
  readonly sums: { enumValues: number; literalCharacters: number }
  readonly strict: boolean
  readonly param: string
}

function literal(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`
}

/** The JSON text of a name or a value. */
function jsonLiteral(builder: Builder, value: unknown): string {
  const text = JSON.stringify(value)
  builder.sums.literalCharacters += text.length
  if (builder.sums.literalCharacters > MAX_LITERAL_CHARACTERS) {
    badRequest(builder.param, `The JSON schema has names and values of more than ${MAX_LITERAL_CHARACTERS} characters.`)
  }
  return text
}

/** One of `texts` (sorted, no two alike, all alike up to `start`) as a tree of what they share: only what is next stands side by side. */
function oneOfTexts(texts: readonly (readonly string[])[], start: number): string {
  const [first = [], last = first] = [texts[0], texts.at(-1)]
  let end = start
  while (end < first.length && first[end] === last[end]) end += 1
  const shared = literal(first.slice(start, end).join(''))
  if (texts.length === 1) return shared
  const byNext = Object.values(Object.groupBy(texts, text => text[end] ?? ''))
  return `${shared} (${byNext.map((group = []) => (group.length === 1 ? literal(group[0]?.slice(end).join('') ?? '') : oneOfTexts(group, end))).join(' | ')})`
}

function enumRule(builder: Builder, values: readonly unknown[]): string {
  builder.sums.enumValues += values.length
  if (builder.sums.enumValues > MAX_ENUM_VALUES) {
    badRequest(builder.param, `The JSON schema has more than ${MAX_ENUM_VALUES} values in its enums.`)
  }
  const texts = [...new Set(values.map(value => jsonLiteral(builder, value)))].sort()
  return addRule(
    builder,
    oneOfTexts(
      texts.map(text => [...text]),
      0,
    ),
  )
}

function choiceRule(builder: Builder, choices: readonly string[]): string {
  const width = choices.reduce((sum, rule) => sum + (builder.widths.get(rule) ?? 1), 0)
  if (width > MAX_CHOICES) badRequest(builder.param, `The JSON schema has more than ${MAX_CHOICES} alternatives in one place.`)
  const name = addRule(builder, choices.join(' | '))
  builder.widths.set(name, width)
  return name
}

function addRule(builder: Builder, body: string): string {
  if (builder.rules.size >= MAX_RULES) badRequest(builder.param, 'The JSON schema is too large.')
  const name = `r${builder.rules.size}`
  builder.rules.set(name, body)
  return name
}

function repetition(builder: Builder, schema: Schema, keys: { min: string; max: string }): { min: number; max: number | null } {
  const bound = (key: string): number | null => {
    const value = schema[key]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return null
    if (value <= MAX_REPETITIONS) return value
    return builder.strict
      ? badRequest(builder.param, `The JSON schema is strict but has "${key}" above ${MAX_REPETITIONS}, which this engine cannot enforce.`)
      : null
  }
  return { min: bound(keys.min) ?? 0, max: bound(keys.max) }
}

function stringRule(builder: Builder, schema: Schema): string {
  const { min, max } = repetition(builder, schema, { min: 'minLength', max: 'maxLength' })
  return min === 0 && max === null ? 'string' : addRule(builder, `"\\"" char{${min},${max ?? ''}} "\\""`)
}

/** Required members in their order, each optional one present or not; unknown members only where the schema allows them and names none. */
function objectRule(builder: Builder, schema: Schema, depth: number): string {
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : []
  const additional = schema.additionalProperties
  if (properties.length === 0) {
    if (additional === false) return addRule(builder, '"{" "}"')
    if (!isObject(additional)) return 'object'
    const member = addRule(builder, `string ":" space ${ruleFor(builder, additional, depth + 1)}`)
    return addRule(builder, `"{" (${member} ("," space ${member})*)? "}"`)
  }
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const members = properties.map(([name, value]) => ({
    required: required.has(name),
    rule: addRule(builder, `${literal(jsonLiteral(builder, name))} ":" space ${ruleFor(builder, value, depth + 1)}`),
  }))
  if (members.length - members.filter(member => member.required).length > MAX_OPTIONAL_MEMBERS) {
    return badRequest(
      builder.param,
      `The JSON schema has an object with more than ${MAX_OPTIONAL_MEMBERS} optional members. Make some of them required.`,
    )
  }
  return addRule(builder, `"{" ${membersFrom(builder, members)} "}"`)
}

/** The rest of an object from each member on, once as its beginning and once after a member that was written. */
function membersFrom(builder: Builder, members: readonly { required: boolean; rule: string }[]): string {
  let first = '""'
  let later = '""'
  for (const { required, rule } of members.toReversed()) {
    const here = later
    const skipFirst = first
    first = addRule(builder, required ? `${rule} ${here}` : `${rule} ${here} | ${skipFirst}`)
    later = addRule(builder, required ? `"," space ${rule} ${here}` : `"," space ${rule} ${here} | ${here}`)
  }
  return first
}

function arrayRule(builder: Builder, schema: Schema, depth: number): string {
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems.map(item => ruleFor(builder, item, depth + 1)) : []
  if (prefix.length > 0) return addRule(builder, `"[" ${prefix.join(' "," space ')} "]"`)
  const item = isObject(schema.items) ? ruleFor(builder, schema.items, depth + 1) : 'value'
  const { min, max } = repetition(builder, schema, { min: 'minItems', max: 'maxItems' })
  if (max === 0) return addRule(builder, '"[" "]"')
  const rest = `("," space ${item}){${Math.max(0, min - 1)},${max === null ? '' : max - 1}}`
  return addRule(builder, min > 0 ? `"[" ${item} ${rest} "]"` : `"[" (${item} ${rest})? "]"`)
}

function refRule(builder: Builder, ref: string, depth: number): string {
  const known = builder.refs.get(ref)
  if (known !== undefined) return known
  let target: unknown = builder.root
  for (const part of ref.replace(/^#\/?/, '').split('/').filter(Boolean))
    target = isObject(target) ? target[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  if (!ref.startsWith('#') || target === undefined)
    return badRequest(builder.param, `The JSON schema refers to ${JSON.stringify(ref)}, which it does not contain.`)
  const name = addRule(builder, '')
  builder.refs.set(ref, name)
  const rule = ruleFor(builder, target, depth + 1)
  builder.rules.set(name, rule)
  builder.widths.set(name, builder.widths.get(rule) ?? 1)
  return name
}

const SIMPLE_TYPES: ReadonlySet<string> = new Set(['number', 'integer', 'boolean', 'null'])

function typeRule(builder: Builder, schema: Schema, options: { type: unknown; depth: number }): string {
  const { type, depth } = options
  if (type === 'object') return objectRule(builder, schema, depth)
  if (type === 'array') return arrayRule(builder, schema, depth)
  if (type === 'string') return stringRule(builder, schema)
  if (typeof type === 'string' && SIMPLE_TYPES.has(type)) return type
  return badRequest(builder.param, `The JSON schema has the unknown type ${JSON.stringify(type)}.`)
}

function ruleFor(builder: Builder, schema: unknown, depth: number): string {
  if (depth > MAX_DEPTH) badRequest(builder.param, `The JSON schema is nested deeper than ${MAX_DEPTH} levels.`)
  if (schema === true) return 'value'
  if (!isObject(schema)) return badRequest(builder.param, 'The JSON schema has a part that is not an object.')
  const unenforced = builder.strict ? UNENFORCED.find(keyword => keyword in schema) : undefined
  if (unenforced) badRequest(builder.param, `The JSON schema is strict but uses "${unenforced}", which this engine cannot enforce.`)
  if (typeof schema.$ref === 'string') return refRule(builder, schema.$ref, depth)
  if (schema.const !== undefined) return addRule(builder, literal(jsonLiteral(builder, schema.const)))
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return enumRule(builder, schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (Array.isArray(choices) && choices.length > 0) {
    return choiceRule(
      builder,
      choices.map(choice => ruleFor(builder, choice, depth + 1)),
    )
  }
  if (Array.isArray(schema.type)) {
    return choiceRule(
      builder,
      schema.type.map(type => typeRule(builder, schema, { type, depth })),
    )
  }
  if (schema.type !== undefined) return typeRule(builder, schema, { type: schema.type, depth })
  if (isObject(schema.properties)) return objectRule(builder, schema, depth)
  return isObject(schema.items) ? arrayRule(builder, schema, depth) : 'value'
}

function createBuilder(root: Schema, options: { strict: boolean; param: string }): Builder {
  return { root, rules: new Map(), refs: new Map(), widths: new Map(), sums: { enumValues: 0, literalCharacters: 0 }, ...options }
}

function write(root: string, builders: readonly Builder[]): string {
  const rules = builders.flatMap(builder => [...builder.rules].map(([name, body]) => `${name} ::= ${body}`))
  return [`root ::= ${root}`, ...rules, ...TERMINALS].join('\n')
}

/** Grammar of any JSON object. */
export function jsonObjectGrammar(): string {
  return write('object', [])
}

/** Grammar of a JSON schema. @throws HeuristError ENGINE_BAD_REQUEST naming what cannot be served */
export function jsonSchemaGrammar(schema: unknown, options: { strict: boolean; param: string }): string {
  if (!isObject(schema)) return badRequest(options.param, 'The JSON schema must be an object.')
  const builder = createBuilder(schema, options)
  return write(ruleFor(builder, schema, 0), [builder])
}

export type CallableFunction = { readonly name: string; readonly parameters: unknown; readonly strict: boolean; readonly param: string }

/** Text before and after the arguments of a forced call; {@link parseForcedCall} reads it back. */
export const CALL_PREFIX = '{"name": '
export const CALL_MIDDLE = ', "arguments": '
export const CALL_SUFFIX = '}'

/** Grammar of exactly one call of one of the functions. */
export function forcedCallGrammar(functions: readonly CallableFunction[]): string {
  const rules: string[] = []
  const calls = functions.map(({ name, parameters, strict, param }, i) => {
    const schema = isObject(parameters) ? parameters : { type: 'object' }
    const builder = createBuilder(schema, { strict, param })
    const root = ruleFor(builder, schema, 0)
    // Rule names are per schema; a prefix keeps the functions' rules apart.
    const own = (text: string): string => text.replaceAll(RULE_NAMES, match => (match.startsWith('r') ? `f${i}-${match}` : match))
    for (const [rule, body] of builder.rules) rules.push(`f${i}-${rule} ::= ${own(body)}`)
    return `${literal(CALL_PREFIX + JSON.stringify(name) + CALL_MIDDLE)} ${own(root)} ${literal(CALL_SUFFIX)}`
  })
  return [`root ::= ${calls.join(' | ')}`, ...rules, ...TERMINALS].join('\n')
}

/** Generated rule names, or a quoted literal (skipped, so that text inside is never renamed). */
const RULE_NAMES = /"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\br\d+\b/g
