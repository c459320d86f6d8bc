import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesUnder, ROOT } from './source.ts'

type SolFunction = { readonly name: string; readonly head: string; readonly body: string }
type SolContract = {
  readonly name: string
  readonly file: string
  readonly kind: string
  readonly bases: readonly string[]
  readonly text: string
  readonly functions: readonly SolFunction[]
}

/** Names of the state-changing functions, by contract. */
export type Functions = ReadonlyMap<string, ReadonlySet<string>>

type Member = readonly [receiver: string, name: string]
type Sources = ReadonlyMap<string, SolContract>

const uncommented = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')

/** The text from the brace at `open` to the one that closes it. */
function braced(text: string, open: number): string {
  let depth = 0
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1
    if (text[at] === '}' && --depth === 0) return text.slice(open, at + 1)
  }
  throw new Error(`No brace closes the one at ${open}.`)
}

function functionsOf(text: string): SolFunction[] {
  return [...text.matchAll(/\b(?:function|modifier) (\w+)([^{;]*)\{/g)].map(match => ({
    name: match[1] ?? '',
    head: match[2] ?? '',
    body: braced(text, match.index + match[0].length - 1),
  }))
}

function contractsOf(file: string): SolContract[] {
  const text = uncommented(readFileSync(join(ROOT, file), 'utf8'))
  return [...text.matchAll(/\b(contract|interface|library) (\w+)(?: is ([^{]+))?\s*\{/g)].map(match => {
    const body = braced(text, match.index + match[0].length - 1)
    const bases = [...(match[3] ?? '').matchAll(/[A-Z]\w+/g)].map(([base]) => base)
    return { name: match[2] ?? '', file, kind: match[1] ?? '', bases, text: body, functions: functionsOf(body) }
  })
}

/** What a contract stands on, itself included. Tests may share a name; what others stand on does not. */
function ancestry(contract: SolContract, all: Sources): SolContract[] {
  const bases = contract.bases.flatMap(base => all.get(base) ?? [])
  return [contract, ...bases.flatMap(base => ancestry(base, all))]
}

/** The functions of a family that its entries reach, by name: overrides count with what they override. */
function reached(entries: readonly SolFunction[], family: readonly SolFunction[]): SolFunction[] {
  const found = new Set(entries)
  for (const from of found) {
    const words = new Set(`${from.head}${from.body}`.match(/\b\w+(?=\s*[({])/g))
    for (const to of family) if (words.has(to.name)) found.add(to)
  }
  return [...found]
}

/** Fuzzing enters through tests with parameters, and through what handlers offer to invariants. */
function entriesOf(contract: SolContract): SolFunction[] {
  if (/\/invariant\/\w+Handler\.sol$/.test(contract.file)) {
    return contract.functions.filter(({ head }) => /\b(external|public)\b/.test(head) && !/\b(view|pure)\b/.test(head))
  }
  return contract.functions.filter(({ name, head }) => /^test/.test(name) && !/^\(\s*\)/.test(head))
}

/** `receiver.name`, `Interface(receiver).name` and `getter().name`, before what `followedBy` asks for. */
function membersIn(text: string, followedBy = ''): Member[] {
  const member = new RegExp(`\\b(\\w+)(?:\\((?:[^()]|\\([^()]*\\))*\\))?(?=\\.(\\w+)\\b${followedBy})`, 'g')
  return [...text.matchAll(member)].map(match => [match[1] ?? '', match[2] ?? ''])
}

/** What fuzz tests and the handlers of invariants call, as `Contract.function`. */
export function fuzzedCalls(functions: Functions): Set<string> {
  const files = [...filesUnder('contracts/src/interfaces', /\.sol$/), ...filesUnder('contracts/test', /\.sol$/)]
  const contracts = files.flatMap(contractsOf)
  const all = new Map(contracts.map(contract => [contract.name, contract]))
  const tests = contracts.filter(({ kind, file }) => kind === 'contract' && file.startsWith('contracts/test'))
  const calls = tests.flatMap(contract => {
    const family = ancestry(contract, all)
    const own = family.flatMap(member => member.functions)
    const text = family.map(member => member.text).join('\n')
    const entries = family.flatMap(entriesOf)
    const members = reached(entries, own).flatMap(({ head, body }) => membersIn(`${head}${body}`))
    // A table of selectors that `setUp` fills is there for the fuzz tests to draw from.
    const setUp = own.filter(({ name }) => name === 'setUp' && entries.length > 0)
    const tables = reached(setUp, own).flatMap(({ body }) => membersIn(body, '\\.selector'))
    return [...members, ...tables].flatMap(member => meantBy(member, text, functions, all))
  })
  return new Set(calls)
}

/** Interfaces of a receiver: it is one, was declared as one, or returns one. */
function typesOf(receiver: string, text: string): string[] {
  if (/^I[A-Z]/.test(receiver)) return [receiver]
  const declared = text.matchAll(new RegExp(`\\b(I[A-Z]\\w+)\\s+(?:\\w+ )*${receiver}\\b`, 'g'))
  const returned = text.matchAll(new RegExp(`function ${receiver}\\b[^{;]*returns \\((I[A-Z]\\w+)`, 'g'))
  return [...declared, ...returned].map(match => match[1] ?? '')
}

/** The contract that the receiver's type is named after; for a type that many share, those that the test deploys. */
function meantBy([receiver, name]: Member, text: string, functions: Functions, all: Sources): string[] {
  return typesOf(receiver, text).flatMap(type => {
    const contract = all.get(type)
    const named = contract ? ancestry(contract, all).map(base => base.name.replace(/^I|Token$/g, '')) : []
    const own = named.filter(candidate => functions.has(candidate))
    const deployed = [...text.matchAll(/"(\w+)"/g)].map(match => match[1] ?? '')
    const candidates = own.length > 0 ? own : deployed
    return candidates.filter(candidate => functions.get(candidate)?.has(name)).map(candidate => `${candidate}.${name}`)
  })
}
