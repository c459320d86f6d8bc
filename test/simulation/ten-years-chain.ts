/** The ten years of `ten-years.ts` on the real contracts: payments settled, nodes voted for, epochs reported and closed, one by one. */
import { padHex, parseAbi } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { EPOCH_SECONDS, paymentsOf, type Scenario } from '#economics'
import { type Address, type Bytes32, type Hex, WAD } from '#protocol'
import { type Call, type DevRpc, encode, hex, TREASURY } from './dev-rpc.ts'
import { BALLOT_BPS, type EpochRecord, reportsOf, SCHEDULE, STAKED_WEI } from './ten-years.ts'

const vaultAbi = parseAbi([
  'constructor(address owner, address wrappedHeu, address usd, uint256 heuPriceUsdWad, uint32 withdrawalDelaySeconds)',
  'function setSettlement(address settlement)',
  'function depositHeu(address account) payable returns (uint256)',
  'function setSpendingCap(address asset, uint256 cumulativeCap, uint64 expiresAt, uint256 nonce)',
])
const settlementAbi = parseAbi([
  'constructor(address owner, address vault, address nodeRegistry, address sequencer, uint32 challengeWindowSeconds, uint256 epochGenesis)',
  'struct Batch { uint64 number; bytes32 previousHash; bytes32 receiptsRoot; uint32 jobCount; uint96 openHeu; uint96 openUsd; uint256[] debits; uint256[] credits; }',
  'function settle(Batch batch) returns (bytes32)',
  'function setVoterRewards(address voterRewards)',
  'function claim(address asset, address receiver) returns (uint256)',
  'function batchHashOf(uint64 number) view returns (bytes32)',
  'function organicRevenueOf(uint256 epoch) view returns (uint256 heu, uint256 usd)',
])
const registryAbi = parseAbi([
  'constructor(address owner, uint128 minCollateral, uint32 unbondingDelaySeconds)',
  'function register(address hotKey, address payout, uint64 deadline, bytes consent) payable returns (uint256)',
])
const stakeAbi = parseAbi([
  'constructor(address owner, address wrappedHeu, uint32 exitDelaySeconds)',
  'function setGauges(address nodeGauge, address podGauge)',
  'function setRewardSource(uint8 source, address account)',
  'function depositNative(address receiver) payable returns (uint256)',
  'function reward(uint8 source) payable',
  'function rateWad() view returns (uint256)',
])
const gaugeAbi = parseAbi([
  'constructor(address owner, address stakedHeu, address registry, uint256 epochGenesis)',
  'function vote(bytes32[] ids, uint16[] weightsBps)',
])
const voterRewardsAbi = parseAbi(['constructor(address nodeGauge, address podGauge, address settlement)'])
const podRegistryAbi = parseAbi(['constructor(address owner)'])
const reservoirAbi = parseAbi(['constructor(address owner, address stakedHeu)'])
const emissionAbi = parseAbi([
  'struct Wiring { address settlement; address nodeRegistry; address nodeGauge; address voterRewards; address reservoir; }',
  'constructor(address owner, address sequencer, Wiring wiring) payable',
  'struct Report { uint256 nodeId; uint64 availabilityBps; uint128 capacity; uint128 organicComputeUnits; }',
  'function report(uint256 epoch, Report[] reports)',
  'function seal(uint256 epoch)',
  'function finalise(uint256 epoch)',
  'function claim(uint256 nodeId, uint256 epoch) returns (uint256)',
  'struct Emission { uint256 revenueRateWad; uint256 basePart; uint256 dynamicPart; uint256 reservoirPart; uint256 baseWeight; uint256 dynamicWeight; uint256 report; bool opened; }',
  'function emissionOf(uint256 epoch) view returns (Emission)',
  'function rewardOf(uint256 nodeId, uint256 epoch) view returns (uint256)',
])
const noArguments = parseAbi(['constructor()'])
type Emission = { readonly revenueRateWad: bigint; readonly basePart: bigint; readonly dynamicPart: bigint }

