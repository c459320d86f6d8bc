import { expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { openBus } from './open.ts'

const dependencies = { logger: silentLogger, clock: systemClock }

test('default: without a server the bus is this process', async () => {
  const bus = await openBus({ natsUrl: '', sharedDatabaseUrl: '' }, dependencies)
  const heard = new Promise(resolve => bus.subscribe('a', resolve))
  bus.publish('a', 'x')
  expect(await heard).toBe('x')
  await bus.stop()
})

test('behavior: NATS before the database, and the error names the one that was chosen', async () => {
  const [natsUrl, sharedDatabaseUrl] = ['nats://127.0.0.1:1', 'postgres://127.0.0.1:2/none']
  await expect(openBus({ natsUrl, sharedDatabaseUrl }, dependencies)).rejects.toThrow('127.0.0.1:1')
  await expect(openBus({ natsUrl: '', sharedDatabaseUrl }, dependencies)).rejects.toThrow('DATABASE_URL')
})
