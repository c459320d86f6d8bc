import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { HeuristError } from '#protocol'

/**
 * Every setting: its name, unit, default and the environment variable that overrides it. No other file reads the environment.
 * Order: environment > heurist.config.json > default.
 */
// The environment has only text; a file may write a number as a number. Nothing else becomes one: null or "" would be 0.
const whole = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    value => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
    z.number({ error: 'it must be a whole number in digits, without a unit' }).int().min(min).max(max),
  )
const port = whole(0, 65_535)
const positive = whole(1)
const optionalUrl = z.string().url().or(z.literal('')).default('')

const SETTINGS = {
  home: setting('HEURIST_HOME', 'path', z.string().min(1).default('.heurist'), 'Folder of all state'),
  host: setting('HEURIST_HOST', 'address', z.string().min(1).default('127.0.0.1'), 'Address that the gateway listens on'),
  gatewayPort: setting('HEURIST_GATEWAY_PORT', 'port', port.default(8080), 'Port of the gateway and the console'),
  chainPort: setting('HEURIST_CHAIN_PORT', 'port', port.default(8545), 'Port of the dev chain'),
  metricsHost: setting('HEURIST_METRICS_HOST', 'address', z.string().min(1).default('127.0.0.1'), 'Address that the metrics listen on'),
  metricsPort: setting('HEURIST_METRICS_PORT', 'port', port.default(9464), 'Port of the Prometheus metrics'),
  nodeMetricsPort: setting(
    'HEURIST_NODE_METRICS_PORT',
    'port',
    z.literal('').or(port).default(''),
    'Port of the Prometheus metrics of a compute node; empty: none, since a node opens no port by itself',
  ),
  logLevel: setting(
    'HEURIST_LOG_LEVEL',
    'level',
    z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'Least severe log level',
  ),
  instance: setting(
    'HEURIST_INSTANCE',
    'name',
    z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'it must be 1 to 40 lower-case letters, digits and "-"')
      .default('gateway-0'),
    'Name of this process among those of its role; no two at once. It finds what an earlier one of its name left behind',
  ),
  routerPort: setting('HEURIST_ROUTER_PORT', 'port', port.default(8090), 'Port of a router that runs alone: nodes and gateways dial it'),
  routerUrl: setting(
    'HEURIST_ROUTER_URL',
    'url',
    optionalUrl,
    'ws:// or wss:// address by which nodes and gateways reach this router; empty: its host and port',
  ),
  clusterSecret: setting(
    'HEURIST_CLUSTER_SECRET',
    'key',
    z.string().default(''),
    'What gateways show to routers; empty: the one that is kept in the home folder',
  ),
  devNodes: setting('HEURIST_DEV_NODES', 'count', whole(0, 16).default(2), 'Compute nodes that `up` starts'),
  databaseUrl: setting('DATABASE_URL', 'url', z.string().default(''), 'PostgreSQL server; empty: one is started in the home folder'),
  chainRpcUrl: setting('CHAIN_RPC_URL', 'url', optionalUrl, 'JSON-RPC endpoint; empty: a dev chain is started in the home folder'),
  natsUrl: setting(
    'NATS_URL',
    'url',
    optionalUrl,
    'NATS server that carries messages between processes; empty: PostgreSQL or this process does',
  ),
  otlpUrl: setting(
    'HEURIST_OTLP_URL',
    'url',
    optionalUrl,
    'OpenTelemetry collector (OTLP/HTTP) that gets the traces of jobs; empty: none are made',
  ),
  httpProxy: setting('HTTP_PROXY', 'url', optionalUrl, 'Proxy by which http: and ws: addresses are reached; empty: none'),
  httpsProxy: setting('HTTPS_PROXY', 'url', optionalUrl, 'Proxy by which https: and wss: addresses are reached; empty: that of http'),
  noProxy: setting(
    'NO_PROXY',
    'hosts',
    z.string().default(''),
    'Hosts that are reached without a proxy, as this machine always is; with all below them; "*": all',
  ),
  hubUrl: setting('HF_ENDPOINT', 'url', z.string().url().default('https://huggingface.co'), 'Hub that serves hf: models'),
  gatewayUrl: setting('HEURIST_GATEWAY_URL', 'url', optionalUrl, 'Gateway that the CLI talks to; empty: the one that `up` started here'),
  apiKey: setting('HEURIST_API_KEY', 'key', z.string().default(''), 'API key of the CLI; empty: the one that `up` made'),
  batchMaxJobs: setting('HEURIST_BATCH_MAX_JOBS', 'jobs', whole(1, 100_000).default(1000), 'Jobs after which a batch is posted'),
  batchMaxAgeMs: setting(
    'HEURIST_BATCH_MAX_AGE_MS',
    'ms',
    positive.default(2000),
    'Age of the oldest receipt after which a batch is posted',
  ),
  keeperEveryMs: setting(
    'HEURIST_KEEPER_EVERY_MS',
    'ms',
    positive.default(5000),
    'Pause between two rounds of the keeper, which closes epochs on chain',
  ),
  challengeWindowSeconds: setting(
    'HEURIST_CHALLENGE_WINDOW_SECONDS',
    's',
    positive.default(60),
    'Time that earnings stay in escrow (set at deployment)',
  ),
  genesisPreset: setting(
    'HEURIST_GENESIS_PRESET',
    'name',
    z.enum(['whitepaper', 'published']).default('whitepaper'),
    'Distribution of the 1 B HEU of a dev chain (set at deployment)',
  ),
  votingDelaySeconds: setting(
    'HEURIST_VOTING_DELAY_SECONDS',
    's',
    whole(10, 604_800).default(10),
    'Time between a proposal and its vote (set at deployment)',
  ),
  votingPeriodSeconds: setting(
    'HEURIST_VOTING_PERIOD_SECONDS',
    's',
    whole(60, 1_814_400).default(300),
    'Time that a proposal can be voted on (set at deployment)',
  ),
  timelockDelaySeconds: setting(
    'HEURIST_TIMELOCK_DELAY_SECONDS',
    's',
    whole(10, 2_592_000).default(60),
    'Time between a passed vote and its execution (set at deployment)',
  ),
  quorumFloorHeu: setting(
    'HEURIST_QUORUM_FLOOR_HEU',
    'HEU',
    whole(100_000, 100_000_000).default(100_000),
    'Least votes for a quorum, however little HEU is wrapped (set at deployment)',
  ),
  proposalThresholdHeu: setting(
    'HEURIST_PROPOSAL_THRESHOLD_HEU',
    'HEU',
    whole(1, 5_000_000).default(1000),
    'Votes that a proposer needs (set at deployment)',
  ),
  drainMs: setting('HEURIST_DRAIN_MS', 'ms', whole(1, 60_000).default(8000), 'Time that running jobs get at shutdown'),
  gatewayRetireMs: setting(
    'HEURIST_GATEWAY_RETIRE_MS',
    'ms',
    whole(1_000, 86_400_000).default(300_000),
    'Time without a gateway of its name after which what it had leased goes back',
  ),
  queueMaxJobs: setting('HEURIST_QUEUE_MAX_JOBS', 'jobs', positive.default(1000), 'Jobs that may wait for a slot, per pod'),
  linkResumeMs: setting(
    'HEURIST_LINK_RESUME_MS',
    'ms',
    whole(0, 3_600_000).default(60_000),
    'Time that a node whose link was cut gets to come back to its running jobs; 0: they end with the link',
  ),
  requestsPerMinute: setting('HEURIST_REQUESTS_PER_MINUTE', 'requests/min', positive.default(6000), 'Rate limit of new API keys'),
  modelCacheBytes: setting('HEURIST_MODEL_CACHE_BYTES', 'bytes', positive.default(50_000_000_000), 'Size of the model cache of one node'),
  minCollateralHeu: setting('HEURIST_MIN_COLLATERAL_HEU', 'HEU', positive.default(100), 'Collateral with which a dev node registers'),
} as const

