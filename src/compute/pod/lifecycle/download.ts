import { createHash, type Hash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type FileHandle, open, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type BackoffOptions, type Clock, fullJitterMs, type Random } from '#platform'
import { HeuristError, messageOf } from '#protocol'
import { type ModelErrorPayload, modelError } from './errors.ts'
import type { HttpAnswer, HttpClient } from './http.ts'
import { refuseStatus, shaOf } from './hub.ts'
import { pause } from './pause.ts'

export type Progress = {
  readonly source: string
  readonly receivedBytes: number
  /** Null until the server has said it. */
  readonly totalBytes: number | null
  /** Over the last stretch, this connection. */
  readonly bytesPerSecond: number
}
export type OnProgress = (progress: Progress) => void
export type DownloadRequest = {
  /** For messages and progress. */
  readonly name: string
  readonly url: URL
  /** The unfinished file; kept over a cut and over a restart, so that the next try goes on where this one ended. */
  readonly partPath: string
  readonly expectedBytes: number | null
  readonly expectedSha256: string | null
  /** More than this is refused, whatever the server says. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}
export type DownloadDependencies = {
  readonly http: HttpClient
  readonly clock: Clock
  readonly random: Random
  readonly onProgress?: OnProgress
  readonly backoff?: BackoffOptions
  readonly maxFailuresWithoutProgress?: number
  readonly freeBytes?: (directory: string) => Promise<number>
}
/** A complete file at `partPath`, synced to the disk and checked against every checksum that is known. */
export type Downloaded = { readonly bytes: number; readonly sha256: string }

const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 500, maxMs: 30_000 }
const DEFAULT_MAX_FAILURES = 6
const PROGRESS_INTERVAL_MS = 200

/** State of one download over its connections. */
type Transfer = {
  readonly request: DownloadRequest
  hash: Hash
  received: number
  total: number | null
  sha256: string | null
  /** Validator of the part: a server whose file has changed must send it from the start. */
  etag: string | null
}

/** @throws HeuristError MODEL_* */
export async function download(request: DownloadRequest, dependencies: DownloadDependencies): Promise<Downloaded> {
  const transfer = await openTransfer(request)
  let failures = 0
  for (;;) {
    const before = transfer.received
    try {
      await receive(transfer, dependencies)
      return await finish(transfer)
    } catch (error) {
      if (request.signal.aborted) throw cancelled(request, error)
      const problem = await explain(error, transfer, dependencies)
      if (!problem.retryable) throw problem
      failures = transfer.received > before ? 1 : failures + 1
      if (failures > (dependencies.maxFailuresWithoutProgress ?? DEFAULT_MAX_FAILURES)) throw problem
      const waitMs = Math.max(
        (problem.payload as ModelErrorPayload | undefined)?.retryAfterMs ?? 0, // cast: model errors carry this payload
        fullJitterMs(failures - 1, dependencies.backoff ?? DEFAULT_BACKOFF, dependencies.random),
      )
      await pause(waitMs, dependencies.clock, request.signal).catch(cause => {
        throw cancelled(request, cause)
      })
    }
  }
}

function cancelled(request: DownloadRequest, cause: unknown): HeuristError {
  return modelError('MODEL_CANCELLED', `The download of ${request.name} was stopped; what came so far is kept.`, { cause })
}

async function openTransfer(request: DownloadRequest): Promise<Transfer> {
  const transfer: Transfer = {
    request,
    hash: createHash('sha256'),
    received: 0,
    total: request.expectedBytes,
    sha256: request.expectedSha256,
    etag: readEtag(request.partPath),
  }
  if (!existsSync(request.partPath)) return transfer
  for await (const chunk of createReadStream(request.partPath)) transfer.hash.update(chunk as Buffer) // cast: no encoding is set
  transfer.received = statSync(request.partPath).size
  return transfer
}

function etagPath(partPath: string): string {
  return `${partPath}.etag`
}

