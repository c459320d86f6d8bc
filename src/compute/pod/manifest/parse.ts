import { type Document, type LineCounter, parseDocument, type YAMLParseError } from 'yaml'
import type { z } from 'zod'
import { HeuristError, type PodManifest, podManifestSchema } from '#protocol'
import { createLocator, type Position } from './positions.ts'

/** `MANIFEST_INVALID`: the text is no manifest; the payload lists every fault. */
export type ManifestErrorCode = 'MANIFEST_INVALID'
export type ManifestFault = {
  /** Where, as a path: `spec.resources.gpuCount`; empty for the whole text. */
  readonly path: string
  readonly message: string
  /** Where in the text; absent when the fault has no place. */
  readonly position?: Position
}

/** A manifest is a page of text; more is a mistake or an attack. */
const MAX_TEXT_BYTES = 64 * 1024
const MAX_DEPTH = 16
/** Brackets open at once, those inside texts included: the YAML reader takes a second of the processor for ten thousand. */
const MAX_OPEN_BRACKETS = 100

/**
 * A pod manifest from YAML or JSON (which is YAML). Prices may be written as plain integers.
 * @throws HeuristError MANIFEST_INVALID with the path, the value and what is allowed, for every fault
 */
export function parseManifest(text: string): PodManifest {
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) throw invalid([{ path: '', message: `is larger than ${MAX_TEXT_BYTES} bytes` }])
  if (openBrackets(text) > MAX_OPEN_BRACKETS) throw tooDeep()
  const { root, document, locate } = readYaml(text)
  const value = withTextPrices(root)
  const parsed = podManifestSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(
    parsed.error.issues.flatMap(issue =>
      faultsOf(issue, value).map(({ at, isKey, ...fault }) => ({ ...fault, position: locate(document, at, isKey) })),
    ),
  )
}

/** A manifest that a program made. @throws HeuristError MANIFEST_INVALID with the path, the value and what is allowed, for every fault */
export function checkedManifest(value: unknown): PodManifest {
  const parsed = podManifestSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(parsed.error.issues.flatMap(issue => faultsOf(issue, value).map(({ path, message }) => ({ path, message }))))
}

function invalid(faults: readonly ManifestFault[]): HeuristError<ManifestErrorCode, readonly ManifestFault[]> {
  const lines = faults.map(({ path, message, position }) => {
    const place = position ? `line ${position.line}, column ${position.column}: ` : ''
    return `${place}${path === '' ? 'manifest' : path} ${message}`
  })
  return new HeuristError('MANIFEST_INVALID', `The pod manifest is not valid: ${lines.join('; ')}.`, { payload: faults })
}

type Read = { readonly root: unknown; readonly document: Document.Parsed; readonly locate: ReturnType<typeof createLocator>['locate'] }

function readYaml(text: string): Read {
  const { counter, locate } = createLocator()
  const document = documentOf(text, counter)
  const [error] = document.errors
  if (error) {
    const [start] = error.linePos ?? []
    throw invalid([{ path: '', message: wordsOf(error), ...(start && { position: { line: start.line, column: start.col } }) }])
  }
  let root: unknown
  try {
    // Aliases are bounded: nine lines of them can mean a billion values.
    root = document.toJS({ maxAliasCount: 10 })
  } catch {
    throw invalid([{ path: '', message: 'uses too many aliases' }])
  }
  if (depthOf(root) > MAX_DEPTH) throw tooDeep()
  return { root, document, locate }
}

/** Without the reader's own mark of the place, and without what it advises its programmers. */
function wordsOf({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'is more than one document; a manifest is one: put each pod into a file of its own'
  const words = message.split('\n')[0]?.replace(/ at line \d+, column \d+/, '')
  return `can not be read: ${words?.replace(/[:.]$/, '')}`
}

/** Of brackets the depth is counted before; lists and maps without any nest just as well, a character a level. */
function documentOf(text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { prettyErrors: true, uniqueKeys: true, lineCounter })
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep()
    throw error
  }
}

function tooDeep(): HeuristError<ManifestErrorCode, readonly ManifestFault[]> {
  return invalid([{ path: '', message: `is nested more than ${MAX_DEPTH} levels deep` }])
}

function openBrackets(text: string): number {
  let open = 0
  let most = 0
  for (const character of text) {
    if (character === '[' || character === '{') most = Math.max(most, ++open)
    else if ((character === ']' || character === '}') && open > 0) open -= 1
  }
  return most
}

function depthOf(value: unknown, limit = MAX_DEPTH + 1): number {
  if (limit === 0 || value === null || typeof value !== 'object') return 0
  return 1 + Math.max(0, ...Object.values(value).map(member => depthOf(member, limit - 1)))
}

type Tree = { readonly [key: string]: unknown }

function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** `input: 200000` means the same as `input: "200000"`: the schema wants text because JSON numbers lose digits. */
function withTextPrices(value: unknown): unknown {
  if (!isTree(value) || !isTree(value.spec) || !isTree(value.spec.price)) return value
  const price = Object.fromEntries(
    Object.entries(value.spec.price).map(([key, amount]) => [key, Number.isSafeInteger(amount) ? String(amount) : amount]),
  )
  return { ...value, spec: { ...value.spec, price } }
}

/** A fault with the path to look for in the text: a key that should not be there, or a value. */
type Found = ManifestFault & { readonly at: readonly PropertyKey[]; readonly isKey: boolean }

function faultsOf(issue: z.core.$ZodIssue, root: unknown): Found[] {
  const path = pathText(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({
      path: path === '' ? key : `${path}.${key}`,
      message: 'is not a field of a manifest (check the spelling)',
      at: [...issue.path, key],
      isKey: true,
    }))
  }
  const value = valueAt(root, issue.path)
  const message = value === undefined ? `is missing; it ${requirementOf(issue)}` : `is ${show(value)}, but it ${requirementOf(issue)}`
  return [{ path, message, at: issue.path, isKey: false }]
}

function requirementOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(value => String(value)).join(' or ')}`
  if (issue.code === 'invalid_type') return `must be ${article(issue.expected)}`
  if (issue.code === 'too_small')
    return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${lengthOf(issue.origin)}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${lengthOf(issue.origin)}`
  // The schema's own words for patterns start with "must be …".
  if (issue.message.startsWith('must')) return issue.message
  if (issue.code === 'invalid_union') return 'must be a whole number of nano-credits, 0 or more'
  if (issue.code === 'invalid_format')
    return `must be ${issue.format === 'url' ? 'an address like http://127.0.0.1:8000/v1' : issue.format}`
  return issue.message
}

function article(expected: string): string {
  if (expected === 'int') return 'a whole number'
  return `${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}`
}

function lengthOf(origin: string): string {
  return origin === 'string' ? ' characters' : ''
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map(String).join('.')
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined // cast: an object read by its own key
  }
  return value
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
