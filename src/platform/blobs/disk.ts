import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline, Readable, Transform } from 'node:stream'
import { HeuristError } from '#protocol'
import type { BlobErrorCode, BlobStore } from './port.ts'

const SHA256 = /^[0-9a-f]{64}$/
const INCOMING = 'incoming'

/**
 * Blobs as files below `directory`, two levels deep (`ab/abcd…`). A blob is written beside its place, flushed and renamed,
 * so that a name never stands for half a file; what a killed process left half-written is removed at the start.
 * @example
 * const blobs = createBlobStore({ directory: '.heurist/blobs' })
 */
export function createBlobStore(options: { readonly directory: string }): BlobStore {
  const root = resolve(options.directory)
  const incoming = join(root, INCOMING)
  mkdirSync(incoming, { recursive: true, mode: 0o700 })
  removeLeftovers(incoming)
  const placeOf = (sha256: string): string => {
    if (!SHA256.test(sha256)) throw missing(sha256, root)
    return join(root, sha256.slice(0, 2), sha256)
  }
  const size = async (sha256: string): Promise<number | null> => {
    if (!SHA256.test(sha256)) return null
    return stat(placeOf(sha256)).then(
      found => found.size,
      error => {
        if (isCode(error, 'ENOENT')) return null
        throw error
      },
    )
  }
  const path = async (sha256: string): Promise<string> => {
    if ((await size(sha256)) === null) throw missing(sha256, root)
    return placeOf(sha256)
  }

  const stream: BlobStore['stream'] = async (sha256, more = {}) => {
    const file = createReadStream(await path(sha256))
    return more.verify ? pipeVerified(file, sha256, placeOf(sha256)) : file
  }

  return {
    size,
    path,
    stream,
    has: async sha256 => (await size(sha256)) !== null,
    put: (content, more = {}) => write(content, { ...more, incoming, placeOf }),
    async get(sha256) {
      const chunks: Buffer[] = []
      for await (const chunk of await stream(sha256, { verify: true })) chunks.push(chunk)
      return Buffer.concat(chunks)
    },
    async verify(sha256) {
      for await (const _ of await stream(sha256, { verify: true }));
    },
    async remove(sha256) {
      if ((await size(sha256)) === null) return false
      await rm(placeOf(sha256), { force: true })
      return true
    },
  }
}

type WriteOptions = {
  readonly incoming: string
  readonly placeOf: (sha256: string) => string
  readonly expectedSha256?: string
  readonly signal?: AbortSignal
}

async function write(content: Readable | Uint8Array, options: WriteOptions): Promise<string> {
  const temporary = join(options.incoming, randomBytes(12).toString('hex'))
  const file = await open(temporary, 'wx', 0o600)
  try {
    const sha256 = await copy(content, file, options.signal)
    if (options.expectedSha256 !== undefined && sha256 !== options.expectedSha256) throw mismatch(options.expectedSha256, sha256)
    await file.sync()
    const place = options.placeOf(sha256)
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    await rename(temporary, place)
    await syncDirectory(dirname(place))
    return sha256
  } catch (error) {
    await rm(temporary, { force: true })
    throw isCode(error, 'ENOSPC') || isCode(error, 'EDQUOT') ? full(options.incoming, error) : error
  } finally {
    await file.close()
  }
}

async function copy(content: Readable | Uint8Array, file: FileHandle, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array> = content instanceof Readable ? content : [content]
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    hash.update(bytes)
    await file.writeFile(bytes)
  }
  return hash.digest('hex')
}

/** The rename is durable only when its directory is. Windows can not open directories, and needs no such call. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function pipeVerified(file: Readable, sha256: string, place: string): Readable {
  const hash = createHash('sha256')
  const check = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
    flush(done) {
      const found = hash.digest('hex')
      done(found === sha256 ? null : corrupt(sha256, place))
    },
  })
  // Either side's end, also an early one, ends the other; errors come out of `check`.
  return pipeline(file, check, () => undefined)
}

/** Another process may be writing here: only what nobody has touched for a day is a leftover. */
function removeLeftovers(incoming: string): void {
  const dayAgoMs = performance.timeOrigin + performance.now() - 24 * 3_600_000
  for (const name of readdirSync(incoming)) {
    const path = join(incoming, name)
    const touchedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY
    if (touchedMs < dayAgoMs) rmSync(path, { force: true })
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function missing(sha256: string, root: string): HeuristError<BlobErrorCode> {
  return new HeuristError<BlobErrorCode>('BLOB_MISSING', `There is no blob ${sha256} in ${root}. Fetch it again from its source.`, {
    payload: { sha256 },
  })
}

function corrupt(sha256: string, place: string): HeuristError<BlobErrorCode> {
  return new HeuristError<BlobErrorCode>(
    'BLOB_CORRUPT',
    `The file ${place} no longer has the content that its name says (damaged disk, or changed by hand). Delete it and fetch it again.`,
    { payload: { sha256, place } },
  )
}

function mismatch(expected: string, found: string): HeuristError<BlobErrorCode> {
  return new HeuristError<BlobErrorCode>(
    'BLOB_MISMATCH',
    `The content has sha256 ${found}, but ${expected} was announced. Nothing was kept; check the source, then try again.`,
    { payload: { expected, found } },
  )
}

function full(directory: string, cause: unknown): HeuristError<BlobErrorCode> {
  return new HeuristError<BlobErrorCode>(
    'BLOB_FULL',
    `No space is left on the disk of ${directory}. Nothing was kept; free some space and try again.`,
    {
      cause,
      retryable: true,
    },
  )
}