function readEtag(partPath: string): string | null {
  return existsSync(etagPath(partPath)) ? readFileSync(etagPath(partPath), 'utf8') : null
}

function restart(transfer: Transfer): void {
  transfer.hash = createHash('sha256')
  transfer.received = 0
  transfer.etag = null
  discardPart(transfer.request.partPath)
}

export function discardPart(partPath: string): void {
  rmSync(partPath, { force: true })
  rmSync(etagPath(partPath), { force: true })
}

/** One connection: from where the part ends to the end of the file. Throws when it breaks before. */
async function receive(transfer: Transfer, dependencies: DownloadDependencies): Promise<void> {
  const { request, received, etag } = transfer
  if (transfer.total !== null && received === transfer.total) return
  const range: Record<string, string> = received > 0 ? { range: `bytes=${received}-`, ...(etag && { 'if-range': etag }) } : {}
  const answer = await dependencies.http.get(request.url, { headers: range, signal: request.signal })
  if (answer.status === 416) {
    // The part is as long as the file or longer: only a fresh start can tell.
    await answer.body.dump()
    restart(transfer)
    throw modelError('MODEL_UNREACHABLE', `The server has no bytes after ${received} of ${request.name}.`)
  }
  await refuseStatus(answer, request.name)
  try {
    learn(transfer, answer)
    await checkRoom(transfer, dependencies)
    await write(transfer, answer, dependencies)
  } finally {
    // A body that is not read to its end would keep its connection; the listener is for the error that destroying it raises.
    answer.body.on('error', () => {}).destroy()
  }
  if (transfer.total !== null && transfer.received < transfer.total) {
    throw modelError('MODEL_UNREACHABLE', `The connection ended after ${transfer.received} of ${transfer.total} bytes of ${request.name}.`)
  }
}

/** Takes length, checksum and validator from the answer, and decides whether the part can be continued. */
function learn(transfer: Transfer, answer: HttpAnswer): void {
  const { request } = transfer
  const resumedAt = answer.status === 206 ? rangeStart(answer.headers['content-range']) : 0
  if (resumedAt !== transfer.received) restart(transfer)
  if (resumedAt !== 0 && resumedAt !== transfer.received) {
    throw modelError('MODEL_UNREACHABLE', `The server continued ${request.name} at another place than asked for.`)
  }
  const length = Number(answer.headers['content-length'] ?? Number.NaN)
  const total = answer.status === 206 ? rangeTotal(answer.headers['content-range']) : Number.isSafeInteger(length) ? length : null
  if (transfer.total !== null && total !== null && total !== transfer.total) {
    const { total: expected } = transfer
    restart(transfer)
    throw modelError('MODEL_SIZE', `${request.name} should have ${expected} bytes, the server offers ${total}. Is the revision right?`)
  }
  transfer.total ??= total
  const announced = answer.hops.map(headers => shaOf(headers['x-linked-etag'])).find(sha256 => sha256 !== null) ?? null
  if (transfer.sha256 !== null && announced !== null && announced !== transfer.sha256) {
    throw checksumError(
      transfer.request.name,
      transfer.sha256,
      announced,
      'The hub offers another file than the manifest names; nothing was downloaded.',
    )
  }
  transfer.sha256 ??= announced
  const etag = answer.headers.etag
  if (etag === undefined || etag.startsWith('W/')) return
  transfer.etag = etag
  writeFileSync(etagPath(request.partPath), etag, { mode: 0o600 })
}

function rangeStart(header: string | undefined): number {
  return Number(/^bytes (\d+)-/.exec(header ?? '')?.[1] ?? Number.NaN)
}

function rangeTotal(header: string | undefined): number | null {
  const total = /\/(\d+)$/.exec(header ?? '')?.[1]
  return total === undefined ? null : Number(total)
}

