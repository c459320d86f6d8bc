import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect } from '../conformance.ts'
import type { LoadedModel } from '../engine.ts'
import { deps, specOf, TINY_MODEL } from '../testing/spec.ts'
import { jsonSchemaGrammar } from './json-grammar.ts'
import { createLlamaEngine } from './llama.ts'

let model: LoadedModel
beforeAll(async () => {
  model = await createLlamaEngine({ threads: 1 }, deps).load(specOf({ engine: 'llama', modelId: 'tiny', modelPath: TINY_MODEL }))
})
afterAll(() => model?.unload())

const messages = [{ role: 'user', content: 'Answer with JSON.' }]
const text = { type: 'string', maxLength: 12 }
const person = {
  type: 'object',
  properties: { name: text, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
}

/** Hot sampling: without the grammar the model would never write JSON. */
async function generate(schema: unknown, seed: number) {
  const format = { type: 'json_schema', json_schema: { name: 'answer', schema } }
  const output = await collect(model, {
    kind: 'chat',
    body: { messages, response_format: format, temperature: 1.5, seed, max_tokens: 300 },
  })
  return { text: output.texts[0] ?? '', reason: output.finish[0]?.reason }
}

describe('json_schema', () => {
  test.each<[name: string, schema: Record<string, unknown>]>([
    ['object with all members required', person],
    [
      'optional members',
      {
        type: 'object',
        properties: { a: text, b: { type: 'boolean' }, c: { type: 'null' } },
        required: ['b'],
        additionalProperties: false,
      },
    ],
    ['nothing required', { type: 'object', properties: { a: { type: 'boolean' }, b: { type: 'boolean' } }, additionalProperties: false }],
    [
      'enum and const',
      {
        type: 'object',
        properties: { kind: { const: 'a "quoted"\nline' }, size: { enum: ['S', 2, null, true] } },
        required: ['kind', 'size'],
      },
    ],
    ['values of which some begin alike', { enum: ['a', 'ab', 'abc', 'a"b', 'a\\', '😀', '😁', '', 1, 10, 10, null, { a: [1] }] }],
    ['a thousand values', { enum: Array.from({ length: 1000 }, (_, i) => `value number ${i}`) }],
    ['bounded array', { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 4 }],
    ['empty array', { type: 'array', maxItems: 0 }],
    ['array of objects', { type: 'array', items: person, minItems: 1, maxItems: 2 }],
    ['tuple', { type: 'array', prefixItems: [{ type: 'boolean' }, { enum: ['x'] }], items: false, minItems: 2 }],
    ['string bounds', { type: 'string', minLength: 3, maxLength: 5 }],
    ['union of types', { type: ['boolean', 'null'] }],
    ['anyOf', { anyOf: [{ type: 'boolean' }, person] }],
    ['reference', { $ref: '#/$defs/person', $defs: { person } }],
    [
      'recursion',
      {
        type: 'object',
        properties: { next: { anyOf: [{ type: 'null' }, { $ref: '#' }] } },
        required: ['next'],
        additionalProperties: false,
      },
    ],
    ['numbers', { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 3 }],
    ['names with quotes and backslashes', { type: 'object', properties: { 'a"b\\c é': { type: 'boolean' } }, required: ['a"b\\c é'] }],
  ])('behavior: %s', async (_, schema) => {
    const validate = new Ajv2020({ strict: false }).compile(schema)
    for (const seed of [1, 2, 3]) {
      const { text: written, reason } = await generate(schema, seed)
      expect(reason, written).toBe('stop')
      expect(validate(JSON.parse(written)), written).toBe(true)
    }
  })

  test('behavior: json_object gives an object', async () => {
    for (const seed of [1, 2, 3]) {
      const body = { messages, response_format: { type: 'json_object' }, temperature: 1, seed, max_tokens: 400 }
      const { texts, finish } = await collect(model, { kind: 'chat', body })
      if (finish[0]?.reason === 'stop') expect(JSON.parse(texts[0] ?? ''), texts[0]).toBeTypeOf('object')
      else expect(texts[0]).toMatch(/^\{/)
    }
  })

  test.each<[name: string, schema: unknown]>([
    ['not an object', 'string'],
    ['an unknown type', { type: 'date' }],
    ['a dangling reference', { $ref: '#/$defs/none' }],
    ['a foreign reference', { $ref: 'https://example.com/schema' }],
    ['a part that is no schema', { type: 'array', items: { type: 'object', properties: { a: 5 } } }],
    ['endless depth', Array.from({ length: 100 }).reduce<unknown>(inner => ({ type: 'array', items: inner }), { type: 'null' })],
    ['more values than can be told apart', { enum: Array.from({ length: 1001 }, (_, i) => i) }],
    ['endless values', { const: 'y'.repeat(120_001) }],
    ['endless names', { type: 'object', properties: { ['y'.repeat(120_001)]: { type: 'null' } } }],
    [
      'endless alternatives, also of alternatives and of references',
      {
        anyOf: Array.from({ length: 11 }, () => ({ $ref: '#/$defs/ten' })),
        $defs: { ten: { oneOf: Array.from({ length: 10 }, () => ({ type: 'string', maxLength: 200 })) } },
      },
    ],
    [
      'endless breadth',
      { type: 'object', properties: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`k${i}`, { type: 'null' }])) },
    ],
  ])('error: %s', async (_, schema) => {
    await expect(generate(schema, 1)).rejects.toMatchObject({
      code: 'ENGINE_BAD_REQUEST',
      payload: { param: 'response_format.json_schema.schema' },
    })
  })

  test('error: a strict schema with what cannot be enforced names it', () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 3 } } }
    expect(() => jsonSchemaGrammar(schema, { strict: true, param: 'p' })).toThrow(/"minimum"/)
    expect(jsonSchemaGrammar(schema, { strict: false, param: 'p' })).toContain('root ::=')
  })
})