const HEU_ROW = 0n
const NODE_ROLE = 0n
const PROTOCOL_ROLE = 4n
const COLLATERAL = 1_000n * WAD
const VAULT = 500_000_000n * WAD
/** Owner, sequencer, customer, staker and owner of the nodes: who pays whom is told by the rows. */
const OPERATOR = TREASURY
/** Where the nodes are paid, and where the protocol's share goes before it is given to stHEU. */
const PAYOUT: Address = '0x00000000000000000000000000000000000000a1'
const PROTOCOL: Address = '0x00000000000000000000000000000000000000b1'

export type World = {
  readonly rpc: DevRpc
  readonly genesis: bigint
  readonly wrappedHeu: Address
  readonly vault: Address
  readonly settlement: Address
  readonly stake: Address
  readonly gauge: Address
  readonly emission: Address
  readonly reservoir: Address
}

const row = (account: Address, role: bigint, amount: bigint): bigint => (BigInt(account) << 96n) | (role << 92n) | (HEU_ROW << 88n) | amount

/** Deploys and wires the contracts; epoch 0 begins a day later. */
export async function deployWorld(rpc: DevRpc): Promise<World> {
  let time = await rpc.now()
  const genesis = time + 86_400n
  const deploy = (name: string, abi: Parameters<DevRpc['deploy']>[3], args: readonly unknown[], value = 0n): Promise<Address> => {
    time += 1n
    return rpc.deploy(OPERATOR, time, name, abi, args, value)
  }
  const wrappedHeu = await deploy('WrappedHeu', noArguments, [])
  const usd = await deploy('DevUsd', noArguments, [])
  const vault = await deploy('CreditVault', vaultAbi, [OPERATOR, wrappedHeu, usd, WAD / 10n, 3_600])
  const nodes = await deploy('NodeRegistry', registryAbi, [OPERATOR, COLLATERAL, 3_600])
  const settlement = await deploy('JobSettlement', settlementAbi, [OPERATOR, vault, nodes, OPERATOR, 3_600, genesis])
  const pods = await deploy('PodRegistry', podRegistryAbi, [OPERATOR])
  const stake = await deploy('StakedHeu', stakeAbi, [OPERATOR, wrappedHeu, 31_536_000])
  const gauge = await deploy('NodeGauge', gaugeAbi, [OPERATOR, stake, nodes, genesis])
  const podGauge = await deploy('PodGauge', gaugeAbi, [OPERATOR, stake, pods, genesis])
  const voterRewards = await deploy('VoterRewards', voterRewardsAbi, [gauge, podGauge, settlement])
  const reservoir = await deploy('Reservoir', reservoirAbi, [OPERATOR, stake])
  const wiring = { settlement, nodeRegistry: nodes, nodeGauge: gauge, voterRewards, reservoir }
  const emission = await deploy('EmissionController', emissionAbi, [OPERATOR, OPERATOR, wiring], VAULT)
  const by = (to: Address, data: Hex, value = 0n): Call => ({ from: OPERATOR, to, data, value })
  await rpc.mine(time + 1n, [
    by(vault, encode(vaultAbi, 'setSettlement', [settlement])),
    by(settlement, encode(settlementAbi, 'setVoterRewards', [voterRewards])),
    by(stake, encode(stakeAbi, 'setGauges', [gauge, podGauge])),
    by(stake, encode(stakeAbi, 'setRewardSource', [0, PROTOCOL])),
    by(vault, encode(vaultAbi, 'setSpendingCap', [wrappedHeu, 2n ** 95n, 2n ** 39n, 1n])),
    by(stake, encode(stakeAbi, 'depositNative', [OPERATOR]), STAKED_WEI),
    ...(await registrations(nodes, time + 86_400n)),
  ])
  return { rpc, genesis, wrappedHeu, vault, settlement, stake, gauge, emission, reservoir }
}

