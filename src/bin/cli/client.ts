import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from 'undici'
import { HeuristError, messageOf } from '#protocol'
import type { Config } from '../config.ts'
import { type DevFile, devFileSchema } from '../dev-file.ts'

/** `CLI_NOT_RUNNING`: no network was started here. `CLI_UNREACHABLE`: it does not answer. `CLI_NOT_FOUND`, `CLI_REFUSED`: its answer. `CLI_USAGE`: wrong arguments. */
export type CliErrorCode = 'CLI_NOT_RUNNING' | 'CLI_UNREACHABLE' | 'CLI_NOT_FOUND' | 'CLI_REFUSED' | 'CLI_USAGE'

export type ApiClient = {
  readonly baseUrl: string
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
  put<T>(path: string, body: unknown): Promise<T>
  remove<T>(path: string): Promise<T>
}

/** The JSON of a file that another process writes; undefined where it is none. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** What `up` wrote about the running network, or null. */
export function readDevFile(config: Config): DevFile | null {
  const path = join(config.home, 'dev.json')
  if (!existsSync(path)) return null
  return devFileSchema.safeParse(readJson(path)).data ?? null
}

/** @throws HeuristError CLI_NOT_RUNNING */
function requireDevFile(config: Config): DevFile {
  const file = readDevFile(config)
  if (file) return file
  throw new HeuristError<CliErrorCode>('CLI_NOT_RUNNING', `No network runs from ${config.home}. Start one with: npm start`)
}

/**
 * What anybody may read needs an address and no key: the owner of a node of another network has none.
 * @throws HeuristError CLI_NOT_RUNNING when neither settings nor a running network give an address
 */
export function createApiClient(config: Config, as: 'user' | 'admin' = 'user'): ApiClient {
  const file = config.gatewayUrl ? readDevFile(config) : requireDevFile(config)
  const baseUrl = (config.gatewayUrl || file?.gatewayUrl || '').replace(/\/v1\/?$/, '')
  const key = config.apiKey || (as === 'admin' ? file?.adminKey : file?.apiKey) || ''
  const call = async <T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> => {
    const headers = { ...(key && { authorization: `Bearer ${key}` }), ...(body !== undefined && { 'content-type': 'application/json' }) }
    let response: Awaited<ReturnType<typeof request>>
    try {
      response = await request(`${baseUrl}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    } catch (cause) {
      throw new HeuristError<CliErrorCode>(
        'CLI_UNREACHABLE',
        `${baseUrl} does not answer (${messageOf(cause)}). Is the network running? Start it with: npm start`,
        { cause },
      )
    }
    if (response.statusCode === 401 && key === '') {
      await response.body.dump()
      throw new HeuristError<CliErrorCode>('CLI_REFUSED', `${baseUrl} asks for an API key. Set HEURIST_API_KEY to one of that network.`)
    }
    return readAnswer<T>(response)
  }
  return {
    baseUrl,
    get: path => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
    remove: path => call('DELETE', path),
  }
}

const REFUSALS: Readonly<Record<number, CliErrorCode>> = { 400: 'CLI_USAGE', 404: 'CLI_NOT_FOUND' }

async function readAnswer<T>(response: Awaited<ReturnType<typeof request>>): Promise<T> {
  const text = await response.body.text()
  if (response.statusCode < 300) return JSON.parse(text) as T // cast: our own gateway's answer; shapes are in application/control
  throw new HeuristError<CliErrorCode>(
    REFUSALS[response.statusCode] ?? 'CLI_REFUSED',
    errorMessage(text) ?? `The gateway answered ${response.statusCode}.`,
  )
}

function errorMessage(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } } // cast: every field is checked before use
    return error?.message ?? null
  } catch {
    return null
  }
}
