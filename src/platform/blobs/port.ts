import type { Readable } from 'node:stream'

/** Files known by the sha256 of their content (model weights, tokenizers, large inputs). */
export interface BlobStore {
  /**
   * Stores a stream or bytes and answers the sha256 in hex; the same content is kept once. Durable when it resolves.
   * @throws HeuristError BLOB_MISMATCH when `expectedSha256` is given and differs, BLOB_FULL; nothing is kept then
   */
  put(content: Readable | Uint8Array, options?: { readonly expectedSha256?: string; readonly signal?: AbortSignal }): Promise<string>
  /** The whole content, verified. @throws HeuristError BLOB_MISSING, BLOB_CORRUPT */
  get(sha256: string): Promise<Buffer>
  /**
   * The content piece by piece. With `verify` the stream fails at its end when the content no longer matches its name.
   * @throws HeuristError BLOB_MISSING
   */
  stream(sha256: string, options?: { readonly verify?: boolean }): Promise<Readable>
  /** Bytes of the blob, null when it is not here. */
  size(sha256: string): Promise<number | null>
  has(sha256: string): Promise<boolean>
  /** Where the file lies, for engines that map it into memory. @throws HeuristError BLOB_MISSING */
  path(sha256: string): Promise<string>
  /** Reads the blob and says whether it still matches its name. @throws HeuristError BLOB_MISSING, BLOB_CORRUPT */
  verify(sha256: string): Promise<void>
  /** False when it was not here. */
  remove(sha256: string): Promise<boolean>
}

export type BlobErrorCode =
  | 'BLOB_MISSING'
  /** The content on disk no longer matches its name. */
  | 'BLOB_CORRUPT'
  /** What was put is not what was announced. */
  | 'BLOB_MISMATCH'
  /** No space left on the disk. Retryable. */
  | 'BLOB_FULL'
