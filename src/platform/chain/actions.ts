import { encodeFunctionData } from 'viem'
import {
  type Address,
  type Bytes32,
  bytesToHex,
  creditVaultAbi,
  devUsdAbi,
  domainSeparator,
  frontendRegistryAbi,
  type Hex,
  hexToBytes,
  jobSettlementAbi,
  keccakBytes,
  nodeRegistryAbi,
  type PodId,
  podRegistryAbi,
  typedDataDigest,
  ZERO_BYTES32,
} from '#protocol'
import type { Signer } from '../signing.ts'
import type { Chain, ChainReceipt } from './port.ts'

/*
 * What people do on the chain, one function each. All take the chain, the key that signs the transaction, and named
 * arguments; all throw what `Chain.send` throws.
 */

const NODE_CONSENT_TYPE = {
  name: 'NodeConsent',
  fields: [
    ['owner', 'address'],
    ['hotKey', 'address'],
    ['deadline', 'uint64'],
  ],
} as const
const SPENDING_CAP_TYPE = {
  name: 'SpendingCap',
  fields: [
    ['account', 'address'],
    ['asset', 'address'],
    ['cumulativeCap', 'uint256'],
    ['expiresAt', 'uint64'],
    ['nonce', 'uint256'],
  ],
} as const
/** Long enough for a slow chain, short enough that a leaked consent is soon worth nothing. */
const CONSENT_SECONDS = 3_600

/** The node key's consent to be registered by `owner`. */
export function signNodeConsent(
  chain: Pick<Chain, 'chainId' | 'contracts'>,
  hotKey: Signer,
  consent: { owner: Address; deadlineSeconds: number },
): Hex {
  const verifyingContract = chain.contracts.NodeRegistry
  const domain = domainSeparator({ name: 'Heurist NodeRegistry', version: '1', chainId: chain.chainId, verifyingContract })
  const message = { owner: consent.owner, hotKey: hotKey.address, deadline: consent.deadlineSeconds }
  return hotKey.signDigest(typedDataDigest(domain, NODE_CONSENT_TYPE, message))
}

/** Registers a node: `owner` pays the collateral and gives an order, `hotKey` only consents. `payout` defaults to the owner. */
export async function registerNode(
  chain: Chain,
  owner: Signer,
  node: { hotKey: Signer; collateralWei: bigint; payout?: Address },
): Promise<ChainReceipt> {
  const { timestampSeconds } = await chain.head()
  const deadlineSeconds = timestampSeconds + CONSENT_SECONDS
  const consent = signNodeConsent(chain, node.hotKey, { owner: owner.address, deadlineSeconds })
  const args = [node.hotKey.address, node.payout ?? owner.address, BigInt(deadlineSeconds), consent] as const
  const data = encodeFunctionData({ abi: nodeRegistryAbi, functionName: 'register', args })
  return chain.send(owner, { to: chain.contracts.NodeRegistry, data, valueWei: node.collateralWei })
}

/** Takes a node out of service; its collateral is free after the unbonding delay. */
export function requestNodeExit(chain: Chain, owner: Signer, registryId: bigint): Promise<ChainReceipt> {
  const data = encodeFunctionData({ abi: nodeRegistryAbi, functionName: 'requestExit', args: [registryId] })
  return chain.send(owner, { to: chain.contracts.NodeRegistry, data })
}

/**
 * Registers a pod, or publishes a new version when the deployer has one of this name; one that was taken off the network is active again.
 * Prices: nano-credits per 1,000,000 units. `receipt` is null when nothing had to be sent.
 */