async function write(transfer: Transfer, answer: HttpAnswer, dependencies: DownloadDependencies): Promise<void> {
  const { clock, onProgress } = dependencies
  const file = await open(transfer.request.partPath, transfer.received === 0 ? 'w' : 'a', 0o600)
  let stretch = { atMs: clock.now(), received: transfer.received }
  try {
    for await (const chunk of answer.body) {
      const piece = chunk as Buffer // cast: an undici body yields buffers
      if (transfer.received + piece.length > (transfer.total ?? transfer.request.maxBytes)) tooLong(transfer)
      await file.writeFile(piece)
      transfer.hash.update(piece)
      transfer.received += piece.length
      const elapsedMs = clock.now() - stretch.atMs
      if (elapsedMs < PROGRESS_INTERVAL_MS) continue
      onProgress?.(progressOf(transfer, ((transfer.received - stretch.received) * 1000) / elapsedMs))
      stretch = { atMs: clock.now(), received: transfer.received }
    }
  } finally {
    await closeSynced(file)
  }
  onProgress?.(progressOf(transfer, ((transfer.received - stretch.received) * 1000) / Math.max(1, clock.now() - stretch.atMs)))
}

/** Synced also when the connection broke: what is resumed later must really be on the disk. */
async function closeSynced(file: FileHandle): Promise<void> {
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function progressOf({ request, received, total }: Transfer, bytesPerSecond: number): Progress {
  return { source: request.name, receivedBytes: received, totalBytes: total, bytesPerSecond: Math.round(bytesPerSecond) }
}

function tooLong(transfer: Transfer): never {
  const { request, total } = transfer
  restart(transfer)
  const limit = total === null ? `${request.maxBytes} bytes that the cache may hold` : `${total} bytes that it should have`
  throw modelError('MODEL_SIZE', `The server sends more of ${request.name} than the ${limit}.`)
}

async function finish(transfer: Transfer): Promise<Downloaded> {
  const { request, received, sha256: expected } = transfer
  const actual = transfer.hash.digest('hex')
  if (expected !== null && actual !== expected) {
    discardPart(request.partPath)
    throw checksumError(request.name, expected, actual, 'The file was deleted; try again, and if it repeats do not trust this source.')
  }
  rmSync(etagPath(request.partPath), { force: true })
  return { bytes: received, sha256: actual }
}

export function checksumError(name: string, expectedSha256: string, actualSha256: string, advice: string): HeuristError {
  const message = `${name} has sha256 ${actualSha256}, expected ${expectedSha256}. ${advice}`
  return modelError('MODEL_CHECKSUM', message, { payload: { expectedSha256, actualSha256 } })
}

async function systemFreeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/** Says before the first byte, and not after 30 GB, that the disk is too small. */
async function checkRoom(transfer: Transfer, { freeBytes = systemFreeBytes }: DownloadDependencies): Promise<void> {
  if (transfer.total === null) return
  const missing = transfer.total - transfer.received
  const free = await freeBytes(dirname(transfer.request.partPath))
  if (missing > free) throw diskFull(transfer, free)
}

function diskFull({ request, total, received }: Transfer, free: number): HeuristError {
  const need = total === null ? 'more room' : `${total - received} more bytes`
  return modelError(
    'MODEL_DISK_FULL',
    `${request.name} needs ${need}, the disk of ${dirname(request.partPath)} has ${free} free. Free some space or move the model cache.`,
  )
}

/** The error as the user should see it. What broke on the way is retryable; what a server or disk said plainly is not. */
async function explain(error: unknown, transfer: Transfer, { freeBytes = systemFreeBytes }: DownloadDependencies): Promise<HeuristError> {
  if (error instanceof HeuristError) return error
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return diskFull(transfer, await freeBytes(dirname(transfer.request.partPath))) // cast: file system errors carry a code
  return modelError(
    'MODEL_UNREACHABLE',
    `The connection for ${transfer.request.name} broke after ${transfer.received} bytes: ${messageOf(error)}.`,
    { cause: error },
  )
}
