import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toolsImage } from '../../src/compute/pod/sandbox/testing/image.ts'
import { engineOf, kindNamed } from '../../src/compute/pod/sandbox/testing/kinds.ts'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'
import { ROOT } from '../support/source.ts'

const { sandbox, problem } = (await kindNamed('container')).support

type Answer = { status: number; text: string; json: Record<string, unknown> }
type Job = { state: string; price: string; batch: { state: string } | null }

// A user's own image as a pod, from its manifest to the chain, on a real container engine.
describe.skipIf(sandbox === null)(`a container as a pod${problem ? ` (skipped: ${problem})` : ''}`, () => {
  const home = newHome()
  const folder = mkdtempSync(join(tmpdir(), 'heurist-boxed-'))
  const engine = sandbox ? engineOf(sandbox) : ''
  let image: string
  let network: Network
  beforeAll(async () => {
    image = toolsImage(engine)
    network = await startNetwork(home, { HEURIST_DEV_NODES: '1' })
  }, 300_000)
  afterAll(async () => {
    await network?.stop()
    removeHome(home)
    rmSync(folder, { recursive: true, force: true })
  }, 120_000)

  const call = async (model: string, input: unknown): Promise<Answer> => {
    const { gatewayUrl, apiKey } = network.dev()
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    const response = await fetch(`${gatewayUrl}/jobs`, { method: 'POST', headers, body: JSON.stringify({ model, input }) })
    const text = await response.text()
    return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : {} }
  }
  const answerOf = (model: string, input: unknown): Promise<Answer> =>
    eventually(
      `an answer of ${model}`,
      async () => {
        const answer = await call(model, input)
        return answer.status === 200 ? answer : null
      },
      120_000,
    )
  const read = async <T>(path: string): Promise<T> => {
    const { gatewayUrl, apiKey } = network.dev()
    const response = await fetch(`${gatewayUrl.replace('/v1', '')}${path}`, { headers: { authorization: `Bearer ${apiKey}` } })
    return (await response.json()) as T // cast: our own API
  }
  /** An example's manifest, in a container. */
  const apply = async (example: string, name: string): Promise<void> => {
    const text = readFileSync(join(ROOT, 'examples', example, 'pod.yaml'), 'utf8')
    const file = join(folder, `${name}.yaml`)
    writeFileSync(
      file,
      text
        .replace(`name: ${example}\n`, `name: ${name}\n`)
        .replace('file:./', `file:${join(ROOT, 'examples', example)}/`)
        .replace('  command:\n', `  isolation: container\n  command:\n    image: ${image}\n`),
    )
    const applied = await network.cli('pod', 'apply', '-f', file)
    expect(applied, applied.stderr).toMatchObject({ code: 0 })
  }
  const applyScript = async (name: string, script: string, from = image): Promise<void> => {
    writeFileSync(join(folder, `${name}.mjs`), script)
    const spec = {
      runtime: 'command',
      engine: { name: 'command' },
      isolation: 'container',
      model: { id: name, source: `file:./${name}.mjs` },
      command: { run: ['node', `${name}.mjs`], image: from },
      price: { input: 0, output: 0 },
    }
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ apiVersion: 'heurist/v1', kind: 'Pod', metadata: { name }, spec }))
    const applied = await network.cli('pod', 'apply', '-f', join(folder, `${name}.json`))
    expect(applied, applied.stderr).toMatchObject({ code: 0 })
  }
  /** Containers that the node of this process id holds. */
  const containersOf = (pid: number): string[] =>
    execFileSync(engine, ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' })
      .split('\n')
      .filter(name => name.startsWith(`heurist-${pid}-`))
  const nodePid = (): number => network.dev().pids['node-1'] ?? 0

  test('default: deployed, called, logged, paid and settled on chain', async () => {
    await apply('word-count', 'boxed')
    const { json } = await answerOf('boxed', { text: 'the cat and the dog' })
    expect(json).toMatchObject({ finish_reason: 'stop', usage: { jobs: 1 } })
    expect(json.output).toContain('{"word":"the","times":2}')
    expect(containersOf(nodePid())).toHaveLength(1)
    expect((await network.cli('pod', 'logs', 'boxed')).stdout).toContain('counting 19 characters')
    const settled = await eventually(
      'settlement',
      async () => {
        const job = await read<Job>(`/api/jobs/${json.id}`)
        return job.batch?.state === 'confirmed' && job
      },
      60_000,
    )
    expect(settled.state).toBe('succeeded')
    expect(Number(settled.price)).toBeGreaterThan(0)
  }, 300_000)

  test('behavior: the same as a server on a unix socket', async () => {
    await apply('word-count-http', 'boxed-http')
    expect((await answerOf('boxed-http', { text: 'a b a' })).json.output).toContain('{"word":"a","times":2}')
    expect(await call('boxed-http', 5)).toMatchObject({ status: 400, json: { error: { param: 'input.text' } } })
  }, 300_000)

  test('error: it sees no file, process or network of the host, and writes nowhere but in its own /tmp', async () => {
    await applyScript(
      'prying',
      `import fs from 'node:fs'
       import net from 'node:net'
       const said = act => { try { return act() } catch (e) { return e.code } }
       const dial = port => new Promise(done => net.connect(port, '127.0.0.1', () => done('open')).on('error', e => done(e.code)))
       console.log('{"ready":true}')
       process.stdin.on('data', async data => {
         const { id, input } = JSON.parse(data)
         const read = input.paths.map(path => said(() => fs.readFileSync(path, 'utf8')))
         const wrote = ['/pod/x', '/bin/x', '/x', '/tmp/x'].map(path => said(() => (fs.writeFileSync(path, 'x'), 'written')))
         const others = fs.readdirSync('/proc').filter(name => /^\\d+$/.test(name)).length
         console.log(JSON.stringify({ id, data: { read, wrote, others, dial: await dial(input.port), user: process.getuid() } }))
         console.log(JSON.stringify({ id, done: true }))
       })`,
    )
    const paths = [join(home, 'dev.json'), join(home, 'keys/treasury.json'), '/etc/shadow', join(folder, 'prying.json')]
    const port = Number(new URL(network.dev().gatewayUrl).port)
    const { json } = await answerOf('prying', { paths, port })
    const seen = JSON.parse(String(json.output))
    expect(seen).toMatchObject({ read: paths.map(() => 'ENOENT'), wrote: ['EROFS', 'EROFS', 'EROFS', 'written'] })
    expect(seen.dial).not.toBe('open')
    expect(seen.others).toBeLessThanOrEqual(3)
    expect(seen.user).not.toBe(0)
  }, 300_000)

  test('error: an image that can not be had is the reason, and costs nothing', async () => {
    await applyScript('imageless', '// never read', `localhost:1/none@sha256:${'ab'.repeat(32)}`)
    const { stdout } = await network.cli('node', 'list', '--json')
    const [node] = JSON.parse(stdout) as { nodeId: string }[] // cast: our own answer
    await eventually(
      'the reason why it is not loaded',
      async () => (await network.cli('node', 'get', node?.nodeId ?? '')).stdout.includes('can not be pulled'),
      120_000,
    )
    const { status, text } = await call('imageless', 0)
    expect(status).toBeGreaterThanOrEqual(500)
    expect(text).toContain('Nothing was charged')
  }, 300_000)

  test('behavior: no container outlives its node, killed with kill -9, nor the network', async () => {
    const before = nodePid()
    expect(containersOf(before).length).toBeGreaterThan(0)
    process.kill(before, 'SIGKILL')
    await eventually('its containers to go', async () => containersOf(before).length === 0, 120_000)
    await eventually('a new node', async () => nodePid() !== before, 120_000)
    await answerOf('boxed', { text: 'again' })
    const now = nodePid()
    expect(containersOf(now).length).toBeGreaterThan(0)
    expect(await network.stop()).toBe(0)
    expect(containersOf(now)).toEqual([])
  }, 300_000)
})