type SettingName = keyof typeof SETTINGS
type SettingOf<S> = S extends { schema: z.ZodType<infer T> } ? T : never
export type Config = { readonly [K in SettingName]: SettingOf<(typeof SETTINGS)[K]> }
export type Explained = {
  readonly name: string
  readonly value: unknown
  readonly unit: string
  readonly source: string
  readonly environment: string
  readonly help: string
}
/** `CONFIG_UNKNOWN_KEY`, `CONFIG_BAD_VALUE`, `CONFIG_UNREADABLE`: the message names the key, the value and where it came from. */
export type ConfigErrorCode = 'CONFIG_UNKNOWN_KEY' | 'CONFIG_BAD_VALUE' | 'CONFIG_UNREADABLE'

function setting<S extends z.ZodType>(environment: string, unit: string, schema: S, help: string) {
  return { environment, unit, schema, help }
}

function readConfigFile(directory: string): Record<string, unknown> {
  const path = join(directory, 'heurist.config.json')
  if (!existsSync(path)) return {}
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new HeuristError<ConfigErrorCode>('CONFIG_UNREADABLE', `${path} is not valid JSON. Correct it or remove it.`, { cause })
  }
  const parsed = z.record(z.string(), z.unknown()).safeParse(value)
  if (!parsed.success) throw new HeuristError<ConfigErrorCode>('CONFIG_UNREADABLE', `${path} must hold one JSON object.`)
  const known = Object.keys(SETTINGS)
  const unknown = Object.keys(parsed.data).find(key => !known.includes(key))
  if (unknown !== undefined) {
    throw new HeuristError<ConfigErrorCode>(
      'CONFIG_UNKNOWN_KEY',
      `${path} sets "${unknown}", which does not exist. Known settings: ${known.join(', ')}.`,
    )
  }
  return parsed.data
}

