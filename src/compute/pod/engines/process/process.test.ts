import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Device, deviceSchema, type JobRequest } from '#protocol'
import { NO_DEVICE } from '../../sandbox/sandbox.ts'
import { collect, describeEngine } from '../conformance.ts'
import { createEngines } from '../index.ts'
import { benchmarkApart } from '../llama/apart.ts'
import { visibleDevices } from '../llama/objection.ts'
import { deps, specOf, TINY_MODEL } from '../testing/spec.ts'
import { createProcessEngine } from './process.ts'

const command = [process.execPath, join(import.meta.dirname, '../../../../bin/llama-process.ts'), '1']
const engine = createProcessEngine({ name: 'llama', command, environment: () => ({}) })
const spec = () => specOf({ engine: 'llama', modelId: 'heurist-tiny', modelPath: TINY_MODEL })
const story: JobRequest = {
  kind: 'chat',
  body: { messages: [{ role: 'user', content: 'Tell me a story.' }], n: 16, temperature: 2, seed: 1 },
}

describeEngine({
  name: 'llama in a process',
  load: () => engine.load(spec()),
  long: story,
  skip: { embedding: 'a language model makes no embeddings; the refusal is tested under bad request' },
})

const echo = createProcessEngine({
  name: 'llama',
  command: [process.execPath, join(import.meta.dirname, 'testing/echo-process.ts')],
  environment: visibleDevices,
})
const gpu = (id: string): Device => deviceSchema.parse({ id, kind: 'gpu', name: 'x', memoryBytes: 1, benchmark: null })
const ask = (prompt: string): JobRequest => ({ kind: 'completion', body: { prompt } })
const load = (device: Device, name = 'fine', signal?: AbortSignal) => {
  const plain = specOf({ engine: 'llama', modelId: 'm', ...(signal && { signal }) })
  const { metadata, ...rest } = plain.manifest
  return echo.load({ ...plain, device, manifest: { ...rest, metadata: { ...metadata, name } } })
}

describe('a GPU of llama', () => {
  const deviceOf = (kind: 'cpu' | 'gpu') => (kind === 'cpu' ? spec().device : gpu('GPU-a'))
  const engines = createEngines(
    { llamaThreads: 1, llamaProcess: [process.execPath, join(import.meta.dirname, 'testing/echo-process.ts')] },
    {
      ...deps,
      sandboxes: { bwrap: { sandbox: null, problem: 'none' }, container: { sandbox: null, problem: 'none' } },
      secrets: () => ({}),
      log: () => {},
      grant: async () => NO_DEVICE,
    },
  )

  test('behavior: its models run in processes that see it, those on the CPU here', async () => {
    const model = await engines.llama.load({ ...spec(), device: deviceOf('gpu') })
    expect((await collect(model, ask('what do you see?'))).texts).toEqual(['GPU-a'])
    await model.unload()
    const here = await engines.llama.load({ ...spec(), device: deviceOf('cpu') })
    expect((await collect(here, { kind: 'completion', body: { prompt: 'Once', max_tokens: 2 } })).texts[0]).not.toBe('GPU-a')
    await here.unload()
  })

  test('behavior: its benchmark runs in a process that sees it', async () => {
    const program = (code: string) => [process.execPath, '-e', code]
    expect(await benchmarkApart(program('console.log(process.env.CUDA_VISIBLE_DEVICES === "GPU-a" ? 1e12 : 1)'), gpu('GPU-a'))).toBe(1e12)
    await expect(benchmarkApart(program('console.log("no GPU")'), gpu('GPU-a'))).rejects.toThrow(/printed "no GPU"/)
    await expect(benchmarkApart(program('process.exit(1)'), gpu('GPU-a'))).rejects.toThrow()
  })
})

describe('a model in a process of its own', () => {
  test('default: each sees its own device and no other', async () => {
    const group = deviceSchema.parse({ id: 'g', kind: 'group', members: ['GPU-b', 'GPU-c'], name: 'x', memoryBytes: 1, benchmark: null })
    const models = await Promise.all([gpu('GPU-a'), group].map(device => load(device)))
    const seen = await Promise.all(models.map(model => collect(model, ask('what do you see?'))))
    expect(seen.map(({ texts }) => texts)).toEqual([['GPU-a'], ['GPU-b,GPU-c']])
    expect(await models[0]?.measure()).toBe(42)
    await Promise.all(models.map(model => model.unload()))
  })

  test('behavior: one that breaks fails its own jobs, and another model runs on', async () => {
    const [broken, other] = await Promise.all([load(gpu('GPU-a')), load(gpu('GPU-b'))])
    const failure = { code: 'ENGINE_FAILED', retryable: true, message: expect.stringContaining('ended (code 3)') }
    await expect(collect(broken, ask('crash'))).rejects.toMatchObject(failure)
    await expect(collect(broken, ask('go on'))).rejects.toMatchObject(failure)
    expect((await collect(other, ask('go on'))).texts).toEqual(['GPU-b'])
    expect(await broken.died).toBe('the process of the model ended (code 3)')
    await Promise.all([broken.unload(), other.unload()])
  })

  test('error: what the engine says of a request and of a load comes through as it is', async () => {
    const model = await load(gpu('GPU-a'))
    await expect(collect(model, ask('refuse'))).rejects.toMatchObject({
      code: 'ENGINE_BAD_REQUEST',
      payload: { param: 'prompt' },
      retryable: false,
    })
    await model.unload()
    await expect(load(gpu('GPU-a'), 'broken')).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED', message: 'there is no such file' })
  })

  test('error: a load that is given up, and a program that can not be started', async () => {
    const stop = new AbortController()
    const loading = load(gpu('GPU-a'), 'endless', stop.signal)
    stop.abort(new Error('removed'))
    await expect(loading).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
    const missing = createProcessEngine({ name: 'llama', command: ['/nowhere/node'], environment: () => ({}) })
    await expect(missing.load(specOf({ engine: 'llama', modelId: 'm' }))).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED' })
  })

  test('behavior: it ends with its node', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/echo-process.ts')], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
    const ended = once(child, 'exit')
    await once(child, 'spawn')
    child.disconnect()
    expect(await ended).toEqual([0, null])
  })
})
