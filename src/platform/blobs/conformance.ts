import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { BlobStore } from './port.ts'

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
const UNKNOWN = 'f'.repeat(64)

/** What every driver of the blob port must do. */
export function blobConformance(name: string, open: () => BlobStore): void {
  describe(name, () => {
    const blobs = open()

    test('default: bytes come back under their sha256', async () => {
      const content = Buffer.from('hello blobs')
      const name = await blobs.put(content)
      expect(name).toBe(sha256(content))
      expect(await blobs.has(name)).toBe(true)
      expect(await blobs.size(name)).toBe(content.length)
      expect(await blobs.get(name)).toEqual(content)
      await blobs.verify(name)
    })

    test('behavior: a stream of many chunks, and nothing at all', async () => {
      const chunks = Array.from({ length: 50 }, (_, i) => Buffer.alloc(10_000, i))
      const name = await blobs.put(Readable.from(chunks))
      expect(await blobs.get(name)).toEqual(Buffer.concat(chunks))
      expect(await blobs.get(await blobs.put(new Uint8Array()))).toHaveLength(0)
    })

    test('behavior: the same content is kept once, by many at once, too', async () => {
      const content = Buffer.from('same')
      const names = await Promise.all(Array.from({ length: 8 }, () => blobs.put(content)))
      expect(new Set(names).size).toBe(1)
      expect(await blobs.get(names[0] ?? '')).toEqual(content)
    })

    test('error: other content than announced is not kept', async () => {
      const content = Buffer.from('forged')
      await expect(blobs.put(content, { expectedSha256: UNKNOWN })).rejects.toMatchObject({
        code: 'BLOB_MISMATCH',
        payload: { expected: UNKNOWN },
      })
      expect(await blobs.has(sha256(content))).toBe(false)
    })

    test('error: a stream that breaks leaves nothing', async () => {
      const broken = Readable.from(
        (async function* () {
          yield Buffer.from('first half')
          throw new Error('connection reset')
        })(),
      )
      await expect(blobs.put(broken)).rejects.toThrow('connection reset')
      expect(await blobs.has(sha256('first half'))).toBe(false)
    })

    test('error: aborted', async () => {
      const controller = new AbortController()
      const endless = Readable.from(
        (async function* () {
          for (;;) {
            yield Buffer.alloc(10)
            controller.abort(new Error('enough'))
          }
        })(),
      )
      await expect(blobs.put(endless, { signal: controller.signal })).rejects.toThrow('enough')
    })

    test('error: unknown names, hostile names', async () => {
      for (const name of [UNKNOWN, '../../etc/passwd', '', 'A'.repeat(64), `${'a'.repeat(64)}/x`]) {
        expect(await blobs.has(name), name).toBe(false)
        expect(await blobs.size(name), name).toBeNull()
        expect(await blobs.remove(name), name).toBe(false)
        await expect(blobs.get(name), name).rejects.toMatchObject({ code: 'BLOB_MISSING' })
        await expect(blobs.path(name), name).rejects.toMatchObject({ code: 'BLOB_MISSING' })
      }
    })

    test('behavior: removed', async () => {
      const name = await blobs.put(Buffer.from('short-lived'))
      expect(await blobs.remove(name)).toBe(true)
      expect(await blobs.has(name)).toBe(false)
    })
  })
}
