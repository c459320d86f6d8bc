import type { BatchRow, BatchStore, Database, JobStart, JobStore, JournalStore, LedgerStore } from '#platform'
import { HeuristError, isHeuristError, type JobView } from '#protocol'
import type { Chance } from './chance.ts'
import type { Disk } from './disk.ts'
import type { Process, Schedule } from './schedule.ts'

/** The part of the database port that serving and settling use. */
export type SimulatedDatabase = Pick<Database, 'ledger' | 'jobs' | 'batches' | 'journal'>

const START_DELAY_MS = 50
const PATIENCE_MS = 15_000
const AGAIN_MS = 250

const away = (): HeuristError => new HeuristError('DATABASE_UNAVAILABLE', 'The simulated database went away.', { retryable: true })

/** A database server: what it has not committed when it falls is lost, and whoever waits for an answer does not learn which. */
export class DatabaseServer {
  readonly disk: Disk
  readonly #schedule: Schedule
  readonly #chance: Chance
  #life = 0
  #awayUntilMs = 0

  constructor(disk: Disk, schedule: Schedule, chance: Chance) {
    this.disk = disk
    this.#schedule = schedule
    this.#chance = chance
  }

  crash(forMs: number): void {
    this.#life += 1
    this.#awayUntilMs = this.#schedule.now() + forMs
  }

  comeBack(): void {
    this.#awayUntilMs = 0
  }

  /** One transaction of `process`: reaches the server, commits, and is answered, each a moment later. */
  transact<T>(process: Process, apply: (disk: Disk) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const life = this.#life
    const answer = (tell: () => void): void => {
      this.#schedule.after(this.#chance.between(0, 2), () => {
        if (!process.isAlive) return
        if (life === this.#life) tell()
        else reject(away())
      })
    }
    this.#schedule.after(this.#chance.between(1, 8), () => {
      // A dead process may have sent it before it died.
      if (!process.isAlive && this.#chance.happens(0.5)) return
      if (life !== this.#life || this.#schedule.now() < this.#awayUntilMs) return answer(() => reject(away()))
      try {
        const value = apply(this.disk)
        answer(() => resolve(value))
      } catch (error) {
        answer(() => reject(error))
      }
    })
    return promise
  }
}

/** One process's connection, with the promises of the database port. */
export function connect(server: DatabaseServer, process: Process): SimulatedDatabase {
  const transact: Transact = apply => server.transact(process, apply)
  const patient = patiently(transact, process)
  return {
    ledger: ledgerOf(transact),
    jobs: jobsOf(transact, patient, process),
    batches: batchesOf(transact),
    journal: journalOf(transact, patient),
  }
}

type Transact = <T>(apply: (disk: Disk) => T) => Promise<T>

/** Tries again through an outage for a bounded time, as the port promises of what ends a job. */
function patiently(transact: Transact, { clock }: Process): Transact {
  return async apply => {
    for (const untilMs = clock.now() + PATIENCE_MS; ; ) {
      try {
        return await transact(apply)
      } catch (error) {
        if (!isHeuristError(error, 'DATABASE_UNAVAILABLE') || clock.now() >= untilMs) throw error
        await new Promise<void>(resolve => clock.after(AGAIN_MS, resolve))
      }
    }
  }
}

function ledgerOf(transact: Transact): LedgerStore {
  const ledger: Partial<LedgerStore> = {
    append: events => transact(disk => disk.append(events)),
    balance: (account, asset) => transact(disk => disk.balance(account, asset)),
    balances: prefix =>
      transact(({ balances }) =>
        [...balances]
          .filter(([key, amount]) => key.startsWith(prefix) && amount !== 0n)
          .map(([key, amount]) => {
            const [account, asset] = key.split('|') as [string, `0x${string}`] // cast: made by Disk.post
            return { account, asset, amount }
          }),
      ),
  }
  return ledger as LedgerStore // cast: serving uses no more of it
}

function jobsOf(transact: Transact, patient: Transact, { clock }: Process): JobStore {
  const begin = (start: JobStart): Promise<void> =>
    transact(disk => {
      if (!disk.isEnded(start.jobId)) disk.open.set(start.jobId, start)
    })
  const waiting = new Map<string, () => void>()
  const jobs: Partial<JobStore> = {
    start(start) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const write = (): void => {
        if (waiting.delete(start.jobId)) begin(start).then(resolve, reject)
      }
      waiting.set(start.jobId, write)
      clock.after(START_DELAY_MS, write)
      return promise
    },
    startNow: jobId => waiting.get(jobId)?.(),
    finish(outcome) {
      waiting.delete(outcome.start.jobId)
      return patient(disk => disk.end(outcome))
    },
    orphaned: epoch => transact(({ open }) => [...open.values()].filter(({ ownerEpoch }) => ownerEpoch !== epoch).map(openView)),
  }
  return jobs as JobStore // cast: serving uses no more of it
}

function openView(start: JobStart): JobView {
  const nothing = { nodeId: null, attempts: 0, price: null, units: null, errorCode: null, errorMessage: null, finishedAtMs: null }
  return { ...start, state: 'held', ...nothing, timeline: [] }
}

function batchesOf(transact: Transact): BatchStore {
  const sorted = ({ batches }: Disk): BatchRow[] => [...batches.values()].sort((a, b) => a.number - b.number)
  const batches: Partial<BatchStore> = {
    unsettled: limit => transact(disk => disk.unsettled().slice(0, limit)),
    form: (batch, sequences) => transact(disk => disk.form(batch, sequences)),
    markPosted: (number, transactionHash) =>
      transact(disk => {
        if (disk.batches.get(number)?.state !== 'confirmed') disk.change(number, { state: 'posted', transactionHash })
      }),
    markConfirmed: (number, facts) => transact(disk => disk.change(number, { state: 'confirmed', ...facts })),
    reopenAfter: number =>
      transact(disk => {
        const lost = sorted(disk).filter(batch => batch.number > number && batch.state !== 'formed')
        for (const batch of lost) disk.change(batch.number, { state: 'formed', transactionHash: null, confirmedAtMs: null })
        return lost.length
      }),
    dissolveFrom: number => transact(disk => disk.dissolveFrom(number)),
    get: number => transact(disk => disk.batches.get(number) ?? null),
    last: () => transact(disk => sorted(disk).at(-1) ?? null),
    unconfirmed: () => transact(disk => sorted(disk).filter(({ state }) => state !== 'confirmed')),
  }
  return batches as BatchStore // cast: a sequencer uses no more of it
}

function journalOf(transact: Transact, patient: Transact): JournalStore {
  return {
    append: pieces =>
      patient(disk => {
        for (const piece of pieces) {
          const key = `${piece.segment} ${piece.number}`
          if (!disk.pieces.has(key)) disk.pieces.set(key, piece)
        }
      }),
    segments: segments => transact(disk => [...disk.pieces.values()].filter(({ segment }) => segments.includes(segment))),
  }
}
