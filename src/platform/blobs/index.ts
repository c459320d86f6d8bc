export { createBlobStore } from './disk.ts'
export type { BlobErrorCode, BlobStore } from './port.ts'
