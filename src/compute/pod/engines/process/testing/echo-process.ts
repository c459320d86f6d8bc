import { type Engine, engineError } from '../../engine.ts'
import type { ToModel } from '../messages.ts'
import { serveEngine } from '../serve.ts'

/** Test support: a process whose engine says what it sees of its device, and breaks when it is asked to. */
const engine: Engine = {
  name: 'llama',
  async load({ slots, manifest }) {
    if (manifest.metadata.name === 'broken') throw engineError('ENGINE_LOAD_FAILED', 'there is no such file')
    if (manifest.metadata.name === 'endless') await new Promise(() => {})
    return {
      slots,
      measure: async () => 42,
      async run({ body }, { emit }) {
        if (body.prompt === 'crash') process.exit(3)
        if (body.prompt === 'refuse') throw engineError('ENGINE_BAD_REQUEST', 'not that', { payload: { param: 'prompt' } })
        await emit({ choice: 0, tokens: 1, text: String(process.env.CUDA_VISIBLE_DEVICES) })
        return { finish: [{ index: 0, reason: 'stop' }], inputUnits: 1, outputUnits: 1 }
      },
      unload: async () => undefined,
    }
  },
}
const channel = serveEngine(engine, { send: message => void process.send?.(message), exit: () => process.exit(0) })
process.on('message', message => channel.receive(message as ToModel)) // cast: the test speaks
process.once('disconnect', () => process.exit(0))
