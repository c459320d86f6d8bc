import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { PodManifest } from '#protocol'
import { newScratch } from '../../sandbox/scratch.ts'
import { engineError } from '../engine.ts'

/** A program is one file; what does not fit is a model or a mistake. */
const MAX_PROGRAM_BYTES = 256 * 2 ** 20

export type ProgramFile = { readonly from: string; readonly to: string; remove(): Promise<void> }

function nameOf(source: string): string {
  const name = basename(source.replace(/[?#].*$/, '')).replace(/^[a-z]+:/, '')
  return /^(?!\.{1,2}$)[A-Za-z0-9._+-]{1,100}$/.test(name) ? name : 'program'
}

/**
 * A copy of the pod's program that its user can read, checked against the manifest after it was copied: what runs is what was deployed.
 * @throws HeuristError ENGINE_LOAD_FAILED
 */
export async function copyProgram(model: PodManifest['spec']['model'], modelPath: string | null): Promise<ProgramFile> {
  if (modelPath === null) throw engineError('ENGINE_LOAD_FAILED', 'The pod names no program file. Set spec.model.source in its manifest.')
  if (model.sha256 === undefined)
    throw engineError('ENGINE_LOAD_FAILED', 'The manifest names no checksum of its program. Deploy it with `heurist pod apply`.')
  const name = nameOf(model.source)
  const folder = newScratch('program')
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const from = join(folder, name)
    await copyFile(modelPath, from, constants.COPYFILE_EXCL)
    await chmod(from, 0o555)
    const bytes = await readFile(from)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (bytes.length > MAX_PROGRAM_BYTES || sha256 !== model.sha256) {
      throw engineError(
        'ENGINE_LOAD_FAILED',
        `The program has ${bytes.length} bytes and sha256 ${sha256}, the manifest names ${model.sha256}.`,
      )
    }
    return { from, to: `/pod/${name}`, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
