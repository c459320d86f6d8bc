import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { freePort } from './free-port.ts'

describe('freePort', () => {
  test('default: the wanted one', async () => {
    const wanted = await freePort()
    expect(await freePort(wanted)).toBe(wanted)
  })

  test('behavior: a taken one is replaced', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    const { port: taken } = squatter.address() as AddressInfo // cast: it listens on TCP
    expect(await freePort(taken)).not.toBe(taken)
    squatter.close()
  })

  test('behavior: never one that the system gives to outgoing connections', async () => {
    const lowest =
      process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0]) : 49_152
    for (let i = 0; i < 50; i++) expect(await freePort()).toBeLessThan(lowest)
  })
})
