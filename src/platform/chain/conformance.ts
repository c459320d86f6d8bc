import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { keccak256, WAD, ZERO_BYTES32 } from '#protocol'
import { createSigner, newPrivateKey, type Signer } from '../signing.ts'
import {
  claim,
  deposit,
  podIdOf,
  registerFrontend,
  registerNode,
  registerPod,
  requestNodeExit,
  requestWithdrawal,
  setPodActive,
  setSpendingCap,
  transferHeu,
  transferUsd,
} from './actions.ts'
import type { Chain, ChainEvent } from './port.ts'
import { memoryCursor } from './testing/index.ts'

export type ChainFixture = {
  readonly chain: Chain
  /** Holds HEU and stablecoins and owns the contracts. */
  readonly treasury: Signer
  /** Calls one of the server's own methods (re-org, time). */
  rpc(method: string, params: readonly unknown[]): Promise<unknown>
  stop(): Promise<void>
}

const USD = 1_000_000n
/** A thousandth HEU: less than that buys nothing. */
const MILLI = WAD / 1_000n
const COLLATERAL = 100n * WAD
const FAR_SECONDS = 4_000_000_000

/** What every driver of the chain port must do. */
export function describeChain(driver: string, start: () => Promise<ChainFixture>): void {
  describe(`chain: ${driver}`, () => {
    let fixture: ChainFixture
    let chain: Chain
    let treasury: Signer
    beforeAll(async () => {
      fixture = await start()
      chain = fixture.chain
      treasury = fixture.treasury
    })
    afterAll(() => fixture?.stop())

    const someone = async (heu = 10n * WAD): Promise<Signer> => {
      const signer = createSigner(newPrivateKey())
      await transferHeu(chain, treasury, { to: signer.address, amountWei: heu })
      return signer
    }

    test('default: it serves the configured chain with its contracts', async () => {
      await chain.check()
      const head = await chain.head()
      expect(head.number).toBeGreaterThan(7)
      expect(await chain.lastBatch()).toEqual({ number: 0, hash: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
      expect(await chain.shares()).toEqual({ deployer: 800, frontend: 500, voters: 200, protocol: 500 })
      expect(await chain.receiptsRoot(1)).toBe(ZERO_BYTES32)
      expect(await chain.batchEvent(1)).toBeNull()
    })

    test('behavior: any function of any contract is read, tried and sent, typed by its ABI', async () => {
      const owner = await someone()
      const wrap = { contract: 'WrappedHeu', call: 'deposit', args: [], valueWei: 3n } as const
      await chain.simulate(owner.address, wrap)
      expect(await chain.read('WrappedHeu', 'balanceOf', [owner.address])).toBe(0n)
      await chain.write(owner, wrap)
      expect(await chain.read('WrappedHeu', 'balanceOf', [owner.address])).toBe(3n)
      const tooMuch = { contract: 'WrappedHeu', call: 'withdraw', args: [4n] } as const
      const refusal = { code: 'CHAIN_REVERTED', payload: { error: 'ERC20InsufficientBalance' } }
      await expect(chain.simulate(owner.address, tooMuch)).rejects.toMatchObject(refusal)
      await expect(chain.write(owner, tooMuch)).rejects.toMatchObject(refusal)
      await expect(chain.read('NodeRegistry', 'getNode', [10n ** 9n])).rejects.toMatchObject({
        code: 'CHAIN_REVERTED',
        payload: { error: 'NodeRegistry_UnknownNode' },
      })
    })

    describe('nodes and pods', () => {
      test('behavior: a node registers with its own key, exits, and is seen each time', async () => {
        const owner = await someone(200n * WAD)
        const hotKey = createSigner(newPrivateKey())
        expect(await chain.nodeStanding(hotKey.address)).toBeNull()
        await registerNode(chain, owner, { hotKey, collateralWei: COLLATERAL, payout: treasury.address })
        const standing = await chain.nodeStanding(hotKey.address)
        expect(standing).toMatchObject({
          nodeId: hotKey.address,
          owner: owner.address,
          payout: treasury.address,
          collateral: COLLATERAL,
          bonded: COLLATERAL,
          restaked: 0n,
          covered: true,
          registered: true,
          jailed: false,
          exiting: false,
        })
        expect((await chain.allNodes()).map(node => node.nodeId)).toContain(hotKey.address)
        await requestNodeExit(chain, owner, standing!.registryId)
        expect(await chain.nodeStanding(hotKey.address)).toMatchObject({ exiting: true })
      })

      test("error: a second registration of a key is refused in words, with the contract's name for it", async () => {
        const owner = await someone(300n * WAD)
        const hotKey = createSigner(newPrivateKey())
        await registerNode(chain, owner, { hotKey, collateralWei: COLLATERAL })
        await expect(registerNode(chain, owner, { hotKey, collateralWei: COLLATERAL })).rejects.toMatchObject({
          code: 'CHAIN_REVERTED',
          message: expect.stringMatching(/is registered already/),
          payload: { error: 'NodeRegistry_KeyTaken', args: [hotKey.address] },
        })
      })

      test('behavior: a pod is registered once and gets a version for each new manifest', async () => {
        const deployer = await someone()
        const pod = { name: 'tests/chat', inputNanoCreditsPerMillion: 5n, outputNanoCreditsPerMillion: 7n, deployerBps: 300 }
        const first = await registerPod(chain, deployer, { ...pod, manifestHash: keccak256('one') })
        const again = await registerPod(chain, deployer, { ...pod, manifestHash: keccak256('one') })
        const second = await registerPod(chain, deployer, { ...pod, manifestHash: keccak256('two') })
        expect([first.version, again.version, again.receipt, second.version]).toEqual([1, 1, null, 2])
        expect(await chain.podVersions(podIdOf(deployer.address, pod.name))).toMatchObject([
          { version: 1, manifestHash: keccak256('one'), inputNanoCreditsPerMillion: 5n, outputNanoCreditsPerMillion: 7n, deployerBps: 300 },
          { version: 2, manifestHash: keccak256('two') },
        ])
        expect(await chain.podVersions(keccak256('nobody'))).toEqual([])
      })

      test('behavior: a pod is taken off the network and deployed again, the same or changed', async () => {
        const deployer = await someone()
        const pod = { name: 'tests/off', inputNanoCreditsPerMillion: 5n, outputNanoCreditsPerMillion: 7n, deployerBps: 300 }
        const { podId } = await registerPod(chain, deployer, { ...pod, manifestHash: keccak256('one') })
        expect([await chain.podActive(podId), await chain.podActive(keccak256('nobody'))]).toEqual([true, false])
        expect(await setPodActive(chain, deployer, podId, false)).not.toBeNull()
        expect(await setPodActive(chain, deployer, podId, false)).toBeNull()
        expect(await chain.podActive(podId)).toBe(false)
        const same = await registerPod(chain, deployer, { ...pod, manifestHash: keccak256('one') })
        expect([same.version, await chain.podActive(podId)]).toEqual([1, true])
        await setPodActive(chain, deployer, podId, false)
        const changed = await registerPod(chain, deployer, { ...pod, manifestHash: keccak256('two') })
        expect([changed.version, await chain.podActive(podId)]).toEqual([2, true])
        await expect(setPodActive(chain, treasury, podId, false)).rejects.toMatchObject({ payload: { error: 'PodRegistry_NotDeployer' } })
      })

      test('behavior: a frontend registers with its fee', async () => {
        const owner = await someone()
        const { receipt } = await registerFrontend(chain, owner, { name: 'shop', feeBps: 300 })
        expect(receipt.gasUsed).toBeGreaterThan(21_000)
        await expect(registerFrontend(chain, owner, { name: 'dear shop', feeBps: 9_000 })).rejects.toMatchObject({
          payload: { error: 'FrontendRegistry_FeeTooHigh' },
        })
      })
    })

    describe('money', () => {
      test('behavior: both assets can be deposited, capped by a signature and asked back', async () => {
        const { WrappedHeu, DevUsd } = chain.contracts
        const account = await someone()
        await transferUsd(chain, treasury, { to: account.address, amount: 5n * USD })
        expect(await chain.quoteCredits(DevUsd, USD)).toBe(100_000_000_000n)
        await deposit(chain, account, { asset: DevUsd, amount: 5n * USD })
        await deposit(chain, account, { asset: WrappedHeu, amount: WAD })
        expect([await chain.vaultBalance(account.address, DevUsd), await chain.vaultBalance(account.address, WrappedHeu)]).toEqual([
          5n * USD,
          WAD,
        ])
        expect(await chain.tokenBalance(account.address, DevUsd)).toBe(0n)

        expect(await chain.spendingCap(account.address, DevUsd)).toMatchObject({ remaining: 0n, expiresAtSeconds: 0 })
        const cap = { account, asset: DevUsd, expiresAtSeconds: FAR_SECONDS }
        await setSpendingCap(chain, treasury, { ...cap, cumulativeCap: USD })
        await setSpendingCap(chain, treasury, { ...cap, cumulativeCap: 2n * USD })
        expect(await chain.spendingCap(account.address, DevUsd)).toEqual({
          cumulative: 2n * USD,
          remaining: 2n * USD,
          expiresAtSeconds: FAR_SECONDS,
          nonce: 2n,
        })
        await requestWithdrawal(chain, account, { asset: DevUsd, amount: USD })
        await expect(requestWithdrawal(chain, account, { asset: DevUsd, amount: 6n * USD })).rejects.toMatchObject({
          payload: { error: 'CreditVault_InsufficientBalance' },
        })
        await expect(claim(chain, account, { asset: DevUsd })).rejects.toMatchObject({ payload: { error: 'JobSettlement_NothingToClaim' } })
        expect([await chain.claimable(account.address, DevUsd), await chain.pending(account.address, DevUsd)]).toEqual([0n, 0n])
      })

      test('behavior: many transactions of one sender at once all arrive', async () => {
        const receivers = Array.from({ length: 10 }, () => createSigner(newPrivateKey()).address)
        const receipts = await Promise.all(receivers.map(to => transferHeu(chain, treasury, { to, amountWei: 7n })))
        expect(new Set(receipts.map(receipt => receipt.transactionHash)).size).toBe(10)
        expect(await Promise.all(receivers.map(account => chain.nativeBalance(account)))).toEqual(receivers.map(() => 7n))
        expect(await chain.hasPending(treasury.address)).toBe(false)
      })

      test('error: a sender without HEU is told so', async () => {
        const poor = createSigner(newPrivateKey())
        await expect(transferHeu(chain, poor, { to: treasury.address, amountWei: WAD })).rejects.toMatchObject({
          code: 'CHAIN_INSUFFICIENT_FUNDS',
        })
      })

      test('error: only the sequencer may settle, also in a dry run', async () => {
        const outsider = await someone()
        const calldata = `0x${'00'.repeat(4)}` as const
        await expect(chain.simulateSettle(outsider.address, calldata)).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
        await expect(chain.settle(outsider, calldata)).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
      })
    })

    describe('events', () => {
      /** Starts at the next block, so that other tests' events stay out. */
      async function collect(options: { until: 'final' | 'latest'; fail?: () => boolean; cursor?: ReturnType<typeof memoryCursor> }) {
        const seen: ChainEvent[] = []
        const cursor = options.cursor ?? memoryCursor()
        const fromBlock = (await chain.head()).number + 1
        const watch = chain.watch(
          { kinds: ['deposit', 'node', 'pod'], cursor, fromBlock, until: options.until, pollMs: 20 },
          async events => {
            if (options.fail?.()) throw new Error('handler failed')
            seen.push(...events)
          },
        )
        return { seen, cursor, watch }
      }
      const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 20 })

      test('behavior: deposits, nodes and pods arrive in order, once final', async () => {
        const { seen, watch } = await collect({ until: 'final' })
        const account = await someone(200n * WAD)
        await deposit(chain, account, { asset: chain.contracts.WrappedHeu, amount: 3n * MILLI })
        const hotKey = createSigner(newPrivateKey())
        await registerNode(chain, account, { hotKey, collateralWei: COLLATERAL })
        await registerPod(chain, account, {
          name: 'p',
          manifestHash: keccak256('m'),
          inputNanoCreditsPerMillion: 1n,
          outputNanoCreditsPerMillion: 1n,
          deployerBps: 0,
        })
        await eventually(() => expect(seen).toHaveLength(3))
        await watch.stop()
        expect(seen).toMatchObject([
          { kind: 'deposit', account: account.address, asset: chain.contracts.WrappedHeu, amount: 3n * MILLI },
          { kind: 'node', nodeId: hotKey.address },
          { kind: 'pod', podId: podIdOf(account.address, 'p'), version: 1, manifestHash: keccak256('m') },
        ])
        expect(await chain.finalBlock()).toBeGreaterThanOrEqual(seen[2]!.blockNumber)
      })

      test('behavior: a failing handler gets the same events again, and a restart goes on behind the last good one', async () => {
        let failures = 0
        const first = await collect({ until: 'latest', fail: () => failures++ < 2 })
        await deposit(chain, treasury, { asset: chain.contracts.WrappedHeu, amount: 11n * MILLI })
        await eventually(() => expect(first.seen).toHaveLength(1))
        await first.watch.stop()
        expect(failures).toBe(3)

        await deposit(chain, treasury, { asset: chain.contracts.WrappedHeu, amount: 12n * MILLI })
        const second = await collect({ until: 'latest', cursor: first.cursor })
        await eventually(() => expect(second.seen).toHaveLength(1))
        await second.watch.stop()
        expect([first.seen[0], second.seen[0]]).toMatchObject([{ amount: 11n * MILLI }, { amount: 12n * MILLI }])
      })

      test('behavior: after a re-org the blocks that took the place of others are read', async () => {
        const { WrappedHeu: asset } = chain.contracts
        const { seen, watch } = await collect({ until: 'latest' })
        for (const count of [1, 2]) {
          await deposit(chain, treasury, { asset, amount: BigInt(count) * MILLI })
          await eventually(() => expect(seen).toHaveLength(count))
        }
        // The block is gone, and the next one has its number.
        await fixture.rpc('anvil_rollback', [1])
        await deposit(chain, treasury, { asset, amount: 3n * MILLI })
        await eventually(() => expect(seen.at(-1)).toMatchObject({ amount: 3n * MILLI }))
        await watch.stop()
        const first = seen[0]!.blockNumber
        expect(seen.map(event => event.blockNumber)).toEqual([first, first + 1, first + 1])
      })
    })
  })
}