describe('forced tool calls', () => {
  const tool = (name: string, parameters: unknown) => ({ type: 'function', function: { name, parameters } })
  const tools = [
    tool('get_weather', {
      type: 'object',
      properties: { city: text, unit: { enum: ['C', 'F'] } },
      required: ['city'],
      additionalProperties: false,
    }),
    tool('add', {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      required: ['a', 'b'],
      additionalProperties: false,
    }),
    tool('ping', { type: 'object', properties: {}, additionalProperties: false }),
  ]
  const call = async (choice: unknown, seed: number) => {
    const body = { messages, tools, tool_choice: choice, temperature: 1.5, seed, max_tokens: 300 }
    const output = await collect(model, { kind: 'chat', body })
    const [head, ...pieces] = output.deltas.flatMap(delta => delta.toolCalls ?? [])
    return { ...output, head, args: pieces.map(piece => piece.arguments ?? '').join('') }
  }

  test('behavior: a named function is called with valid arguments', async () => {
    for (const seed of [1, 2, 3]) {
      const { head, args, texts, finish } = await call({ type: 'function', function: { name: 'add' } }, seed)
      expect(head).toEqual({ index: 0, id: expect.stringMatching(/^call_[0-9a-f]{24}$/), name: 'add', arguments: '' })
      expect(JSON.parse(args)).toEqual({ a: expect.any(Number), b: expect.any(Number) })
      expect(texts.join('')).toBe('')
      expect(finish).toEqual([{ index: 0, reason: 'tool_calls' }])
    }
  })

  test('behavior: required calls one of them', async () => {
    const names = new Set<string>()
    for (let seed = 0; seed < 6; seed++) {
      const { head, args } = await call('required', seed)
      names.add(head?.name ?? '')
      expect(JSON.parse(args), args).toBeTypeOf('object')
    }
    for (const name of names) expect(['get_weather', 'add', 'ping']).toContain(name)
  })

  test('behavior: of allowed tools one is called when that is required', async () => {
    const some = (mode: string, ...names: string[]) => ({
      type: 'allowed_tools',
      allowed_tools: { mode, tools: names.map(name => ({ type: 'function', function: { name } })) },
    })
    for (const seed of [1, 2, 3, 4]) expect((await call(some('required', 'add', 'ping'), seed)).head?.name).toMatch(/^(add|ping)$/)
    expect((await call(some('auto', 'add'), 1)).head).toBeUndefined()
    await expect(call(some('required', 'sub'), 1)).rejects.toMatchObject({ payload: { param: 'tool_choice' } })
    await expect(call(some('required'), 1)).rejects.toMatchObject({ payload: { param: 'tool_choice' } })
  })

  test('behavior: none and auto leave the model free', async () => {
    for (const choice of ['none', 'auto', undefined]) {
      const { head, texts, finish } = await call(choice, 1)
      expect(head).toBeUndefined()
      expect(texts[0]).not.toBe('')
      expect(finish[0]?.reason).not.toBe('tool_calls')
    }
  })

  test.each<[name: string, body: Record<string, unknown>, param: string]>([
    ['a choice without tools', { tool_choice: 'required' }, 'tool_choice'],
    ['a function that is not there', { tools, tool_choice: { type: 'function', function: { name: 'nope' } } }, 'tool_choice'],
    ['a choice that is no choice', { tools, tool_choice: 'maybe' }, 'tool_choice'],
    ['a tool of another type', { tools: [{ type: 'retrieval' }] }, 'tools[0]'],
    ['a name with spaces', { tools: [tool('a b', {})] }, 'tools[0].function.name'],
    ['parameters that are no schema', { tools: [tool('f', { type: 'nope' })], tool_choice: 'required' }, 'tools[0].function.parameters'],
  ])('error: %s', async (_, body, param) => {
    await expect(collect(model, { kind: 'chat', body: { messages, ...body } })).rejects.toMatchObject({
      code: 'ENGINE_BAD_REQUEST',
      payload: { param },
    })
  })
})