export async function registerPod(
  chain: Chain,
  deployer: Signer,
  pod: {
    name: string
    manifestHash: Bytes32
    inputNanoCreditsPerMillion: bigint
    outputNanoCreditsPerMillion: bigint
    /** Basis points. */
    deployerBps: number
  },
): Promise<{ podId: PodId; version: number; receipt: ChainReceipt | null }> {
  const podId = podIdOf(deployer.address, pod.name)
  const versions = await chain.podVersions(podId)
  const newest = versions.at(-1)
  if (newest?.manifestHash === pod.manifestHash) {
    return { podId, version: newest.version, receipt: await setPodActive(chain, deployer, podId, true) }
  }
  const terms = [pod.manifestHash, pod.inputNanoCreditsPerMillion, pod.outputNanoCreditsPerMillion, pod.deployerBps] as const
  const data = newest
    ? encodeFunctionData({ abi: podRegistryAbi, functionName: 'publish', args: [podId, ...terms] })
    : encodeFunctionData({ abi: podRegistryAbi, functionName: 'register', args: [pod.name, ...terms] })
  const receipt = await chain.send(deployer, { to: chain.contracts.PodRegistry, data })
  // After the new version, so that the old one is not served again for a moment.
  await setPodActive(chain, deployer, podId, true)
  return { podId, version: versions.length + 1, receipt }
}

/** Takes a pod off the network, or back onto it. Resolves with null when the chain has it so already. */
export async function setPodActive(chain: Chain, deployer: Signer, podId: PodId, isActive: boolean): Promise<ChainReceipt | null> {
  if ((await chain.podActive(podId)) === isActive) return null
  return chain.write(deployer, { contract: 'PodRegistry', call: 'setActive', args: [podId, isActive] })
}

/** keccak256(abi.encode(owner, name)): how both registries make ids. */
function ownedId(owner: Address, name: string): Bytes32 {
  const text = Buffer.from(name, 'utf8')
  const encoded = Buffer.alloc(96 + Math.ceil(text.length / 32) * 32)
  encoded.set(hexToBytes(owner), 12)
  encoded.writeUInt32BE(64, 60)
  encoded.writeUInt32BE(text.length, 92)
  encoded.set(text, 96)
  return bytesToHex(keccakBytes(encoded))
}

/** The id that `PodRegistry` gives the deployer's pod. */
export function podIdOf(deployer: Address, name: string): PodId {
  return ownedId(deployer, name)
}

/** The id that `FrontendRegistry` gives the owner's frontend. */
export function frontendIdOf(owner: Address, name: string): Bytes32 {
  return ownedId(owner, name)
}

/** Registers a frontend. `feeBps`: its share in basis points. */
export async function registerFrontend(
  chain: Chain,
  owner: Signer,
  frontend: { name: string; feeBps: number; payout?: Address; referralRoot?: Bytes32 },
): Promise<{ frontendId: Bytes32; receipt: ChainReceipt }> {
  const args = [frontend.name, frontend.feeBps, frontend.payout ?? owner.address, frontend.referralRoot ?? ZERO_BYTES32] as const
  const data = encodeFunctionData({ abi: frontendRegistryAbi, functionName: 'register', args })
  const receipt = await chain.send(owner, { to: chain.contracts.FrontendRegistry, data })
  return { frontendId: frontendIdOf(owner.address, frontend.name), receipt }
}

/** Deposits `amount` atomic units of HEU (`contracts.WrappedHeu`, taken from the native balance) or of the stablecoin. */
export async function deposit(
  chain: Chain,
  payer: Signer,
  lot: { asset: Address; amount: bigint; account?: Address },
): Promise<ChainReceipt> {
  const { CreditVault, WrappedHeu } = chain.contracts
  const account = lot.account ?? payer.address
  if (lot.asset === WrappedHeu) {
    const data = encodeFunctionData({ abi: creditVaultAbi, functionName: 'depositHeu', args: [account] })
    return chain.send(payer, { to: CreditVault, data, valueWei: lot.amount })
  }
  const approve = encodeFunctionData({ abi: devUsdAbi, functionName: 'approve', args: [CreditVault, lot.amount] })
  await chain.send(payer, { to: lot.asset, data: approve })
  const data = encodeFunctionData({ abi: creditVaultAbi, functionName: 'deposit', args: [lot.asset, lot.amount, account] })
  return chain.send(payer, { to: CreditVault, data })
}

