import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { removeHome } from '../support/network.ts'
import { ROOT } from '../support/source.ts'

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }
type Started = {
  readonly child: ChildProcess
  readonly text: () => string
  readonly ready: Promise<boolean>
  readonly ended: Promise<Ended>
}

/** The CLI as a child process in a folder of its own, with nothing of this machine's settings. */
function start(folder: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}): Started {
  const environment = {
    PATH: process.env.PATH,
    NO_COLOR: '1',
    HEURIST_HOME: join(folder, 'home'),
    HEURIST_DEV_NODES: '0',
    HEURIST_GATEWAY_PORT: '0',
    HEURIST_CHAIN_PORT: '0',
    HEURIST_METRICS_PORT: '0',
    ...extra,
  }
  const child = spawn(process.execPath, [join(ROOT, 'src/bin/heurist.ts'), ...args], { cwd: folder, env: environment, stdio: 'pipe' })
  const ready = Promise.withResolvers<boolean>()
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += String(chunk)
    if (/^ready$/m.test(stdout)) ready.resolve(true)
  })
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  const ended = new Promise<Ended>(resolve => child.once('close', code => resolve({ code, stdout, stderr })))
  void ended.then(() => ready.resolve(false))
  return { child, ended, ready: ready.promise, text: () => stdout + stderr }
}

const run = (folder: string, args: readonly string[], extra?: NodeJS.ProcessEnv): Promise<Ended> => start(folder, args, extra).ended

async function startReady(folder: string, extra?: NodeJS.ProcessEnv): Promise<Started> {
  const started = start(folder, ['up'], extra)
  if (!(await started.ready)) throw new Error(`the network ended before it was ready:\n${started.text()}`)
  return started
}

async function stop({ child, ended }: Started): Promise<number | null> {
  child.kill('SIGINT')
  return (await ended).code
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'heurist-config-'))

