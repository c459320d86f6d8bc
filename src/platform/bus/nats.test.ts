import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { busConformance } from './conformance.ts'
import { createNatsBus } from './nats.ts'
import { type NatsServer, NO_NATS_SERVER, startNatsServer } from './testing/nats-server.ts'

const dependencies = { logger: silentLogger, clock: systemClock }

let server: NatsServer
beforeAll(async () => {
  if (NO_NATS_SERVER === undefined) server = await startNatsServer()
})
afterAll(() => server?.stop())

busConformance(
  'NATS',
  async () => ({
    open: () => createNatsBus({ url: server.url }, dependencies),
    interrupt: () => server.restart(),
  }),
  NO_NATS_SERVER,
)

describe.skipIf(NO_NATS_SERVER !== undefined)(NO_NATS_SERVER ? `NATS bus (skipped: ${NO_NATS_SERVER})` : 'NATS bus', () => {
  test('behavior: user and password, or a token, are in the URL', async () => {
    for (const [more, userinfo] of [
      [['--user', 'heurist', '--pass', 's:cret/'], 'heurist:s%3Acret%2F'],
      [['--auth', 'the-token'], 'the-token'],
    ] as const) {
      const guarded = await startNatsServer(...more)
      const bus = await createNatsBus({ url: guarded.url.replace('//', `//${userinfo}@`) }, dependencies)
      await bus.stop()
      const refused = createNatsBus({ url: guarded.url }, dependencies)
      await expect(refused).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
      await guarded.stop()
    }
  })
})

test('error: no NATS server', async () => {
  const refused = createNatsBus({ url: 'nats://user:secret@127.0.0.1:1', connectTimeoutMs: 2_000 }, dependencies)
  await expect(refused).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE', retryable: true, message: expect.not.stringContaining('secret') })
})
