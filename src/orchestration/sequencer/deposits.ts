import { z } from 'zod'
import type { Chain, ChainCursor, ChainWatch, CursorStore, DepositEvent, SettingStore } from '#platform'
import { type Address, type Bytes32, bytes32Schema, HeuristError } from '#protocol'

/** A deposit that can not vanish any more. `businessId` is the same however often it is delivered: book it under this id. */
export type Deposit = {
  readonly businessId: string
  readonly account: Address
  readonly asset: Address
  /** Atomic units of `asset`. */
  readonly amount: bigint
  readonly nanoCredits: bigint
  readonly lotId: bigint
  readonly transactionHash: Bytes32
  readonly blockNumber: number
}

const cursorSchema = z.object({
  from: z.number().int().nonnegative(),
  checkpoints: z.array(z.object({ number: z.number().int().nonnegative(), hash: bytes32Schema })),
})

/**
 * A cursor kept as a setting. One that can not be read is an error: starting over in silence would hide a damaged database.
 * @throws HeuristError SETTING_INVALID from `load`
 */
export function settingCursor(settings: SettingStore, name: string): CursorStore {
  return {
    async load(): Promise<ChainCursor | null> {
      const value = await settings.get(name)
      if (value === null || value === undefined) return null
      const parsed = cursorSchema.safeParse(value)
      if (parsed.success) return parsed.data
      throw new HeuristError(
        'SETTING_INVALID',
        `The stored chain cursor "${name}" is damaged. Remove this setting: the events are read again and booked once.`,
      )
    },
    save: cursor => settings.put(name, cursor),
  }
}

/** The deposit's business id: the same transaction keeps it through a re-org, another one can not have it. */
export function depositBusinessId(chainId: number, event: Pick<DepositEvent, 'id'>): string {
  return `deposit:${chainId}:${event.id}`
}

/**
 * Follows the vault's deposits across restarts. `onDeposit` is called in block order and at least once for each final
 * deposit; booked under `businessId`, each counts exactly once. A rejection gets the same deposit again.
 */
export function watchDeposits(
  options: { readonly fromBlock: number; readonly pollMs?: number },
  dependencies: {
    readonly chain: Chain
    readonly settings: SettingStore
    readonly onDeposit: (deposit: Deposit) => Promise<void>
  },
): ChainWatch {
  const { chain, settings, onDeposit } = dependencies
  const cursor = settingCursor(settings, `chain.deposits.${chain.contracts.CreditVault}`)
  const pollMs = options.pollMs ?? 500
  return chain.watch({ kinds: ['deposit'], cursor, fromBlock: options.fromBlock, until: 'final', pollMs }, async events => {
    for (const event of events) {
      if (event.kind !== 'deposit') continue
      const { account, asset, amount, nanoCredits, lotId, transactionHash, blockNumber } = event
      const businessId = depositBusinessId(chain.chainId, event)
      await onDeposit({ businessId, account, asset, amount, nanoCredits, lotId, transactionHash, blockNumber })
    }
  })
}
