import type { Address } from '#protocol'
import type { ContractName } from '../port.ts'
import type { ConstructorArguments, DeployOptions } from './options.ts'
import type { World } from './world.ts'

type Creations = { readonly [Name in ContractName]: (world: World) => ConstructorArguments<Name> }

/** Constructor arguments. The deployer owns what has an owner until the last steps hand it over. */
export const CREATIONS: Creations = {
  WrappedHeu: () => [],
  DevUsd: () => [],
  NodeRegistry: ({ deployer, options }) => [deployer, options.minCollateralWei, options.unbondingDelaySeconds],
  PodRegistry: ({ deployer }) => [deployer],
  FrontendRegistry: ({ deployer }) => [deployer],
  CreditVault: ({ at, deployer, options }) => [
    deployer,
    at('WrappedHeu'),
    at('DevUsd'),
    options.heuPriceUsdWad,
    options.withdrawalDelaySeconds,
  ],
  JobSettlement: ({ at, deployer, options, epochGenesisSeconds }) => [
    deployer,
    at('CreditVault'),
    at('NodeRegistry'),
    options.sequencer,
    options.challengeWindowSeconds,
    BigInt(epochGenesisSeconds),
  ],
  StakedHeu: ({ at, deployer, options }) => [deployer, at('WrappedHeu'), options.exitDelaySeconds],
  VestingWallets: ({ at, deployer }) => [deployer, at('WrappedHeu')],
  Reservoir: ({ at, deployer }) => [deployer, at('StakedHeu')],
  NodeGauge: ({ at, deployer, epochGenesisSeconds }) => [deployer, at('StakedHeu'), at('NodeRegistry'), BigInt(epochGenesisSeconds)],
  PodGauge: ({ at, deployer, epochGenesisSeconds }) => [deployer, at('StakedHeu'), at('PodRegistry'), BigInt(epochGenesisSeconds)],
  VoterRewards: ({ at }) => [at('NodeGauge'), at('PodGauge'), at('JobSettlement')],
  EmissionController: ({ at, deployer, options }) => [
    deployer,
    options.sequencer,
    {
      settlement: at('JobSettlement'),
      nodeRegistry: at('NodeRegistry'),
      nodeGauge: at('NodeGauge'),
      voterRewards: at('VoterRewards'),
      reservoir: at('Reservoir'),
    },
  ],
  FeeVault: ({ at, deployer, options: { l1Cost }, epochGenesisSeconds }) => [
    deployer,
    at('StakedHeu'),
    l1Cost.perEpochWei,
    l1Cost.receiver,
    BigInt(epochGenesisSeconds),
  ],
  Buyback: ({ at, deployer, epochGenesisSeconds }) => [
    deployer,
    at('JobSettlement'),
    at('StakedHeu'),
    at('WrappedHeu'),
    at('DevUsd'),
    BigInt(epochGenesisSeconds),
  ],
  VotingPower: ({ at }) => [at('WrappedHeu'), at('StakedHeu')],
  HeuristTimelock: ({ deployer }) => [deployer],
  CollateralFloor: ({ at, deployer, options }) => [deployer, at('NodeRegistry'), options.collateral.security],
  HeuBurn: () => [],
  RefundPot: ({ at, deployer }) => [deployer, at('HeuBurn')],
  ValidatorRegistry: ({ deployer, options: { collateral, unbondingDelaySeconds } }) => [
    deployer,
    collateral.minValidatorBondWei,
    unbondingDelaySeconds,
  ],
  Slasher: ({ at, deployer, options: { collateral } }) => [
    deployer,
    { registry: at('NodeRegistry'), validators: at('ValidatorRegistry'), refunds: at('RefundPot'), burn: at('HeuBurn') },
    collateral.windowsSeconds,
    collateral.stakesWei,
    collateral.committeeSize,
  ],
  SimulatedRestaking: ({ options: { collateral } }) => [collateral.restaking.deallocationDelayBlocks],
  RestakeAdapter: ({ at, deployer }) => [deployer, at('NodeRegistry'), at('SimulatedRestaking')],
  Compounder: ({ at }) => [at('NodeRegistry'), at('JobSettlement'), at('StakedHeu'), at('WrappedHeu'), at('DevUsd')],
  HeuristGovernor: ({ at, options: { governance } }) => [
    at('VotingPower'),
    at('HeuristTimelock'),
    {
      votingDelay: governance.votingDelaySeconds,
      votingPeriod: governance.votingPeriodSeconds,
      lateQuorumExtension: governance.lateQuorumExtensionSeconds,
      quorumPercent: governance.quorumPercent,
      proposalThreshold: governance.proposalThresholdWei,
      quorumFloor: governance.quorumFloorWei,
    },
  ],
}

/** What exists already and is only named: the stablecoin and the restaking protocol of a public chain. */
export function givenAddress(name: ContractName, { stablecoin, restaking }: DeployOptions): Address | undefined {
  return name === 'DevUsd' ? stablecoin : name === 'SimulatedRestaking' ? restaking?.allocationManager : undefined
}