describe('settings', () => {
  let folder: string
  beforeEach(() => {
    folder = newFolder()
  })
  afterEach(() => removeHome(folder))

  const write = (text: string): void => writeFileSync(join(folder, 'heurist.config.json'), text)
  type Explained = { name: string; value: string; unit: string; source: string; environment: string }
  const explain = async (extra?: NodeJS.ProcessEnv): Promise<Map<string, Explained>> => {
    const { code, stdout } = await run(folder, ['config', 'explain', '--json'], extra)
    expect(code).toBe(0)
    return new Map((JSON.parse(stdout) as Explained[]).map(entry => [entry.name, entry])) // cast: our own CLI
  }

  test('error: an unknown key is named, with the known ones', async () => {
    write('{ "gatewayPrt": 9000 }')
    const { code, stdout, stderr } = await run(folder, ['config', 'explain'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('"gatewayPrt"')
    for (const known of ['gatewayPort', 'chainPort', 'batchMaxAgeMs', 'databaseUrl']) expect(stderr).toContain(known)
    expect(existsSync(join(folder, 'home'))).toBe(false)
  })

  for (const [label, file, environment, parts] of [
    ['a port out of range', '{ "chainPort": 70000 }', { HEURIST_CHAIN_PORT: '' }, ['chainPort', '70000', 'heurist.config.json']],
    [
      'a time with a unit',
      '{}',
      { HEURIST_BATCH_MAX_AGE_MS: '2s' },
      ['batchMaxAgeMs', '(ms)', '"2s"', 'HEURIST_BATCH_MAX_AGE_MS', 'without'],
    ],
    ['nothing where a number belongs', '{ "queueMaxJobs": null }', {}, ['queueMaxJobs', 'null', 'heurist.config.json', 'whole number']],
    ['a level that is none', '{}', { HEURIST_LOG_LEVEL: 'loud' }, ['logLevel', '"loud"', 'HEURIST_LOG_LEVEL', 'debug']],
  ] as const) {
    test(`error: ${label} is refused with setting, value and source`, async () => {
      write(file)
      const { code, stderr } = await run(folder, ['up'], environment)
      expect(code).toBe(2)
      for (const part of parts) expect(stderr).toContain(part)
      expect(existsSync(join(folder, 'home'))).toBe(false)
    })
  }

  test('error: a file that is not JSON, or no object, is refused by its path', async () => {
    write('{ gatewayPort: 9000')
    const broken = await run(folder, ['up'])
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringMatching(/heurist\.config\.json is not valid JSON\. Correct it/)])
    write('[]')
    const list = await run(folder, ['config', 'explain', '--json'])
    expect([list.code, JSON.parse(list.stdout)]).toEqual([2, { error: expect.objectContaining({ code: 'CONFIG_UNREADABLE' }) }])
  })

  test('behavior: the environment wins over the file, the file over the default, and each says so', async () => {
    write('{ "batchMaxJobs": 7, "drainMs": 3000 }')
    const explained = await explain({ HEURIST_BATCH_MAX_JOBS: '9' })
    expect(explained.get('batchMaxJobs')).toMatchObject({ value: '9', source: 'HEURIST_BATCH_MAX_JOBS', unit: 'jobs' })
    expect(explained.get('drainMs')).toMatchObject({ value: '3000', source: 'heurist.config.json', environment: 'HEURIST_DRAIN_MS' })
    expect(explained.get('queueMaxJobs')).toMatchObject({ value: '1000', source: 'default' })
  })

  test('behavior: passwords and keys are not printed', async () => {
    for (const url of [
      'postgres://heurist:hush@db:5432/x',
      'postgres://heurist:hu@hush@db:5432/x',
      'postgres://db/x?user=h&password=hush',
    ]) {
      const secrets = { DATABASE_URL: url, HEURIST_API_KEY: 'hk_hush' }
      const { code, stdout, stderr } = await run(folder, ['config', 'explain'], secrets)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).not.toContain('hush')
      expect((await explain(secrets)).get('databaseUrl')?.value).toMatch(/^postgres:.*\bdb\b.*x/)
    }
  }, 60_000)

  test('behavior: the help lists commands and exit codes; an unknown command is wrong usage', async () => {
    const help = await run(folder, ['--help'])
    expect(help.code).toBe(0)
    for (const name of ['up', 'status', 'node', 'pod', 'job', 'key', 'credit', 'audit', 'receipt', 'config', 'doctor'])
      expect(help.stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
    expect(help.stdout).toMatch(/Exit codes: 0 done, 1 failed, 2 wrong usage.*3 .*4 not found/)
    const unknown = await run(folder, ['stauts'])
    expect([unknown.code, unknown.stdout]).toEqual([2, ''])
    expect(unknown.stderr).toMatch(/unknown command 'stauts'.*Did you mean status/s)
  })

  test('error: status without a network says how to start one', async () => {
    const { code, stderr } = await run(folder, ['status'])
    expect([code, stderr]).toEqual([3, expect.stringMatching(/No network runs from .*home\. Start one with: npm start/)])
  })

  test('behavior: doctor names the one cause when the network was killed, and npm start as the fix for all of it', async () => {
    const gone = spawnSync(process.execPath, ['--version']).pid
    const url = 'http://127.0.0.1:9'
    const dev = {
      ...{ gatewayUrl: `${url}/v1`, consoleUrl: url, metricsUrl: `${url}/metrics`, rpcUrl: url, chainId: 31_337 },
      ...{ apiKey: 'k', adminKey: 'k', developer: `0x${'1'.repeat(40)}`, contracts: {} },
      ...{ models: { chat: 'a', embedding: 'b' }, pids: { main: gone } },
    }
    const node = join(folder, 'home/nodes/node-1')
    mkdirSync(node, { recursive: true })
    writeFileSync(join(folder, 'home/dev.json'), JSON.stringify(dev))
    writeFileSync(join(node, 'status.json'), JSON.stringify({ atMs: 0, pid: gone, nodeId: dev.developer, checks: [] }))
    const { code, stdout } = await run(folder, ['doctor', '--json'])
    const { checks } = JSON.parse(stdout) as { checks: { name: string; ok: boolean; detail: string; fix: string }[] } // cast: our own CLI
    expect([code, checks.map(({ name, ok }) => [name, ok])]).toEqual([
      1,
      [
        ['network', false],
        ['node-1: process', false],
      ],
    ])
    expect(checks[0]?.detail).toContain(`(${gone}) is gone`)
    for (const { name, fix } of checks) expect(fix, name).toContain('npm start')
  })
})

