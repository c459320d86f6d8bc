import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, link, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HeuristError, type Hex } from '#protocol'
import type { ChainErrorCode } from './port.ts'

/**
 * The dev chain's state on disk. anvil's own `--state-interval` truncates and rewrites the whole file every second, so a
 * kill in the middle leaves half a file, and an idle chain still writes megabytes (measured in the ADR). Instead a snapshot
 * is asked for when a block was added, streamed into a new file, synced, sealed with its checksum and renamed into place.
 *
 * File: the answer of `anvil_dumpState` as it came, a newline, and the sha256 of all before it in hex.
 */
const SEAL_BYTES = 65
const PREVIOUS = '.previous'
const PARTIAL = '.partial'
const LOADING = '.loading'

function corrupt(message: string, cause?: unknown): HeuristError<ChainErrorCode> {
  return new HeuristError<ChainErrorCode>('CHAIN_STATE_CORRUPT', message, { cause })
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

function streamDump(rpcUrl: string, file: string): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'anvil_dumpState', params: [] })
  return new Promise((resolve, reject) => {
    const outgoing = request(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' } }, answer => {
      if (answer.statusCode !== 200) {
        answer.resume()
        reject(new Error(`anvil_dumpState answered ${answer.statusCode}`))
        return
      }
      pipeline(answer, createWriteStream(file, { mode: 0o600 })).then(resolve, reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function sha256Of(file: string, endByte?: number): Promise<string> {
  const hash = createHash('sha256')
  if (endByte === 0) return hash.digest('hex')
  await pipeline(createReadStream(file, endByte === undefined ? {} : { end: endByte - 1 }), hash)
  return hash.digest('hex')
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function seal(file: string): Promise<void> {
  const checksum = await sha256Of(file)
  const handle = await open(file, 'a')
  try {
    await handle.write(`\n${checksum}`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Keeps the snapshot before as `FILE.previous`; FILE itself is there at every moment. */
async function keepPrevious(file: string): Promise<void> {
  if (!(await exists(file))) return
  await rm(file + PREVIOUS, { force: true })
  await link(file, file + PREVIOUS).catch(() => copyFile(file, file + PREVIOUS)) // Not every file system has hard links.
}

/** Writes a snapshot of the running chain. When this resolves, the snapshot survives a power cut. */
export async function saveState(rpcUrl: string, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await streamDump(rpcUrl, file + PARTIAL)
  const head = Buffer.alloc(200)
  const handle = await open(file + PARTIAL, 'r')
  await handle.read(head, 0, head.length, 0).finally(() => handle.close())
  if (!head.includes('"result":"0x')) throw new Error(`anvil_dumpState failed: ${head.toString('utf8').replaceAll('\0', '')}`)
  await seal(file + PARTIAL)
  await keepPrevious(file)
  await rename(file + PARTIAL, file)
  // Directories can not be synced on Windows.
  if (process.platform !== 'win32') await sync(dirname(file))
}

async function isSealed(file: string): Promise<boolean> {
  const size = await stat(file).then(
    found => found.size,
    () => 0,
  )
  if (size <= SEAL_BYTES) return false
  const handle = await open(file, 'r')
  const tail = Buffer.alloc(SEAL_BYTES)
  await handle.read(tail, 0, SEAL_BYTES, size - SEAL_BYTES).finally(() => handle.close())
  return tail.toString('latin1') === `\n${await sha256Of(file, size - SEAL_BYTES)}`
}

/** How to get out of it, in the reader's own paths. */
async function remedy(file: string): Promise<string> {
  const home = dirname(file)
  const fresh = `To start over with an empty chain, delete the whole folder that holds it and the database (.heurist); credits and receipts in it are lost.`
  if (!(await isSealed(file + PREVIOUS))) return fresh
  const { mtime } = await stat(file + PREVIOUS)
  return `An undamaged copy from ${mtime.toISOString()} is beside it. To go back to it: mv "${file}${PREVIOUS}" "${file}" (in ${home}); batches that it lacks are posted again. ${fresh}`
}

/**
 * The state to load, as `anvil_loadState` takes it; null when the chain never existed.
 * @throws HeuristError CHAIN_STATE_CORRUPT when the file is damaged, or gone while its older copy is still there
 */
export async function loadState(file: string): Promise<Hex | null> {
  if (!(await exists(file))) {
    if (!(await exists(file + PREVIOUS))) return null
    throw corrupt(`The dev chain's state ${file} is missing. ${await remedy(file)}`)
  }
  if (!(await isSealed(file))) {
    throw corrupt(`The dev chain's state ${file} is damaged: its checksum does not fit. ${await remedy(file)}`)
  }
  const text = await readFile(file, 'latin1')
  try {
    const answer = JSON.parse(text.slice(0, -SEAL_BYTES)) as { result: Hex } // cast: the checksum says that we wrote it
    return answer.result
  } catch (cause) {
    throw corrupt(`The dev chain's state ${file} can not be read. ${await remedy(file)}`, cause)
  }
}

/** A snapshot in the form in which a new process reads it before it listens. */
export type Loadable = {
  readonly file: string
  /** Time of its newest block, in seconds. */
  readonly headSeconds: number
}

/** Hands a state to `use` as a file that is there meanwhile. `file` is the state file beside which it lies. */
export async function withLoadable<Result>(state: Hex, file: string, use: (loadable: Loadable) => Promise<Result>): Promise<Result> {
  const json = await promisify(gunzip)(Buffer.from(state.slice(2), 'hex'))
  // The newest block stands first; the rest may be hundreds of megabytes and is none of our business.
  const [, seconds] = /^\{"block":\{[^{]*?"timestamp":"(0x[0-9a-f]+)"/.exec(json.toString('latin1', 0, 2_000)) ?? []
  if (seconds === undefined) throw corrupt(`The dev chain's state ${file} does not begin with its newest block. ${await remedy(file)}`)
  try {
    await writeFile(file + LOADING, json, { mode: 0o600 })
    return await use({ file: file + LOADING, headSeconds: Number(seconds) })
  } finally {
    await rm(file + LOADING, { force: true })
  }
}
