import { initial } from './0001-initial.ts'
import { chainEvents } from './0002-chain-events.ts'
import { epochWork } from './0003-epoch-work.ts'
import { decisionJournal } from './0004-decision-journal.ts'
import { podsByChain } from './0005-pods-by-chain.ts'
import { keyWeights } from './0006-key-weights.ts'
import type { Migration } from './migration.ts'

/** In order; versions count up from 1 without gaps. */
export const migrations: readonly Migration[] = [initial, chainEvents, epochWork, decisionJournal, podsByChain, keyWeights]
