import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, newHome, removeHome } from '../support/network.ts'
import { Cluster, type JobRow } from '../support/roles.ts'

/** Every role in processes of its own, two or more of each, on one database and one chain: any of them may die (laws L3, L5, L7, R3). */
describe('scale-out', () => {
  const home = newHome()
  const cluster = new Cluster(home)

  beforeAll(() => cluster.start(), 600_000)
  afterAll(async () => {
    await cluster.stop()
    removeHome(home)
  }, 60_000)

  test('default: both gateways serve, over both routers, and one of two sequencers settles', async () => {
    cluster.customers(3)
    await cluster.moreAnswers(12)
    expect(cluster.leader().output()).toContain('leads')
    await eventually('jobs on more than one node', async () => {
      const { data } = await cluster.read<{ data: { nodeId: string }[] }>('/api/jobs?limit=50')
      return new Set(data.map(({ nodeId }) => nodeId)).size > 1
    })
    await eventually('a batch', async () =>
      (await cluster.read<{ data: { state: string }[] }>('/api/batches')).data.some(({ state }) => state === 'confirmed'),
    )
  }, 180_000)

  test('behavior: the routers divide what a manifest allows: of one replica at most, one router has it, and both gateways serve it', async () => {
    const file = join(home, 'pod.json')
    const { stdout } = await cluster.cli('pod', 'history', 'heurist-tiny', '--json')
    const [{ manifest }] = JSON.parse(stdout) as [{ manifest: { spec: object } }] // cast: versions as the CLI prints them, newest first
    writeFileSync(file, JSON.stringify({ ...manifest, spec: { ...manifest.spec, scaling: { min: 1, max: 1 } } }))
    expect(await cluster.cli('pod', 'apply', '-f', file, '--yes')).toMatchObject({ code: 0 })
    await eventually(
      'one replica, at one of both routers',
      async () => {
        const { data } = await cluster.read<{ data: { name: string; warm: number; scale: { reasons: string[] } | null }[] }>('/api/pods')
        const pod = data.find(({ name }) => name === 'heurist-tiny')
        const allowed = pod?.scale?.reasons.map(reason => /may have (\d+)/.exec(reason)?.[1]).sort()
        return pod?.warm === 1 && allowed?.join() === '0,1'
      },
      120_000,
    )
    for (const url of cluster.gatewayUrls.values()) expect(await cluster.ask(url)).toBe(true)
    expect(await cluster.cli('pod', 'rollback', 'heurist-tiny')).toMatchObject({ code: 0 })
  }, 240_000)

  test('behavior: kill -9 of a router: its nodes go to the other, its jobs begin again there', async () => {
    await cluster.kill('router-0')
    await cluster.moreAnswers(6)
    await eventually(
      'all nodes at the router that is left',
      async () => (await cluster.read<{ nodes: { online: number } }>('/api/status')).nodes.online === 4,
      60_000,
    )
    await cluster.startRole('router-0')
    await cluster.moreAnswers(3)
  }, 240_000)

  test('behavior: kill -9 of a gateway: the other serves on; started again it ends what it left, and has its money back', async () => {
    await cluster.kill('gateway-1')
    await cluster.moreAnswers(6)
    await cluster.startRole('gateway-1')
    await cluster.moreAnswers(3)
    await eventually('no job of the dead gateway left open', async () => {
      const { data } = await cluster.read<{ data: JobRow[] }>('/api/jobs?limit=200&state=held')
      return data.every(({ jobId }) => !cluster.acknowledged.has(jobId))
    })
  }, 240_000)

  test('behavior: kill -9 of the sequencer that leads: the other one takes over, no batch twice', async () => {
    const { name } = cluster.leader()
    const other = name === 'sequencer-0' ? 'sequencer-1' : 'sequencer-0'
    cluster.leader().kill('SIGKILL')
    await cluster.roles.get(other)?.says(/: leads/, 60_000)
    await cluster.moreAnswers(6)
    await cluster.startRole(name)
    expect(cluster.leader().name).toBe(other)
  }, 240_000)

  test('behavior: kill -9 of a node: its jobs are done by others', async () => {
    await cluster.kill('node-0')
    await cluster.moreAnswers(6)
    await cluster.startRole('node-0')
    await cluster.moreAnswers(3)
  }, 240_000)

  test('behavior: a rolling restart of the routers loses no request that is tried once', async () => {
    await cluster.customersLeave()
    cluster.refusals.length = 0
    cluster.customers(2)
    for (const name of ['router-0', 'router-1']) {
      expect(await cluster.roles.get(name)?.stop()).toBe(0)
      await cluster.startRole(name)
      await cluster.moreAnswers(4)
    }
    await cluster.customersLeave()
    expect(cluster.refusals).toEqual([])
  }, 240_000)

  test('default: after all that everything acknowledged is settled once, and the books agree with the chain', async () => {
    await cluster.customersLeave()
    await cluster.expectNothingLost()
  }, 420_000)
})
