import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { detectSandbox } from '../../src/compute/index.ts'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'
import { ROOT } from '../support/source.ts'

const { problem } = await detectSandbox()

type Answer = { status: number; text: string; json: Record<string, unknown> }

// A user's own program, from its manifest to the chain.
describe.skipIf(problem !== null)(`a program as a pod${problem ? ` (skipped: ${problem})` : ''}`, () => {
  const home = newHome()
  let network: Network
  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_DEV_NODES: '1' })
  }, 300_000)
  afterAll(async () => {
    await network?.stop()
    removeHome(home)
  })

  const post = async (body: object): Promise<Answer> => {
    const { gatewayUrl, apiKey } = network.dev()
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    const response = await fetch(`${gatewayUrl}/jobs`, { method: 'POST', headers, body: JSON.stringify(body) })
    const text = await response.text()
    return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : {} }
  }
  const jobOf = async (
    id: string,
  ): Promise<{
    state: string
    price: string
    receipt: { signed: object } | null
    batch: { state: string; transactionHash: string } | null
  }> => {
    const { gatewayUrl, apiKey } = network.dev()
    const response = await fetch(`${gatewayUrl.replace('/v1', '')}/api/jobs/${id}`, { headers: { authorization: `Bearer ${apiKey}` } })
    return (await response.json()) as Awaited<ReturnType<typeof jobOf>> // cast: our own API
  }
  const onlyNode = async (): Promise<string> => {
    const { stdout } = await network.cli('node', 'list', '--json')
    return (JSON.parse(stdout) as { nodeId: string }[])[0]?.nodeId ?? '' // cast: our own answer
  }
  const credits = async (): Promise<number> => {
    const { gatewayUrl, apiKey } = network.dev()
    const response = await fetch(`${gatewayUrl.replace('/v1', '')}/api/credits`, { headers: { authorization: `Bearer ${apiKey}` } })
    return Number(((await response.json()) as { credits: string }).credits) // cast: our own API
  }

  test('default: deployed, called, streamed, paid and settled on chain', async () => {
    const deployed = await network.cli('pod', 'apply', '-f', join(ROOT, 'examples/word-count/pod.yaml'))
    expect(deployed, deployed.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('word-count version 1') })
    const input = { text: 'the cat and the dog and the bird' }
    const first = await eventually(
      'an answer of the program',
      async () => {
        const answer = await post({ model: 'word-count', input })
        return answer.status === 200 ? answer : null
      },
      60_000,
    )
    const words =
      '{"word":"the","times":3}\n{"word":"and","times":2}\n{"word":"cat","times":1}\n{"word":"dog","times":1}\n{"word":"bird","times":1}\n'
    expect(first.json).toMatchObject({
      output: words,
      finish_reason: 'stop',
      usage: { jobs: 1, output_bytes: words.length, output_units: 2 },
    })
    const before = await credits()
    const streamed = await post({ model: 'word-count', input, stream: true })
    expect(streamed.text).toContain('job.chunk')
    expect(streamed.text.trim().endsWith('data: [DONE]')).toBe(true)
    // One credit a job and a hundredth for each of its two pieces.
    expect(before - (await credits())).toBeCloseTo(1.02, 6)
    const settled = await eventually(
      'settlement',
      async () => {
        const job = await jobOf(String(first.json.id))
        return job.batch?.state === 'confirmed' ? job : null
      },
      60_000,
    )
    expect(settled).toMatchObject({ state: 'succeeded', receipt: { signed: { receipt: { inputUnits: 1, outputUnits: 2 } } } })
    expect(settled.batch?.transactionHash).toMatch(/^0x[0-9a-f]{64}$/)
  })

  test('behavior: the same as a server on a unix socket, whole, streamed and refused', async () => {
    const applied = await network.cli('pod', 'apply', '-f', join(ROOT, 'examples/word-count-http/pod.yaml'))
    expect(applied, applied.stderr).toMatchObject({ code: 0 })
    const input = { text: 'the cat and the dog' }
    const answer = await eventually(
      'an answer of the server',
      async () => {
        const got = await post({ model: 'word-count-http', input })
        return got.status === 200 ? got : null
      },
      60_000,
    )
    const words = '{"word":"the","times":2}\n{"word":"cat","times":1}\n{"word":"and","times":1}\n{"word":"dog","times":1}\n'
    expect(answer.json).toMatchObject({ output: words, finish_reason: 'stop', usage: { jobs: 1, output_bytes: words.length } })
    const streamed = await post({ model: 'word-count-http', input, stream: true })
    expect(streamed.text).toContain('job.chunk')
    expect(await post({ model: 'word-count-http', input: 5 })).toMatchObject({ status: 400, json: { error: { param: 'input.text' } } })
  })

  test('behavior: a changed file shows what differs, is a new version, and can be taken back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heurist-apply-'))
    const text = readFileSync(join(ROOT, 'examples/word-count/pod.yaml'), 'utf8')
    copyFileSync(join(ROOT, 'examples/word-count/word-count.mjs'), join(folder, 'word-count.mjs'))
    const file = join(folder, 'pod.yaml')
    writeFileSync(file, text.replace('maxOutputBytes: 65536', 'maxOutputBytes: 64'))
    const apply = (...flags: string[]) => network.cli('pod', 'apply', '-f', file, ...flags)
    const dry = await apply('--dry-run')
    expect(dry.stdout).toContain('~ spec.command.maxOutputBytes: 65536 -> 64')
    expect(dry.stdout).toContain('would be changed from version 1')
    expect((await apply('--yes')).stdout).toContain('word-count version 2')
    expect((await apply()).stdout).toContain('unchanged (version 2)')
    const reason = () =>
      eventually(
        'an answer of the new version',
        async () => {
          const answer = await post({ model: 'word-count', input: { text: 'a b c d e f g' } })
          return answer.status === 200 ? answer.json.finish_reason : null
        },
        60_000,
      )
    expect(await reason()).toBe('length')
    const history = await network.cli('pod', 'history', 'word-count')
    expect(history.stdout).toMatch(/2 \(now\).*spec\.command\.maxOutputBytes/)
    expect((await network.cli('pod', 'rollback', 'word-count')).stdout).toContain('as in version 1 again (version 3)')
    expect(await reason()).toBe('stop')
    expect((await network.cli('pod', 'rollback', 'word-count', '--to', '9')).code).toBe(2)
  })

  test('error: a manifest with a mistake says the line and column, and nothing is applied', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heurist-mistake-'))
    writeFileSync(
      join(folder, 'pod.yaml'),
      readFileSync(join(ROOT, 'examples/word-count/pod.yaml'), 'utf8').replace('runtime: command', 'runtime: comand'),
    )
    const { code, stderr } = await network.cli('pod', 'apply', '-f', join(folder, 'pod.yaml'))
    expect(code).not.toBe(0)
    expect(stderr).toContain('line 9, column 12: spec.runtime is "comand"')
    copyFileSync(join(ROOT, 'examples/word-count/pod.yaml'), join(folder, 'pod.yaml'))
    writeFileSync(join(folder, 'word-count.mjs'), '')
    expect((await network.cli('pod', 'apply', '-f', join(folder, 'pod.yaml'))).stderr).toContain(
      `${join(folder, 'word-count.mjs')} is empty`,
    )
  })

  test('behavior: a manifest from standard input, its file in the working folder', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'src/bin/heurist.ts'), 'pod', 'apply', '-f', '-', '--dry-run'],
      {
        cwd: join(ROOT, 'examples/word-count'),
        env: { ...process.env, HEURIST_HOME: home, NO_COLOR: '1' },
        input: readFileSync(join(ROOT, 'examples/word-count/pod.yaml'), 'utf8').replace('name: word-count', 'name: piped'),
        encoding: 'utf8',
      },
    )
    expect(status, stderr).toBe(0)
    expect(stdout).toContain(`spec.model.source: "file:${join(ROOT, 'examples/word-count/word-count.mjs')}"`)
    expect(stdout).toContain('piped would be created')
  })

  test("behavior: the program's log, once and followed", async () => {
    const line = (characters: number) => `counting ${characters} characters`
    const logs = await eventually(
      'a log',
      async () => {
        await post({ model: 'word-count', input: { text: 'seventeen letters' } })
        const { stdout } = await network.cli('pod', 'logs', 'word-count')
        return stdout.includes(line(17)) ? stdout : null
      },
      60_000,
    )
    expect(logs).toMatch(/^\d{4}-\d{2}-\d{2} [\d:]+ 0x[0-9a-f]+…[0-9a-f]+ counting \d+ characters$/m)
    const following = spawn(process.execPath, [join(ROOT, 'src/bin/heurist.ts'), 'pod', 'logs', '-f', 'word-count'], {
      env: { ...process.env, HEURIST_HOME: home, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    following.stdout.on('data', (bytes: Buffer) => {
      said += bytes
    })
    await eventually('the old lines', async () => said.includes(line(17)), 60_000)
    await post({ model: 'word-count', input: { text: 'x'.repeat(123) } })
    await eventually('the new line', async () => said.includes(line(123)), 60_000)
    following.kill('SIGINT')
    expect(await new Promise(resolve => following.once('exit', resolve))).toBe(0)
    // Each line once, however often it was asked for.
    expect(said.split(line(123))).toHaveLength(2)
  })

  test('error: the versions and the log of a pod are for its deployer', async () => {
    const { gatewayUrl, apiKey, adminKey } = network.dev()
    const api = gatewayUrl.replace('/v1', '')
    const created = await fetch(`${api}/api/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'stranger', account: `0x${'ab'.repeat(20)}` }),
    })
    const { secret } = (await created.json()) as { secret: string } // cast: our own API
    const read = async (what: string, key: string): Promise<number> =>
      (await fetch(`${api}/api/${what}/word-count`, { headers: { authorization: `Bearer ${key}` } })).status
    for (const what of ['pod-versions', 'pod-logs']) {
      expect([await read(what, apiKey), await read(what, secret), await read(what, 'no-key')], what).toEqual([200, 404, 401])
    }
  })

  test('behavior: a secret reaches the program that names it, and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heurist-secret-'))
    writeFileSync(
      join(folder, 'vault.mjs'),
      `import { createHash } from 'node:crypto'
       console.log('{"ready":true}')
       process.stdin.on('data', data => {
         const { id } = JSON.parse(String(data).split('\\n')[0])
         console.error('my token is ' + process.env.TOKEN)
         console.log(JSON.stringify({ id, text: createHash('sha256').update(process.env.TOKEN).digest('hex') }))
         console.log(JSON.stringify({ id, done: true }))
       })`,
    )
    const manifest = {
      apiVersion: 'heurist/v1',
      kind: 'Pod',
      metadata: { name: 'vault' },
      spec: {
        runtime: 'command',
        engine: { name: 'command' },
        model: { id: 'vault', source: 'file:./vault.mjs' },
        command: { run: ['node', 'vault.mjs'], secrets: ['TOKEN'] },
        price: { input: 0, output: 0 },
      },
    }
    writeFileSync(join(folder, 'pod.json'), JSON.stringify(manifest))
    expect((await network.cli('pod', 'apply', '-f', join(folder, 'pod.json'))).code).toBe(0)
    await eventually(
      'the reason why it is not loaded',
      async () => (await network.cli('node', 'get', await onlyNode())).stdout.includes('heurist secret set 0x'),
      60_000,
    )
    const token = 'correct horse battery staple'
    const set = spawnSync(process.execPath, [join(ROOT, 'src/bin/heurist.ts'), 'secret', 'set', 'vault', 'TOKEN', '--json'], {
      env: { ...process.env, HEURIST_HOME: home },
      input: `${token}\n`,
      encoding: 'utf8',
    })
    expect(set.status, set.stderr).toBe(0)
    const { podId, nodes } = JSON.parse(set.stdout) as { podId: string; nodes: string[] } // cast: our own answer
    expect(nodes).toEqual(['node-1'])
    expect(statSync(join(home, 'nodes/node-1/secrets', podId, 'TOKEN')).mode & 0o777).toBe(0o600)
    const answer = await eventually(
      'an answer of the program',
      async () => {
        const got = await post({ model: 'vault', input: 0 })
        return got.status === 200 ? got : null
      },
      60_000,
    )
    expect(answer.json.output).toBe(createHash('sha256').update(token).digest('hex'))
    const logs = await eventually(
      'its log',
      async () => {
        const { stdout } = await network.cli('pod', 'logs', 'vault')
        return stdout.includes('my token is') ? stdout : null
      },
      60_000,
    )
    expect(logs).toContain('my token is [secret TOKEN]')
    const listed = await network.cli('secret', 'list', 'vault')
    expect(listed.stdout).toMatch(/node-1.*TOKEN/)
    const said = [
      logs,
      listed.stdout,
      set.stdout,
      set.stderr,
      ...readdirSync(join(home, 'logs')).map(file => readFileSync(join(home, 'logs', file), 'utf8')),
    ]
    expect(said.filter(text => text.includes(token))).toEqual([])
    expect((await network.cli('secret', 'delete', podId, 'TOKEN')).code).toBe(0)
    expect((await network.cli('secret', 'delete', podId, 'TOKEN')).code).toBe(4)
  })

  test('error: a secret of nothing that is here', async () => {
    const outcomes: [args: string[], code: number, message: string][] = [
      [['no-such-pod', 'TOKEN'], 4, 'No pod is named "no-such-pod"'],
      [['word-count', 'NO-NAME'], 2, 'is no name of an environment variable'],
      [['word-count', 'TOKEN', '--node', 'node-7'], 2, 'No node "node-7"'],
      [['word-count', 'TOKEN', '--from-file', '/no/such/file'], 2, 'can not be read'],
      [['word-count', 'TOKEN', '--from-file', '/dev/null'], 2, 'it is empty'],
    ]
    for (const [args, code, message] of outcomes) {
      const given = args.includes('--from-file') ? args : [...args, '--value', 'x']
      const result = await network.cli('secret', 'set', ...given)
      expect(result, args.join(' ')).toMatchObject({ code, stderr: expect.stringContaining(message) })
    }
  })

  test('error: a refused input costs nothing and names its member', async () => {
    const before = await credits()
    const { status, json } = await post({ model: 'word-count', input: { text: 5 } })
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: { param: 'input.text', message: expect.stringContaining('must be a text') } })
    expect(await credits()).toBe(before)
  })

  test('error: a program that pries or crashes harms only its own jobs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heurist-hostile-'))
    writeFileSync(
      join(folder, 'hostile.mjs'),
      `import fs from 'node:fs'
       console.log('{"ready":true}')
       process.stdin.on('data', data => {
         for (const line of String(data).trim().split('\\n')) {
           const { id, input } = JSON.parse(line)
           if (input === 'crash') process.exit(1)
           const read = path => { try { return fs.readFileSync(path, 'utf8') } catch (e) { return e.code } }
           console.log(JSON.stringify({ id, data: input.map(read) }))
           console.log(JSON.stringify({ id, done: true }))
         }
       })`,
    )
    writeFileSync(
      join(folder, 'pod.json'),
      JSON.stringify({
        apiVersion: 'heurist/v1',
        kind: 'Pod',
        metadata: { name: 'hostile' },
        spec: {
          runtime: 'command',
          engine: { name: 'command' },
          model: { id: 'hostile', source: 'file:./hostile.mjs' },
          command: { run: ['node', 'hostile.mjs'] },
          price: { input: 0, output: 0 },
        },
      }),
    )
    expect((await network.cli('pod', 'apply', '-f', join(folder, 'pod.json'))).code).toBe(0)
    const paths = [join(home, 'dev.json'), join(home, 'keys/treasury.json'), '/etc/shadow', join(folder, 'pod.json')]
    const pried = await eventually(
      'an answer of the hostile program',
      async () => {
        const answer = await post({ model: 'hostile', input: paths })
        return answer.status === 200 ? answer : null
      },
      60_000,
    )
    expect(JSON.parse(String(pried.json.output))).toEqual(paths.map(() => 'ENOENT'))
    const crashed = await post({ model: 'hostile', input: 'crash' })
    expect(crashed.status).toBeGreaterThanOrEqual(500)
    expect((await post({ model: 'word-count', input: { text: 'still here' } })).status).toBe(200)
  })
})