describe('start', () => {
  const folder = newFolder()
  const home = join(folder, 'home')
  let last: Started | null = null
  beforeAll(async () => {
    last = await startReady(folder)
    expect(await stop(last)).toBe(0)
  }, 60_000)
  afterEach(async () => {
    if (last && last.child.exitCode === null) await stop(last)
  }, 30_000)
  afterAll(() => removeHome(folder))

  const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
  /** What must never change by a refused start: keys, chain, deployment. */
  const fingerprint = (): Record<string, string> =>
    Object.fromEntries(
      ['keys', 'chain'].flatMap(name =>
        (existsSync(join(home, name)) ? readdirSync(join(home, name)) : []).map(file => [
          `${name}/${file}`,
          hashOf(join(home, name, file)),
        ]),
      ),
    )

  test('behavior: taken ports are replaced by free ones, and said', async () => {
    const strangers = [0, 1, 2].map(() => createServer((_request, response) => response.end('stranger')).listen(0, '127.0.0.1'))
    await Promise.all(strangers.map(server => server.listening || new Promise(resolve => server.once('listening', resolve))))
    const [gateway, chain, metrics] = strangers.map(server => (server.address() as AddressInfo).port) // cast: they listen on TCP
    last = await startReady(folder, {
      HEURIST_GATEWAY_PORT: String(gateway),
      HEURIST_CHAIN_PORT: String(chain),
      HEURIST_METRICS_PORT: String(metrics),
    })
    const dev = JSON.parse(readFileSync(join(home, 'dev.json'), 'utf8')) as Record<'gatewayUrl' | 'rpcUrl' | 'metricsUrl', string> // cast: our own file
    for (const [name, wanted, url] of [
      ['gateway', gateway, dev.gatewayUrl],
      ['chain', chain, dev.rpcUrl],
      ['metrics', metrics, dev.metricsUrl],
    ] as const) {
      expect(last.text()).toContain(`port ${wanted} is taken: the ${name} listens on ${new URL(url).port}\n`)
      expect(new URL(url).port).not.toBe(String(wanted))
    }
    expect((await fetch(`${dev.gatewayUrl}/models`)).status).toBe(200)
    expect(await (await fetch(dev.metricsUrl)).text()).toContain('heurist_gateway_running_jobs')
    expect(await stop(last)).toBe(0)
    for (const server of strangers) server.close()
  }, 40_000)

  test('error: a second start in the same home is refused with the process and the way out; the first goes on', async () => {
    last = await startReady(folder)
    const second = await run(folder, ['up'])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(`(process ${last.child.pid})`)
    expect(second.stderr).toMatch(/Stop it with Ctrl-C there, or use another folder: HEURIST_HOME=/)
    expect((await run(folder, ['status'])).code).toBe(0)
    expect(await stop(last)).toBe(0)
  }, 40_000)

  for (const [file, damage, says] of [
    ['keys/developer.json', 'half', /does not hold a key\. Restore it from a backup/],
    ['keys/developer.json', 'gone', /is gone: it is the key of 0x[0-9a-f]{40}\. Nothing was changed\. Restore it from a backup/],
    ['keys/sequencer.json', 'gone', /is gone: it is the key of 0x/],
    ['chain', 'gone', /chain is gone\. Nothing was changed\. Restore it from a backup\..*mv .*home .*home\.old/],
    ['database', 'gone', /database is gone\. .*heurist backup restore <folder>/],
    ['chain/state.json', 'half', /is damaged: its checksum does not fit\. .*mv /],
    ['chain/state.json', 'gone', /is missing\. .*mv /],
    ['chain/deployment.json', 'half', /is damaged: .*Restore it from a backup/],
    ['chain/deployment.json', 'gone', /is gone: .*Restore it from a backup/],
    ['database/data/PG_VERSION', 'gone', /has no PG_VERSION file.*Restore .* from a backup/],
  ] as const) {
    test(`error: ${file} ${damage}: the start says so with the fix, and changes nothing`, async () => {
      const path = join(home, file)
      const whole = statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0)
      // Moved away and back, so that the database's file keeps its owner.
      if (damage === 'gone') renameSync(path, join(folder, 'aside'))
      else writeFileSync(path, whole.subarray(0, whole.length / 2))
      const before = fingerprint()
      const { code, stderr } = await run(folder, ['up'])
      const after = fingerprint()
      // Folders are made empty before anything is looked at.
      if (damage === 'gone') rmSync(path, { recursive: true, force: true })
      if (damage === 'gone') renameSync(join(folder, 'aside'), path)
      else writeFileSync(path, whole)
      expect([code, stderr]).toEqual([1, expect.stringMatching(says)])
      expect(stderr).toContain(file.startsWith('database/') ? join(home, 'database/data') : path)
      // A chain that was opened before the damage was found writes its snapshot again when it closes.
      const opened = file !== 'keys/developer.json' && file !== 'chain/state.json'
      const kept = (all: Record<string, string>) => Object.entries(all).filter(([name]) => !(opened && name.startsWith('chain/state.json')))
      expect(kept(after)).toEqual(kept(before))
      expect(existsSync(join(home, 'up.pid'))).toBe(false)
    }, 30_000)
  }

  test('error: a key that is not the network’s is refused with both accounts', async () => {
    const path = join(home, 'keys/sequencer.json')
    const own = readFileSync(path)
    writeFileSync(path, readFileSync(join(home, 'keys/router.json')))
    const { code, stderr } = await run(folder, ['up'])
    writeFileSync(path, own)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/holds the key of 0x[0-9a-f]{40}; that of this network is 0x[0-9a-f]{40}/)])
  }, 30_000)

  test('behavior: a damaged API key of the developer is made anew, since what is printed must work', async () => {
    const path = join(home, 'keys/dev-api-key')
    writeFileSync(path, 'garbage')
    last = await startReady(folder)
    expect((await run(folder, ['credit', 'show'])).code).toBe(0)
    expect(readFileSync(path, 'utf8')).toMatch(/^hk_[0-9a-f]{64}$/)
    expect(await stop(last)).toBe(0)
  }, 40_000)

  test('behavior: with everything restored the network starts again, with the same keys and contracts', async () => {
    const before = fingerprint()
    last = await startReady(folder)
    expect((await run(folder, ['status'])).code).toBe(0)
    expect(await stop(last)).toBe(0)
    const after = fingerprint()
    for (const name of Object.keys(before).filter(key => !key.includes('state.json'))) expect(after[name]).toBe(before[name])
  }, 40_000)
})
