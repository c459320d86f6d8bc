/** `BLOB_MISSING`: no such blob here. `BLOB_CORRUPT`: the file's content is not what its name says. */
export type BlobErrorCode = 'BLOB_MISSING' | 'BLOB_CORRUPT'

/** Content-addressed bytes: tokenizers and other small files that pods need. Names are hex sha256. */
export interface BlobStore {
  /** Stores the bytes, once, and answers their sha256. */
  put(bytes: Uint8Array): Promise<string>
  /** @throws HeuristError BLOB_MISSING, BLOB_CORRUPT */
  get(sha256: string): Promise<Uint8Array>
  has(sha256: string): Promise<boolean>
  path(sha256: string): string
}