function resolveSetting(name: SettingName, file: Record<string, unknown>, environment: NodeJS.ProcessEnv): Explained {
  const { environment: variable, unit, schema, help } = SETTINGS[name]
  // Other programs know proxies by names in small letters too.
  const fromEnvironment = environment[variable] || environment[variable.toLowerCase()]
  const source =
    fromEnvironment !== undefined && fromEnvironment !== '' ? variable : file[name] !== undefined ? 'heurist.config.json' : 'default'
  const raw = source === variable ? fromEnvironment : file[name]
  const result = schema.safeParse(raw)
  if (!result.success) {
    const why = result.error.issues[0]?.message ?? 'is not valid'
    throw new HeuristError<ConfigErrorCode>(
      'CONFIG_BAD_VALUE',
      `Setting ${name} (${unit}) from ${source} has the value ${JSON.stringify(raw)}: ${why}.`,
    )
  }
  return { name, value: result.data, unit, source, environment: variable, help }
}

/** All settings with their values and where each came from. @throws HeuristError ConfigErrorCode */
export function explainConfig(directory = process.cwd(), environment = process.env): Explained[] {
  const file = readConfigFile(directory)
  const names = Object.keys(SETTINGS) as SettingName[] // cast: the keys of a literal object
  return names.map(name => resolveSetting(name, file, environment))
}

/** Secrets in a URL are not printed. */
export function printableValue(explained: Explained): string {
  if (['apiKey', 'clusterSecret'].includes(explained.name) && explained.value) return '***'
  return String(explained.value)
    .replace(/\/\/([^:/@]*):.*@/, '//$1:***@')
    .replace(/([?&]password=)[^&]*/, '$1***')
}

/** The effective configuration; `home` is absolute. @throws HeuristError ConfigErrorCode */
export function loadConfig(directory = process.cwd(), environment = process.env): Config {
  const entries = explainConfig(directory, environment).map(({ name, value }) => [name, value])
  const config = Object.fromEntries(entries) as Config // cast: one entry per setting, each checked by its schema
  return { ...config, home: resolve(directory, config.home) }
}

/** The environment for child processes of ours: as it is, so that settings reach them. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return process.env
}