/** Three nodes; their hot keys are made here and forgotten. */
async function registrations(nodes: Address, deadline: bigint): Promise<Call[]> {
  const calls: Call[] = []
  for (let index = 0; index < BALLOT_BPS.length; index += 1) {
    const hotKey = privateKeyToAccount(generatePrivateKey())
    const consent = await hotKey.signTypedData({
      domain: { name: 'Heurist NodeRegistry', version: '1', chainId: 31_337, verifyingContract: nodes },
      types: { NodeConsent: ['owner', 'hotKey', 'deadline'].map(name => ({ name, type: name === 'deadline' ? 'uint64' : 'address' })) },
      primaryType: 'NodeConsent',
      message: { owner: OPERATOR, hotKey: hotKey.address, deadline },
    })
    calls.push({
      from: OPERATOR,
      to: nodes,
      data: encode(registryAbi, 'register', [hotKey.address, PAYOUT, deadline, consent]),
      value: COLLATERAL,
    })
  }
  return calls
}

/** Last batch's number and hash: batches are linked. */
type Chain = { number: bigint; hash: Bytes32 }

function settleCalls(world: World, scenario: Scenario, epoch: number, last: Chain): Call[] {
  const { payments, open, protocol } = paymentsOf(scenario, epoch)
  if (payments === 0n) return []
  const batch = {
    number: last.number + 1n,
    previousHash: last.hash,
    receiptsRoot: `0x${(epoch + 1).toString(16).padStart(64, '0')}`,
    jobCount: 1_000,
    openHeu: open,
    openUsd: 0n,
    debits: [row(OPERATOR, 0n, payments)],
    credits: [row(OPERATOR, NODE_ROLE, payments - protocol), ...(protocol > 0n ? [row(PROTOCOL, PROTOCOL_ROLE, protocol)] : [])].sort(
      (a, b) => (a < b ? -1 : 1),
    ),
  }
  return [
    { from: OPERATOR, to: world.vault, data: encode(vaultAbi, 'depositHeu', [OPERATOR]), value: payments },
    { from: OPERATOR, to: world.settlement, data: encode(settlementAbi, 'settle', [batch]) },
  ]
}

const emissionClaims = ({ emission }: World, { epoch, nodes }: EpochRecord): Call[] =>
  nodes.flatMap((amount, index) =>
    amount > 0n ? [{ from: OPERATOR, to: emission, data: encode(emissionAbi, 'claim', [index + 1, epoch]) }] : [],
  )

/** What was settled is claimed by those who earned it. */
function settledClaims({ settlement, wrappedHeu }: World, scenario: Scenario, epoch: number): Call[] {
  const { payments, protocol } = paymentsOf(scenario, epoch)
  const earners = [...(payments > protocol ? [OPERATOR] : []), ...(protocol > 0n ? [PROTOCOL] : [])]
  return earners.map(from => ({ from, to: settlement, data: encode(settlementAbi, 'claim', [wrappedHeu, from]) }))
}

/** What the protocol got goes to stHEU, to the wei. */
function gifts({ stake }: World, scenario: Scenario, epoch: number): Call[] {
  const { protocol } = paymentsOf(scenario, epoch)
  return protocol > 0n ? [{ from: PROTOCOL, to: stake, data: encode(stakeAbi, 'reward', [0]), value: protocol }] : []
}

/** Reports and seals an epoch that is over. */
function reportCalls({ emission }: World, epoch: number): Call[] {
  const reports = reportsOf(epoch).map((report, index) => ({ nodeId: BigInt(index + 1), ...report }))
  return [
    { from: OPERATOR, to: emission, data: encode(emissionAbi, 'report', [epoch, reports]) },
    { from: OPERATOR, to: emission, data: encode(emissionAbi, 'seal', [epoch]) },
  ]
}

