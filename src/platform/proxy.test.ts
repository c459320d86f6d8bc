import { describe, expect, test } from 'vitest'
import { tunnelTo } from './proxy.ts'

const proxies = { httpProxy: 'http://plain:3128', httpsProxy: 'http://secure:3128', noProxy: '' }
/** Host of the proxy that an address is reached by; null: directly. */
const wayTo = (address: string, changes: Partial<typeof proxies> = {}): string | null => {
  const agent = tunnelTo(address, { ...proxies, ...changes }) as unknown as { proxy: URL } | undefined // cast: of https-proxy-agent
  return agent?.proxy.hostname ?? null
}

describe('tunnelTo', () => {
  test('default: each kind of address by its own proxy, secure ones by the plain one where there is no other', () => {
    expect(['ws://a.example', 'http://a.example'].map(address => wayTo(address))).toEqual(['plain', 'plain'])
    expect(['wss://a.example', 'https://a.example'].map(address => wayTo(address))).toEqual(['secure', 'secure'])
    expect(wayTo('wss://a.example', { httpsProxy: '' })).toBe('plain')
    expect(wayTo('ws://a.example', { httpProxy: '' })).toBeNull()
  })

  test.each([
    ['a.example', 'wss://a.example', true],
    ['a.example', 'wss://b.a.example', true],
    ['a.example', 'wss://ba.example', false],
    ['A.Example', 'wss://a.example:8443', true],
    ['.a.example', 'wss://a.example', true],
    ['*.a.example', 'wss://b.a.example', true],
    ['*.a.example', 'wss://a.example', false],
    ['a.example:8443', 'wss://a.example:8443', true],
    ['a.example:8443', 'wss://a.example', false],
    ['a.example:443', 'wss://a.example', true],
    ['a.example:80', 'ws://a.example', true],
    ['x, 10.0.0.7 y', 'ws://10.0.0.7:90', true],
    ['10.0.0.7', 'ws://110.0.0.7', false],
    ['::1', 'ws://[::1]:90', true],
    ['[::1]:90', 'ws://[::1]:90', true],
    ['[::1]:91', 'ws://[::1]:90', false],
    ['*', 'wss://anything.example', true],
    [' , ', 'wss://a.example', false],
    ['%%%,a b', 'wss://a.example', false],
  ])('behavior: NO_PROXY "%s" and %s: direct %s', (noProxy, address, isDirect) => {
    expect(wayTo(address, { noProxy }) === null).toBe(isDirect)
  })
})
