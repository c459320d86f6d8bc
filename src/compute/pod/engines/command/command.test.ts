import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Device, deviceSchema, type JobRequest } from '#protocol'
import { NO_DEVICE } from '../../sandbox/sandbox.ts'
import { collect, describeEngine } from '../conformance.ts'
import type { LoadedModel } from '../engine.ts'
import { createCommandEngine } from './command.ts'
import { deps, loadBody, loadText, logged, OF_MODELS_ONLY, programSpec, support } from './testing/load.ts'

const job = (input: unknown, members: Record<string, unknown> = {}): JobRequest => ({
  kind: 'command',
  body: { input: input as never, ...members },
})
const whole = async (model: LoadedModel, request: JobRequest) => (await collect(model, request)).texts.join('')
/** Writes a piece every 10 ms until it is cancelled. */
const COUNT = `for (let i = 0; i < 500 && !cancelled.has(id); i++) { say({ id, text: i + ' ' }); await new Promise(r => setTimeout(r, 10)) } if (!cancelled.has(id)) say({ id, done: true })`

describe.skipIf(!support.sandbox)(`command engine${support.problem ? ` (skipped: ${support.problem})` : ''}`, () => {
  describeEngine({
    name: 'command',
    load: () => loadBody(COUNT),
    long: job('go'),
    skip: OF_MODELS_ONLY,
  })

  const models: LoadedModel[] = []
  afterEach(async () => {
    for (const model of models.splice(0)) await model.unload()
  })
  const using = async (loading: Promise<LoadedModel>): Promise<LoadedModel> => {
    const model = await loading
    models.push(model)
    return model
  }

  test('default: text and data come back in order, counted in pieces of 64 bytes', async () => {
    const model = await using(loadBody(`say({ id, text: 'é'.repeat(40) }); say({ id, data: { input } }); say({ id, done: true })`))
    const { texts, finish, inputUnits, outputUnits, deltas } = await collect(model, job({ a: [1, null] }))
    expect(texts).toEqual([`${'é'.repeat(40)}{"input":{"a":[1,null]}}\n`])
    expect({ finish, inputUnits, outputUnits }).toEqual({ finish: [{ index: 0, reason: 'stop' }], inputUnits: 1, outputUnits: 2 })
    expect(deltas.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(2)
    expect(model.slots).toBe(2)
  })

  const gpu = deviceSchema.parse({ id: 'GPU-a', kind: 'gpu', name: 'x', memoryBytes: 2 ** 34, benchmark: null })
  test.each([
    ['gets the device that it asked for, and can not name another', 1, 'GPU-a'],
    ['gets no device that it did not ask for', 0, 'mine'],
  ])('behavior: a program %s', async (_label, gpuCount, visible) => {
    const spec = programSpec(
      `import { createInterface } from 'node:readline'
      console.log(JSON.stringify({ ready: true }))
      for await (const line of createInterface({ input: process.stdin })) {
        const { id } = JSON.parse(line)
        console.log(JSON.stringify({ id, text: String(process.env.CUDA_VISIBLE_DEVICES) })); console.log(JSON.stringify({ id, done: true }))
      }`,
      { environment: { CUDA_VISIBLE_DEVICES: 'mine' } },
    )
    const resources = { ...spec.manifest.spec.resources, gpuCount }
    const manifest = { ...spec.manifest, spec: { ...spec.manifest.spec, resources } }
    const grant = async ({ id }: Device) => ({ ...NO_DEVICE, environment: { CUDA_VISIBLE_DEVICES: id } })
    const model = await using(createCommandEngine({ ...deps, grant }).load({ ...spec, manifest, device: gpu }))
    expect(await whole(model, job(null))).toBe(visible)
  })

  test('error: a device that can not be handed over is not loaded on, and says why', async () => {
    const grant = () => Promise.reject(new Error('the driver does not know GPU-a'))
    const loading = createCommandEngine({ ...deps, grant }).load(programSpec('console.log(JSON.stringify({ ready: true }))'))
    await expect(loading).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED', message: expect.stringContaining('does not know GPU-a') })
  })

  test('behavior: jobs side by side get their own output', async () => {
    const model = await using(loadBody(`for (let i = 0; i < 20; i++) { say({ id, text: input }); await null } say({ id, done: true })`))
    const outputs = await Promise.all(['a', 'b'].map(letter => whole(model, job(letter))))
    expect(outputs).toEqual(['a'.repeat(20), 'b'.repeat(20)])
  })

  test('behavior: output is cut at its bound, in whole characters, and the program is told', async () => {
    const model = await using(
      loadBody(`while (!cancelled.has(id)) { say({ id, text: '€uro' }); await new Promise(setImmediate) }`, { maxOutputBytes: 100 }),
    )
    const output = await collect(model, job(0))
    expect(output.finish).toEqual([{ index: 0, reason: 'length' }])
    expect(output.texts[0]).toBe(`${'€uro'.repeat(16)}€u`.slice(0, 66))
    expect(Buffer.byteLength(output.texts[0]!)).toBeLessThanOrEqual(100)
    expect((await collect(model, job(0, { max_output_bytes: 4 }))).texts).toEqual(['€u'])
  })

  test('behavior: a slow client holds the program back, and not the memory', async () => {
    const model = await using(
      loadBody(`for (let i = 0; i < 4000; i++) say({ id, text: 'x'.repeat(1024) }); say({ id, done: true })`, { maxOutputBytes: 2 ** 23 }),
    )
    let inside = 0
    let worst = 0
    const result = await model.run(job(0), {
      signal: new AbortController().signal,
      async emit() {
        worst = Math.max(worst, ++inside)
        await null
        inside--
      },
    })
    expect(result.outputUnits).toBe((4000 * 1024) / 64)
    expect(worst).toBe(1)
  })

  test('behavior: stderr is the log, secrets and environment are as the owner and the manifest say', async () => {
    const model = await using(
      loadBody(
        `console.error('hello log ' + 'y'.repeat(9000)); say({ id, data: [process.env.TOKEN, process.env.MODE, process.env.PATH_TO_HOST ?? null] }); say({ id, done: true })`,
        { secrets: ['TOKEN'], environment: { MODE: 'fast' } },
      ),
    )
    expect(await whole(model, job(0))).toBe('["value of TOKEN","fast",null]\n')
    await vi.waitFor(() => expect(logged.some(line => line.startsWith('hello log') && line.length === 4096)).toBe(true), {
      timeout: 30_000,
    })
  })

  test('behavior: the value of a secret is neither in the log nor in what a failure says', async () => {
    const model = await using(
      loadBody(`console.error('trying ' + process.env.TOKEN); say({ id, error: process.env.TOKEN + ' is wrong' })`, { secrets: ['TOKEN'] }),
    )
    await expect(collect(model, job(0))).rejects.toThrow('[secret TOKEN] is wrong')
    await vi.waitFor(() => expect(logged).toContain('trying [secret TOKEN]'), { timeout: 30_000 })
    expect(logged.join()).not.toContain('value of TOKEN')
  })

  test('error: a refused input names its member; a failed job is for another node', async () => {
    const model = await using(
      loadBody(`say(input === 'bad' ? { id, error: 'too bad', code: 'bad_request', param: 'input.x' } : { id, error: 'no disk' })`),
    )
    await expect(collect(model, job('bad'))).rejects.toMatchObject({
      code: 'ENGINE_BAD_REQUEST',
      retryable: false,
      payload: { param: 'input.x' },
      message: expect.stringContaining('too bad'),
    })
    await expect(collect(model, job('x'))).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      retryable: true,
      message: expect.stringContaining('no disk'),
    })
  })

  test('error: a crash fails its jobs, and the next job finds a new program', async () => {
    const model = await using(loadBody(`if (input === 'die') process.exit(3); say({ id, text: 'alive' }); say({ id, done: true })`))
    const lost = model.run(job('die'), { signal: new AbortController().signal, emit: () => {} })
    await expect(lost).rejects.toMatchObject({ code: 'ENGINE_FAILED', retryable: true, message: expect.stringContaining('code 3') })
    expect(await whole(model, job('go'))).toBe('alive')
  })

  test('error: a crash loop is backed off', async () => {
    const model = await using(loadBody(`process.exit(1)`))
    const codes: string[] = []
    for (let i = 0; i < 20; i++) await collect(model, job(0)).catch(error => codes.push(error.code))
    expect(codes).toHaveLength(20)
    expect(codes).toContain('ENGINE_OVERLOADED')
    expect(codes.filter(code => code === 'ENGINE_FAILED').length).toBeLessThan(10)
  })

  test('error: a program that ignores a cancel is stopped, and its slot comes back', async () => {
    const model = await using(
      loadText(
        `process.stdout.write('{"ready":true}\\n'); process.stdin.on('data', d => { const { id, input } = JSON.parse(String(d).split('\\n')[0]); if (input === 'quick') process.stdout.write(JSON.stringify({ id, done: true }) + '\\n'); else setInterval(() => process.stdout.write(JSON.stringify({ id, text: '.' }) + '\\n'), 5) })`,
        { concurrency: 1 },
      ),
    )
    const stop = new AbortController()
    const emit = (): void => stop.abort()
    await expect(model.run(job('endless'), { signal: stop.signal, emit })).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' })
    await vi.waitFor(async () => expect(await whole(model, job('quick'))).toBe(''), { timeout: 30_000 })
  })

  const BROKEN: [label: string, statement: string, message: RegExp][] = [
    ['no JSON', `process.stdout.write('hello\\n')`, /no reply/],
    ['an unknown member', `say({ id, text: 'x', html: 1 })`, /no reply/],
    ['a number as text', `say({ id, text: 5 })`, /no reply/],
    ['a prototype', `process.stdout.write('{"__proto__":{"id":"1","text":"x"}}\\n')`, /no reply/],
    ['the output of another job', `say({ id: 'other', text: 'x' })`, /does not have/],
    ['output after the end', `say({ id, done: true }); say({ id, text: 'x' }); say({ id, text: 'x' })`, /does not have|^$/],
    ['a line without end', `process.stdout.write('x'.repeat(9 * 2 ** 20))`, /longer than/],
    ['a second ready', `say({ ready: true })`, /no reply/],
    ['bytes that are no text', `process.stdout.write(Buffer.from([0xff, 0xfe, 0, 10]))`, /no reply/],
    ['data nested too deep', `process.stdout.write('{"id":"1","data":' + '['.repeat(20000) + ']'.repeat(20000) + '}\\n')`, /no reply/],
    ['deep nesting', `process.stdout.write('['.repeat(100000) + '\\n')`, /no reply/],
  ]
  for (const [label, statement, message] of BROKEN) {
    test(`error: hostile output: ${label}`, async () => {
      const model = await using(loadBody(`if (input === 'ok') { say({ id, done: true }); return } ${statement}`))
      const outcome = await collect(model, job(0)).then(
        () => '',
        error => error.message as string,
      )
      expect(outcome).toMatch(message)
      // Whatever it did, the next job has a program.
      await vi.waitFor(async () => expect(await whole(model, job('ok'))).toBe(''), { timeout: 30_000 })
    })
  }

  const UNLOADABLE: [label: string, loading: () => Promise<LoadedModel>, message: RegExp][] = [
    ['it is never ready', () => loadText('setInterval(() => {}, 1000)', { loadMs: 500 }), /did not say that it is ready within 500 ms/],
    ['it ends at once', () => loadText('process.exit(7)'), /code 7/],
    ['it says something else first', () => loadText(`console.log('Listening on 8080'); setInterval(() => {}, 1000)`), /first line is not/],
    ['its command does not exist', () => loadText('', { run: ['no-such-program'] }), /ended/],
    ['its probe fails', () => loadBody(`say({ id, error: 'not well' })`, { probe: 1 }), /not well/],
    ['its file is another one', () => loadText('x', { sha256: 'ab'.repeat(32) }), /the manifest names abab/],
  ]
  for (const [label, loading, message] of UNLOADABLE) {
    test(`error: can not be loaded: ${label}`, async () => {
      await expect(loading()).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED', message: expect.stringMatching(message) })
    })
  }

  test('error: unloading leaves no process and no file behind', async () => {
    const marker = `heurist-unload-${process.pid}`
    const model = await loadText(`console.log('{"ready":true}'); setInterval(() => {}, 1000)`, { run: ['node', 'program.mjs', marker] })
    const alive = () => readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && readTitle(pid).includes(marker))
    await vi.waitFor(() => expect(alive()).not.toEqual([]), { timeout: 30_000 })
    await model.unload()
    await vi.waitFor(() => expect(alive()).toEqual([]), { timeout: 30_000 })
  })
})

function readTitle(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

test('error: a node without a sandbox loads no program', async () => {
  const engine = createCommandEngine({
    ...deps,
    sandboxes: { ...deps.sandboxes, bwrap: { sandbox: null, problem: 'bubblewrap is not installed' } },
  })
  await expect(engine.load(programSpec('x'))).rejects.toMatchObject({
    code: 'ENGINE_LOAD_FAILED',
    message: expect.stringContaining('bubblewrap is not installed'),
  })
})
