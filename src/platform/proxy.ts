import type { Agent as NodeAgent } from 'node:http'
import { isIPv6 } from 'node:net'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'

/** The proxies of a network that lets nothing out by itself, in the words of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; empty: none. */
export type ProxyOptions = {
  /** For http: and ws:. */
  readonly httpProxy: string
  /** For https: and wss:; empty: that of http. */
  readonly httpsProxy: string
  /** Hosts that are reached directly: names with all below them, addresses, each with a port or without; "*": all. */
  readonly noProxy: string
}

export const NO_PROXY: ProxyOptions = { httpProxy: '', httpsProxy: '', noProxy: '' }

const SECURE: ReadonlySet<string> = new Set(['https:', 'wss:'])

function isDirect({ hostname, port, protocol }: URL, noProxy: string): boolean {
  const portAsked = port || (SECURE.has(protocol) ? '443' : '80')
  return noProxy.split(/[\s,]+/).some(text => {
    // A scheme of its own: no port of it is the usual one and left out.
    const entry = URL.parse(`direct://${isIPv6(text) ? `[${text}]` : text}`)
    if (!entry || (entry.port !== '' && entry.port !== portAsked)) return false
    const name = entry.hostname.replace(/^\*?\./, '').toLowerCase()
    return name === '*' || (hostname === name && !text.startsWith('*.')) || hostname.endsWith(`.${name}`)
  })
}

/** A tunnel through the proxy that an address is reached by (CONNECT), for sockets of Node and `ws`; undefined where there is none. */
export function tunnelTo(address: string, { httpProxy, httpsProxy, noProxy }: ProxyOptions): NodeAgent | undefined {
  const url = new URL(address)
  const proxy = SECURE.has(url.protocol) ? httpsProxy || httpProxy : httpProxy
  return proxy === '' || isDirect(url, noProxy) ? undefined : new HttpsProxyAgent(proxy)
}

/** A dispatcher of undici that goes through the proxies. `connect` is that of direct connections: behind a proxy names are resolved there. */
export function createOutbound(options: Agent.Options & { readonly connectTimeout: number }, proxies: ProxyOptions): Dispatcher {
  if (proxies.httpProxy === '' && proxies.httpsProxy === '') return new Agent(options)
  return new EnvHttpProxyAgent({ ...options, ...proxies })
}
