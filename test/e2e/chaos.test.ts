import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../simulation/random.ts'
import { eventually, isAlive, newHome, removeHome } from '../support/network.ts'
import { Cluster } from '../support/roles.ts'
import { ROOT } from '../support/source.ts'

/** `npm run chaos -- --kills 1000 --seed 7` sets them. */
const KILLS = Number(process.env.HEURIST_CHAOS_KILLS ?? 30)
const SEED = Number(process.env.HEURIST_CHAOS_SEED ?? 1)
const PAUSE_MS = 30_000
const CHAIN_AWAY_MS = 60_000
const CLOCK_JUMP = `--import=${pathToFileURL(join(ROOT, 'test/support/clock-jump.mjs'))}`

const readProcess = (pid: string, file: 'stat' | 'cmdline'): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It ended meanwhile.
    return ''
  }
}

/** The first of a process's descendants on every line whose command has the word. Linux only, like the machines that run these tests. */
function descendants(pid: number, word: RegExp): number[] {
  const children = readdirSync('/proc').filter(
    name => /^\d+$/.test(name) && Number(/\) \S (\d+)/.exec(readProcess(name, 'stat'))?.[1]) === pid,
  )
  return children.flatMap(name => (word.test(readProcess(name, 'cmdline')) ? [Number(name)] : descendants(Number(name), word)))
}

/** What a data centre does to processes, on real ones under load: nothing acknowledged is lost, settled twice or left behind. */
describe.skipIf(process.platform !== 'linux')('chaos', () => {
  const home = newHome()
  const cluster = new Cluster(home, { HEURIST_GATEWAY_RETIRE_MS: '20000' })
  const random = seededRandom(SEED)
  const roles = ['router-0', 'router-1', 'gateway-0', 'gateway-1', 'sequencer-0', 'sequencer-1', 'node-0', 'node-1', 'node-2', 'node-3']
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!

  beforeAll(async () => {
    process.stdout.write(`chaos: seed ${SEED}\n`)
    await cluster.start()
    // Enough to be under way at any moment, few enough to be looked at one by one in the end.
    cluster.customers(3, { restMs: 150 })
  }, 600_000)
  afterAll(async () => {
    await cluster.stop()
    removeHome(home)
  }, 180_000)

  test(
    `behavior: ${KILLS} times kill -9 of a random role`,
    async () => {
      for (let kill = 1; kill <= KILLS; kill++) {
        const name = oneOf(roles)
        await cluster.moreAnswers(1 + Math.floor(random() * 3))
        await cluster.kill(name)
        if (random() < 0.5) await cluster.moreAnswers(1)
        await cluster.startRole(name)
        if (kill % 100 === 0) process.stdout.write(`chaos: ${kill} of ${KILLS}\n`)
      }
      await cluster.moreAnswers(3)
    },
    120_000 + KILLS * 30_000,
  )

  test('behavior: kill -9 of the database server', async () => {
    const [server = 0] = descendants(cluster.infrastructure.pid, /postgres/)
    process.kill(server, 'SIGKILL')
    await eventually('another server', async () => descendants(cluster.infrastructure.pid, /postgres/).some(pid => pid !== server), 60_000)
    await cluster.moreAnswers(3)
  }, 240_000)

  test('behavior: a chain that is silent for a minute, and a router and a node that stand still for half of it, hold no answer up', async () => {
    const [chain = 0] = descendants(cluster.infrastructure.pid, /anvil/)
    const paused = ['router-0', 'node-1'].map(name => cluster.roles.get(name)!)
    process.kill(chain, 'SIGSTOP')
    const startMs = Date.now()
    for (const role of paused) role.kill('SIGSTOP')
    await cluster.moreAnswers(5)
    await eventually('half a minute to pass', async () => Date.now() > startMs + PAUSE_MS, 2 * PAUSE_MS)
    for (const role of paused) role.kill('SIGCONT')
    await cluster.moreAnswers(3)
    await eventually('the minute to pass', async () => Date.now() > startMs + CHAIN_AWAY_MS, 2 * CHAIN_AWAY_MS)
    if (isAlive(chain)) process.kill(chain, 'SIGCONT')
    await cluster.moreAnswers(3)
  }, 360_000)

  test('behavior: a gateway, a router and a node whose clocks jump an hour ahead and back', async () => {
    const jumping = ['gateway-1', 'router-1', 'node-2']
    for (const name of jumping) {
      await cluster.kill(name)
      await cluster.startRole(name, { NODE_OPTIONS: CLOCK_JUMP })
    }
    await cluster.moreAnswers(3)
    for (const name of [...jumping, ...jumping]) {
      cluster.roles.get(name)?.kill('SIGUSR2')
      await cluster.moreAnswers(3)
    }
    expect(jumping.filter(name => !isAlive(cluster.roles.get(name)?.pid ?? 0))).toEqual([])
  }, 240_000)

  test('default: after all that everything acknowledged is settled once, no hold is left, and the books agree with the chain', async () => {
    await cluster.customersLeave()
    await cluster.expectNothingLost()
    const open = async (state: string): Promise<number> =>
      (await cluster.read<{ data: unknown[] }>(`/api/jobs?limit=5&state=${state}`)).data.length
    await eventually('no open job', async () => (await open('held')) + (await open('leased')) === 0, 60_000)
  }, 420_000)
})
