import { StringDecoder } from 'node:string_decoder'
import type { Redactor } from './redact.ts'

const MAX_CHARACTERS = 4096

/** stderr as lines of bounded length without secrets; of a longer line the rest is lost. */
export function createLogReader({ secrets, log }: { secrets: Redactor; log(line: string): void }): (bytes: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  // So much more that a secret across the bound is seen whole.
  const held = MAX_CHARACTERS + secrets.longest
  let rest = ''
  const shown = (line: string): string => {
    const text = secrets.hide(line)
    // The end of a cut line may be the beginning of a secret.
    const whole = line.length < held ? text.length : Math.max(0, text.length - secrets.longest)
    return text.slice(0, Math.min(MAX_CHARACTERS, whole))
  }
  return bytes => {
    const lines = (rest + decoder.write(bytes)).split('\n')
    rest = (lines.pop() ?? '').slice(0, held)
    for (const line of lines) log(shown(line.slice(0, held)))
  }
}
