import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { blobConformance } from './conformance.ts'
import { createBlobStore } from './disk.ts'

const root = mkdtempSync(join(tmpdir(), 'heurist-blobs-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

blobConformance('disk', () => createBlobStore({ directory: join(root, 'conformance') }))

test('error: a changed file is found when it is verified, and named', async () => {
  const blobs = createBlobStore({ directory: join(root, 'corrupt') })
  const name = await blobs.put(Buffer.from('weights of a model'))
  const place = await blobs.path(name)
  writeFileSync(place, 'weights of a mod3l')
  await expect(blobs.get(name)).rejects.toMatchObject({ code: 'BLOB_CORRUPT', message: expect.stringContaining(place) })
  await expect(blobs.verify(name)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' })
  // Putting the right content again heals it.
  await blobs.put(Buffer.from('weights of a model'))
  await blobs.verify(name)
})

test('behavior: files are private and survive the process; leftovers of a killed one go after a day', async () => {
  const directory = join(root, 'restart')
  const blobs = createBlobStore({ directory })
  const name = await blobs.put(Buffer.from('kept'))
  expect(statSync(await blobs.path(name)).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(directory, 'incoming'))).toEqual([])
  const [old, young] = [join(directory, 'incoming/old'), join(directory, 'incoming/young')]
  for (const path of [old, young]) writeFileSync(path, 'half')
  utimesSync(old, 1, 1)
  const again = createBlobStore({ directory })
  expect(readdirSync(join(directory, 'incoming'))).toEqual(['young'])
  expect(readFileSync(await again.path(name), 'utf8')).toBe('kept')
})
