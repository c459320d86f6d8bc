import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Chain, type Database, type IndexedEvent, silentLogger, systemClock } from '#platform'
import { createBlobStore } from '#platform/blobs'
import { setPodActive } from '#platform/chain'
import { startTestChain, type TestChain } from '#platform/chain/testing'
import { HeuristError, type PodId, type PodRecord } from '#protocol'
import { BUILTIN_CHAT_POD, BUILTIN_EMBEDDING_POD, CHAT_MANIFEST, createPodServices, type PodNews, type PodServices } from './pods.ts'

const named = (name: string) => ({ ...CHAT_MANIFEST, metadata: { ...CHAT_MANIFEST.metadata, name } })

describe('pod services', () => {
  const directory = mkdtempSync(join(tmpdir(), 'heurist-pods-'))
  let testChain: TestChain
  let stored: PodRecord[] = []
  let published: readonly PodRecord[] = []
  let tell: (events: readonly IndexedEvent[] | null) => void
  let news: Parameters<PodNews['listen']>[0]
  let publications = 0
  let services: PodServices

  const put = async (pod: PodRecord): Promise<void> => {
    stored = [...stored.filter(({ podId }) => podId !== pod.podId), pod]
  }
  const open = async (chain: Chain = testChain.chain): Promise<PodServices> => {
    services?.stop()
    services = createPodServices({
      chain,
      database: {
        pods: { list: async () => stored, put },
      } as unknown as Database, // cast: nothing else is asked
      blobs: createBlobStore({ directory }),
      dispatcher: {
        publishPods: pods => {
          published = pods
          publications += 1
        },
      },
      indexer: {
        onEvents: listener => {
          tell = listener
          return () => undefined
        },
      },
      news: {
        tell: () => undefined,
        listen: listener => {
          news = listener
          return () => undefined
        },
      },
      deployer: testChain.treasury,
      clock: systemClock,
      logger: silentLogger,
    })
    await services.start()
    return services
  }
  const names = (pods: readonly PodRecord[]): string[] => pods.map(({ name }) => name).sort()
  const changed = [{ name: 'PodActivityChanged' } as IndexedEvent] // cast: only the name is looked at
  const served = (...expected: string[]): Promise<void> =>
    vi.waitFor(
      () => {
        expect(names(services.catalog.list())).toEqual(expected)
        expect(names(published)).toEqual(expected)
      },
      { timeout: 20_000, interval: 20 },
    )

  beforeAll(async () => {
    testChain = await startTestChain()
  })
  afterAll(async () => {
    services?.stop()
    await testChain?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  test('default: a pod that is removed is inactive on chain and not served, also not by the next process; deployed again it is both', async () => {
    await open()
    const { podId } = await services.deploy(named('acme/one'), null)
    await served('acme/one')
    expect(await services.remove('acme/one')).toBe(true)
    expect(await testChain.chain.podActive(podId as PodId)).toBe(false) // cast: as the chain made it
    await served()
    expect(await services.remove('acme/one')).toBe(false)
    await open()
    await served()
    expect(await services.deploy(named('acme/one'), null)).toEqual({ podId, version: 1 })
    expect(await testChain.chain.podActive(podId as PodId)).toBe(true) // cast: as above
    await served('acme/one')
  })

  test('behavior: what the deployer tells the chain itself is followed, in both directions', async () => {
    await open()
    const pod = services.catalog.byName('acme/one')
    await setPodActive(testChain.chain, testChain.treasury, pod!.podId, false)
    tell(changed)
    await served()
    await setPodActive(testChain.chain, testChain.treasury, pod!.podId, true)
    // A re-org is told as null: anything may have changed.
    tell(null)
    await served('acme/one')
  })

  test('behavior: a look asks the chain about no pod that is active and tells nodes only of a change; news asks about all', async () => {
    const asked: PodId[] = []
    const podActive: Chain['podActive'] = podId => {
      asked.push(podId)
      return testChain.chain.podActive(podId)
    }
    await open({ ...testChain.chain, podActive })
    const [known] = stored
    asked.length = 0
    publications = 0
    // A pod of another process, in the database before anyone has told of it.
    stored = [...stored, { ...known!, podId: `0x${'7'.repeat(64)}`, name: 'acme/unregistered' }]
    news.look()
    await vi.waitFor(() => expect(asked).toEqual([`0x${'7'.repeat(64)}`]))
    news.look()
    news.told()
    await vi.waitFor(() => expect(asked).toHaveLength(4))
    await services.refresh()
    expect([asked.length, publications]).toEqual([6, 0])
    stored = [known!]
  })

  test('behavior: while the chain is away what is served stays', async () => {
    let isAway = false
    const away = () => Promise.reject(new HeuristError('CHAIN_UNAVAILABLE', 'The chain is away.'))
    const podActive: Chain['podActive'] = podId => (isAway ? away() : testChain.chain.podActive(podId))
    await open({ ...testChain.chain, podActive })
    isAway = true
    tell(changed)
    await expect(services.remove('acme/one')).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
    await served('acme/one')
  })

  test('behavior: a built-in pod that was taken off the network stays off at the next start', async () => {
    await open()
    await services.deployBuiltins()
    await served('acme/one', BUILTIN_CHAT_POD, BUILTIN_EMBEDDING_POD)
    await services.remove(BUILTIN_EMBEDDING_POD)
    await open()
    await services.deployBuiltins()
    await served('acme/one', BUILTIN_CHAT_POD)
  })
})