async function readRecord(world: World, epoch: number): Promise<EpochRecord> {
  const { rpc, emission, settlement, stake, reservoir } = world
  const ids = BALLOT_BPS.map((_, index) => BigInt(index + 1))
  const [[emitted], [organic], amounts, held] = await Promise.all([
    rpc.read<Emission>([{ to: emission, abi: emissionAbi, name: 'emissionOf', args: [BigInt(epoch)] }]),
    rpc.read<readonly bigint[]>([{ to: settlement, abi: settlementAbi, name: 'organicRevenueOf', args: [BigInt(epoch)] }]),
    rpc.read<bigint>([
      ...ids.map(id => ({ to: emission, abi: emissionAbi, name: 'rewardOf', args: [id, BigInt(epoch)] })),
      { to: stake, abi: stakeAbi, name: 'rateWad' },
    ]),
    rpc.call('eth_getBalance', [reservoir, 'latest']),
  ])
  if (!emitted || !organic) throw new Error(`epoch ${epoch} has no emission`)
  return {
    epoch,
    organicRevenue: organic[0] ?? 0n,
    revenueRateWad: emitted.revenueRateWad,
    base: emitted.basePart,
    dynamic: emitted.dynamicPart,
    nodes: amounts.slice(0, ids.length),
    reservoirTotal: BigInt(String(held)),
    stakeRateWad: amounts[ids.length] ?? 0n,
  }
}

/** The staker's ballot; it counts from the next epoch on. */
function voteCall({ gauge }: World): Call {
  const voted = BALLOT_BPS.flatMap((bps, index) => (bps > 0n ? [{ id: padHex(hex(index + 1), { size: 32 }), bps: Number(bps) }] : []))
  return { from: OPERATOR, to: gauge, data: encode(gaugeAbi, 'vote', [voted.map(({ id }) => id), voted.map(({ bps }) => bps)]) }
}

/** Plays `epochs` epochs and closes each in the first hours of the next; `tell` hears of each. */
export async function playChain(world: World, scenario: Scenario, epochs: number, tell: (epoch: number) => void): Promise<EpochRecord[]> {
  const { rpc, genesis, emission } = world
  const at = (epoch: number, seconds: number): bigint => genesis + BigInt(epoch * EPOCH_SECONDS + seconds)
  const last: Chain = { number: 0n, hash: await batchHash(world, 0n) }
  const records: EpochRecord[] = []
  await rpc.mine(at(0, 60), [voteCall(world)])
  for (let epoch = 0; epoch <= epochs; epoch += 1) {
    const isRunning = epoch < epochs
    const before = epoch - 1
    if (before >= 0) await rpc.mine(at(before, SCHEDULE.report), reportCalls(world, before))
    if (isRunning) await settleAll(world, scenario, epoch, last, at(epoch, SCHEDULE.settle))
    const claims = isRunning ? settledClaims(world, scenario, epoch) : []
    if (before >= 0) {
      await rpc.mine(at(before, SCHEDULE.finalise), [{ from: OPERATOR, to: emission, data: encode(emissionAbi, 'finalise', [before]) }])
      const record = await readRecord(world, before)
      records.push(record)
      claims.push(...emissionClaims(world, record))
      tell(before)
    }
    // In a block before the gifts: the dev chain refuses a payment that its sender can not make yet.
    await rpc.mine(at(epoch, SCHEDULE.reward - 60), claims)
    if (isRunning) await rpc.mine(at(epoch, SCHEDULE.reward), gifts(world, scenario, epoch))
  }
  return records
}

const batchHash = async ({ rpc, settlement }: World, number: bigint): Promise<Bytes32> => {
  const [hash] = await rpc.read<Bytes32>([{ to: settlement, abi: settlementAbi, name: 'batchHashOf', args: [number] }])
  return hash ?? '0x'
}

async function settleAll(world: World, scenario: Scenario, epoch: number, last: Chain, time: bigint): Promise<void> {
  const calls = settleCalls(world, scenario, epoch, last)
  await world.rpc.mine(time, calls)
  if (calls.length === 0) return
  last.number += 1n
  last.hash = await batchHash(world, last.number)
}

/** What is left: in the emission vault, and what nodes were paid. */
export async function leftovers({ rpc, emission }: World): Promise<{ readonly vault: bigint; readonly paidToNodes: bigint }> {
  const balance = async (account: Address): Promise<bigint> => BigInt(String(await rpc.call('eth_getBalance', [account, 'latest'])))
  return { vault: await balance(emission), paidToNodes: await balance(PAYOUT) }
}
