import { randomBytes } from 'node:crypto'
import { benchmarkLlama, serveLlama } from '#compute'
import { createLogger, systemClock } from '#platform'

/**
 * Started by a node with one GPU to see: `llama-process.ts <threads>` is the process of one model and ends when the channel to the node closes;
 * `llama-process.ts <threads> benchmark` prints operations per second of that GPU.
 */
const logger = createLogger({ level: 'warn', role: 'llama' })
const threads = Number(process.argv[2])
if (process.argv[3] === 'benchmark') console.log(await benchmarkLlama({ device: { kind: 'gpu' }, threads }))
else await serveLlama(threads, { clock: systemClock, random: length => randomBytes(length), logger })