export type SpendingCapOrder = {
  readonly asset: Address
  readonly cumulativeCap: bigint
  readonly expiresAtSeconds: number
  readonly nonce: bigint
}

/** The developer's signature under a spending cap; anyone may submit it. */
export function signSpendingCap(chain: Pick<Chain, 'chainId' | 'contracts'>, account: Signer, order: SpendingCapOrder): Hex {
  const verifyingContract = chain.contracts.CreditVault
  const domain = domainSeparator({ name: 'Heurist CreditVault', version: '1', chainId: chain.chainId, verifyingContract })
  const { asset, cumulativeCap, expiresAtSeconds: expiresAt, nonce } = order
  const message = { account: account.address, asset, cumulativeCap, expiresAt, nonce }
  return account.signDigest(typedDataDigest(domain, SPENDING_CAP_TYPE, message))
}

/** Signs a cap with the account's key and lets `submitter` pay for the transaction. The nonce follows the last one. */
export async function setSpendingCap(
  chain: Chain,
  submitter: Signer,
  cap: { account: Signer; asset: Address; cumulativeCap: bigint; expiresAtSeconds: number },
): Promise<ChainReceipt> {
  const { account, ...order } = cap
  const { nonce } = await chain.spendingCap(account.address, cap.asset)
  const signature = signSpendingCap(chain, account, { ...order, nonce: nonce + 1n })
  const args = [account.address, cap.asset, cap.cumulativeCap, BigInt(cap.expiresAtSeconds), nonce + 1n, signature] as const
  const data = encodeFunctionData({ abi: creditVaultAbi, functionName: 'setSpendingCapBySig', args })
  return chain.send(submitter, { to: chain.contracts.CreditVault, data })
}

/** Asks for `amount` back; it can be executed after the vault's withdrawal delay. */
export function requestWithdrawal(chain: Chain, account: Signer, order: { asset: Address; amount: bigint }): Promise<ChainReceipt> {
  const data = encodeFunctionData({ abi: creditVaultAbi, functionName: 'requestWithdrawal', args: [order.asset, order.amount] })
  return chain.send(account, { to: chain.contracts.CreditVault, data })
}

/** Pays the requested withdrawal, or what debits left of it, to `receiver` (default: the account). */
export function executeWithdrawal(chain: Chain, account: Signer, order: { asset: Address; receiver?: Address }): Promise<ChainReceipt> {
  const args = [order.asset, order.receiver ?? account.address] as const
  const data = encodeFunctionData({ abi: creditVaultAbi, functionName: 'executeWithdrawal', args })
  return chain.send(account, { to: chain.contracts.CreditVault, data })
}

/** Pays what is final of the account's earnings to `receiver` (default: the account). */
export function claim(chain: Chain, account: Signer, order: { asset: Address; receiver?: Address }): Promise<ChainReceipt> {
  const args = [order.asset, order.receiver ?? account.address] as const
  const data = encodeFunctionData({ abi: jobSettlementAbi, functionName: 'claim', args })
  return chain.send(account, { to: chain.contracts.JobSettlement, data })
}

/** Sends native HEU (the dev chain's faucet: from the treasury). */
export function transferHeu(chain: Chain, from: Signer, order: { to: Address; amountWei: bigint }): Promise<ChainReceipt> {
  return chain.send(from, { to: order.to, data: '0x', valueWei: order.amountWei })
}

/** Sends stablecoin (the dev chain's faucet). Micro-dollars. */
export function transferUsd(chain: Chain, from: Signer, order: { to: Address; amount: bigint }): Promise<ChainReceipt> {
  const data = encodeFunctionData({ abi: devUsdAbi, functionName: 'transfer', args: [order.to, order.amount] })
  return chain.send(from, { to: chain.contracts.DevUsd, data })
}
