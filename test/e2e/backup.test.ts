import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cliIn, eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

/** The drill of the runbook: jobs run, a backup is made under way, everything is lost, and a new machine has it all again. */

const [home, backups] = [newHome(), mkdtempSync(join(tmpdir(), 'heurist-backups-'))]
const newMachine = newHome()
const networks: Network[] = []
afterAll(async () => {
  for (const network of networks) await network.stop()
  for (const folder of [home, newMachine, backups]) removeHome(folder)
}, 120_000)

async function start(folder: string): Promise<Network> {
  const network = await startNetwork(folder, { HEURIST_DEV_NODES: '1' })
  networks.push(network)
  return network
}

async function answerOf<T>(network: Network, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await network.cli(...args, '--json')
  expect(code, `${args.join(' ')}: ${stderr}${stdout}`).toBe(0)
  return JSON.parse(stdout) as T // cast: our own CLI
}

type Job = {
  jobId: string
  state: string
  price: string
  receipt: { digest: string } | null
  batch: { number: number; state: string } | null
}
const jobOf = (network: Network, id: string): Promise<Job> => answerOf<Job>(network, 'job', 'get', id)

async function ask(network: Network): Promise<string> {
  const { response } = await network
    .client()
    .chat.completions.create({ model: network.dev().models.chat, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 })
    .withResponse()
  return response.headers.get('x-heurist-job-id') ?? ''
}

test('behavior: balances, receipts and the audit of money survive the loss of everything but a backup', async () => {
  const first = await start(home)
  const ids = [await ask(first), await ask(first), await ask(first)]
  await eventually(
    'settlement',
    async () => (await Promise.all(ids.map(id => jobOf(first, id)))).every(job => job.batch?.state === 'confirmed'),
    120_000,
  )
  const before = { balances: await answerOf(first, 'credit', 'show'), jobs: await Promise.all(ids.map(id => jobOf(first, id))) }

  const folder = join(backups, 'monday')
  const manifest = await answerOf<{ beside: string[]; tables: { name: string; rows: number }[] }>(first, 'backup', 'create', folder)
  expect(manifest.tables.find(({ name }) => name === 'receipts')?.rows).toBe(3)
  expect(manifest.beside).toEqual(expect.arrayContaining(['keys/router.json', 'keys/sequencer.json', 'chain/deployment.json']))
  expect((await first.cli('backup', 'restore', folder)).stderr).toMatch(/already runs/)
  expect(await first.stop()).toBe(0)
  // What the manifest says must be saved beside the database; a real chain would keep itself.
  const safe = join(backups, 'beside')
  for (const path of manifest.beside) copyFile(join(home, path), join(safe, path))
  rmSync(home, { recursive: true })

  cpSync(safe, newMachine, { recursive: true })
  const restored = await cliIn(newMachine, 'backup', 'restore', folder)
  expect(restored.code, restored.stderr).toBe(0)
  expect(restored.stdout).not.toContain('Put these files')
  const second = await start(newMachine)
  expect(await answerOf(second, 'credit', 'show')).toEqual(before.balances)
  expect(await Promise.all(ids.map(id => jobOf(second, id)))).toEqual(before.jobs)

  const next = await ask(second)
  await eventually('settlement after the restore', async () => (await jobOf(second, next)).batch?.state === 'confirmed', 120_000)
  expect(await answerOf<{ ok: boolean; problems: string[] }>(second, 'audit', 'money')).toMatchObject({ ok: true, problems: [] })
  expect((await second.cli('backup', 'restore', folder)).code).toBe(1)
}, 600_000)

function copyFile(from: string, to: string): void {
  expect(existsSync(from), from).toBe(true)
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to)
}
