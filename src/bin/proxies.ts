import { setGlobalProxyFromEnv } from 'node:http'
import { EnvHttpProxyAgent, setGlobalDispatcher } from 'undici'
import type { ProxyOptions } from '#platform'
import type { Config } from './config.ts'

/** A network that runs here is never asked for elsewhere, whatever `NO_PROXY` forgets. */
const THIS_MACHINE = 'localhost,127.0.0.1,[::1]'

export function proxiesOf({ httpProxy, httpsProxy, noProxy }: Config): ProxyOptions {
  return { httpProxy, httpsProxy, noProxy: `${noProxy},${THIS_MACHINE}` }
}

/** Sends what this process asks by HTTP through the proxies of its machine: calls of the chain, of the gateway, of a collector of traces. */
export function goThroughProxies(config: Config): void {
  const proxies = proxiesOf(config)
  const { httpProxy, httpsProxy, noProxy } = proxies
  if (httpProxy === '' && httpsProxy === '') return
  setGlobalProxyFromEnv({ HTTP_PROXY: httpProxy, HTTPS_PROXY: httpsProxy || httpProxy, NO_PROXY: noProxy })
  setGlobalDispatcher(new EnvHttpProxyAgent(proxies))
}
