import type { ApiKeys } from '#application'
import type { Chain, Signer } from '#platform'
import { deposit, setSpendingCap, transferHeu, transferUsd } from '#platform/chain'
import { type Address, parseUnits } from '#protocol'
import { type Home, loadSecret, type SecretMaker } from '../home.ts'

/** What the dev account gets at the first start: enough to propose and to reach a quorum alone. */
const DEV_HEU = parseUnits('25000000', 18)
const DEV_USD = parseUnits('10000', 6)
const FIRST_DEPOSIT_USD = parseUnits('100', 6)
const FIRST_DEPOSIT_HEU = parseUnits('1000', 18)
const CAP_SECONDS = 365 * 86_400
/** Caps are cumulative; the developer's own key signs them. */
const CAP_USD = parseUnits('1000000', 6)
const CAP_HEU = parseUnits('10000000', 18)

/**
 * Gives the dev account coins, buys its first credits by a real deposit and signs its spending caps. Every part is asked of
 * the chain first, so that a restart, or a chain that lost its last second, repeats only what is missing.
 */
export async function prepareDeveloper(chain: Chain, signers: { treasury: Signer; developer: Signer; sequencer: Signer }): Promise<void> {
  const { treasury, developer, sequencer } = signers
  const { WrappedHeu, DevUsd } = chain.contracts
  if ((await chain.nativeBalance(sequencer.address)) < parseUnits('1', 18))
    await transferHeu(chain, treasury, { to: sequencer.address, amountWei: parseUnits('1000', 18) })
  if ((await chain.nativeBalance(developer.address)) < parseUnits('1', 18))
    await transferHeu(chain, treasury, { to: developer.address, amountWei: DEV_HEU })
  const spentOrHeld = async (asset: typeof DevUsd): Promise<boolean> =>
    (await chain.vaultBalance(developer.address, asset)) > 0n || (await chain.spendingCap(developer.address, asset)).nonce > 0n
  if (!(await spentOrHeld(DevUsd))) {
    if ((await chain.tokenBalance(developer.address, DevUsd)) < FIRST_DEPOSIT_USD)
      await transferUsd(chain, treasury, { to: developer.address, amount: DEV_USD })
    await deposit(chain, developer, { asset: DevUsd, amount: FIRST_DEPOSIT_USD })
  }
  if (!(await spentOrHeld(WrappedHeu))) await deposit(chain, developer, { asset: WrappedHeu, amount: FIRST_DEPOSIT_HEU })
  await extendCaps(chain, { treasury, developer }, (await chain.head()).timestampSeconds)
}

/** Signs a cap for another year when at `timestampSeconds` less than half of the last one is left. */
export async function extendCaps(
  chain: Chain,
  { treasury, developer }: { treasury: Signer; developer: Signer },
  timestampSeconds: number,
): Promise<void> {
  const caps = [
    { asset: chain.contracts.DevUsd, cumulativeCap: CAP_USD },
    { asset: chain.contracts.WrappedHeu, cumulativeCap: CAP_HEU },
  ]
  for (const cap of caps) {
    const { expiresAtSeconds } = await chain.spendingCap(developer.address, cap.asset)
    if (expiresAtSeconds - timestampSeconds > CAP_SECONDS / 2) continue
    await setSpendingCap(chain, treasury, { account: developer, ...cap, expiresAtSeconds: timestampSeconds + CAP_SECONDS })
  }
}

export type DeveloperKeys = { readonly apiKey: string; readonly adminKey: string }

/**
 * The keys are made once; only their hashes are in the database, so the secrets lie in files of mode 600. One that was revoked, or whose file is
 * damaged, is made anew: a start that prints a key prints one that works.
 */
export async function developerKeys(home: Home, apiKeys: ApiKeys, account: Address): Promise<DeveloperKeys> {
  const keyOf = (name: string, scopes: readonly ('inference' | 'read' | 'admin')[]): SecretMaker => ({
    create: async () => (await apiKeys.create({ name, account, scopes })).secret,
    isUsable: async secret => (await apiKeys.verify(secret)).ok,
  })
  return {
    apiKey: await loadSecret(home, 'dev-api-key', keyOf('dev', ['inference', 'read'])),
    adminKey: await loadSecret(home, 'dev-admin-key', keyOf('dev admin', ['inference', 'read', 'admin'])),
  }
}
