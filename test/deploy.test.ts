import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap, Namespace, PersistentVolumeClaim, Service } from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { explainConfig } from '../src/bin/config.ts'
import { createProgram } from '../src/bin/heurist.ts'
import { ROOT } from './support/source.ts'

/** What operators copy is checked as far as this machine can: against the schemas, our CLI, our settings, and each other. */
const folder = join(ROOT, 'deploy')
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
const settings = new Set(explainConfig('/', {}).map(({ environment }) => environment))
const defaultOf = (environment: string): number => Number(explainConfig('/', {}).find(entry => entry.environment === environment)?.value)

/** @throws CommanderError when the CLI would refuse these words */
function checkCommand(words: readonly string[]): void {
  const program = createProgram(command => command.action(() => undefined)).configureOutput({ writeErr: () => undefined })
  program.parse([...words], { from: 'user' })
}

function checkVariables(names: readonly string[], where: string): void {
  const ours = names.filter(name => /^HEURIST_|^(DATABASE_URL|CHAIN_RPC_URL|NATS_URL)$/.test(name))
  expect(
    ours.filter(name => !settings.has(name)),
    where,
  ).toEqual([])
}

type Labels = Record<string, string>
type Container = {
  image: string
  args?: string[]
  env?: { name: string }[]
  envFrom?: { configMapRef?: { name: string } }[]
  ports?: { name: string; containerPort: number }[]
  volumeMounts?: { name: string }[]
  livenessProbe?: { httpGet: { port: string } }
  readinessProbe?: { httpGet: { port: string } }
}
type Manifest = {
  apiVersion: string
  kind: string
  metadata: { name: string }
  data?: Labels
  spec: {
    serviceName: string
    selector: Labels & { matchLabels: Labels }
    ports?: { targetPort: string }[]
    volumeClaimTemplates?: { metadata: { name: string } }[]
    template: {
      metadata: { labels: Labels }
      spec: {
        terminationGracePeriodSeconds: number
        containers: Container[]
        initContainers?: Container[]
        volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[]
      }
    }
  }
}
const MODELS: Record<string, new (data: never) => { validate(): void }> = {
  'apps/v1 Deployment': Deployment,
  'apps/v1 StatefulSet': StatefulSet,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 ConfigMap': ConfigMap,
  'v1 Namespace': Namespace,
  'v1 PersistentVolumeClaim': PersistentVolumeClaim,
  'v1 Service': Service,
}

function validate(manifest: Manifest): void {
  const Model = MODELS[`${manifest.apiVersion} ${manifest.kind}`]
  if (!Model) throw new Error(`no schema for ${manifest.apiVersion} ${manifest.kind}`)
  new Model(manifest as never).validate() // cast: judged by the call itself
}

describe('kubernetes', () => {
  const { resources } = parse(read('kubernetes/kustomization.yaml')) as { resources: string[] } // cast: checked below
  const manifests = resources.flatMap(file => parseAllDocuments(read(`kubernetes/${file}`)).map(document => document.toJS() as Manifest)) // cast: judged by the schemas
  const sets = manifests.filter(({ kind }) => kind === 'StatefulSet')
  const named = (kind: string): string[] => manifests.filter(manifest => manifest.kind === kind).map(({ metadata }) => metadata.name)

  test('default: every manifest is listed, and valid by the schema of its kind', () => {
    const files = readdirSync(join(folder, 'kubernetes')).filter(name => /\.yaml$/.test(name) && name !== 'kustomization.yaml')
    expect([...resources].sort()).toEqual(files.sort())
    expect(sets.map(({ metadata }) => metadata.name).sort()).toEqual(['gateway', 'node', 'router', 'sequencer'])
    for (const manifest of manifests) expect(() => validate(manifest), `${manifest.kind} ${manifest.metadata.name}`).not.toThrow()
  })

  test('error: the schemas see a wrong type, a missing member, and a port that is none', () => {
    const broken = (change: (set: Manifest) => void): Manifest => {
      const copy = structuredClone(sets[0]!)
      change(copy)
      return copy
    }
    const cases = [
      broken(set => Object.assign(set.spec, { replicas: 'two' })),
      broken(set => Reflect.deleteProperty(set.spec, 'selector')),
      broken(set => Object.assign(set.spec.template.spec.containers[0]!, { ports: [{ containerPort: 'http' }] })),
    ]
    for (const manifest of cases) expect(() => validate(manifest)).toThrow()
  })

  test('behavior: what refers to another part finds it', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service')
    for (const { metadata, spec } of sets) {
      const { template } = spec
      const { containers, initContainers = [], volumes = [] } = template.spec
      expect(template.metadata.labels, metadata.name).toMatchObject(spec.selector.matchLabels)
      const service = services.find(other => other.metadata.name === spec.serviceName)
      expect(template.metadata.labels, metadata.name).toMatchObject(service?.spec.selector ?? { missing: spec.serviceName })
      const ports = containers.flatMap(container => container.ports ?? []).map(({ name }) => name)
      for (const { targetPort } of service?.spec.ports ?? []) expect(ports, metadata.name).toContain(targetPort)
      const mounts = [...volumes, ...(spec.volumeClaimTemplates ?? []).map(claim => claim.metadata)].map(({ name }) => name)
      for (const claim of volumes.flatMap(volume => volume.persistentVolumeClaim ?? []))
        expect(named('PersistentVolumeClaim')).toContain(claim.claimName)
      for (const container of [...containers, ...initContainers]) {
        for (const { name } of container.volumeMounts ?? []) expect(mounts, metadata.name).toContain(name)
        for (const probe of [container.livenessProbe, container.readinessProbe]) if (probe) expect(ports).toContain(probe.httpGet.port)
        for (const { configMapRef } of container.envFrom ?? []) if (configMapRef) expect(named('ConfigMap')).toContain(configMapRef.name)
      }
    }
  })

  test('behavior: commands exist, variables are settings, ports are where the roles listen, and jobs get their time to end', () => {
    for (const { data } of manifests) checkVariables(Object.keys(data ?? {}), 'settings.yaml')
    const wanted: Labels = { gateway: 'HEURIST_GATEWAY_PORT', router: 'HEURIST_ROUTER_PORT' }
    for (const { metadata, spec } of sets) {
      const [container] = spec.template.spec.containers
      checkCommand((container?.args ?? []).map(word => word.replace('$(POD_NAME)', 'name-0')))
      checkVariables(
        (container?.env ?? []).map(({ name }) => name),
        metadata.name,
      )
      const portOf = (name: string): number | undefined => container?.ports?.find(port => port.name === name)?.containerPort
      if (wanted[metadata.name]) expect(portOf('http'), metadata.name).toBe(defaultOf(wanted[metadata.name] ?? ''))
      if (metadata.name !== 'node') expect(portOf('metrics'), metadata.name).toBe(defaultOf('HEURIST_METRICS_PORT'))
      expect(spec.template.spec.terminationGracePeriodSeconds * 1000, metadata.name).toBeGreaterThan(defaultOf('HEURIST_DRAIN_MS') + 10_000)
    }
  })
})

describe('compose', () => {
  type Service = {
    command?: string[]
    environment: Labels
    depends_on?: Labels
    volumes?: string[]
    network_mode?: string
    ports?: string[]
  }
  const file = parse(read('compose.yml'), { merge: true }) as { services: Record<string, Service>; volumes: object } // cast: judged below
  const { services } = file

  test('behavior: commands exist, variables are settings, services and volumes that are named exist', () => {
    const roles = Object.entries(services).filter(([, { command }]) => command)
    expect(roles.map(([name]) => name)).toEqual(
      expect.arrayContaining(['infrastructure', 'gateway-0', 'router-1', 'sequencer-1', 'node-0']),
    )
    for (const [name, service] of roles) {
      checkCommand(service.command ?? [])
      checkVariables(Object.keys(service.environment), name)
      for (const other of Object.keys(service.depends_on ?? {})) expect(services, name).toHaveProperty(other)
      const shared = service.network_mode?.replace('service:', '')
      if (shared) expect(services, name).toHaveProperty(shared)
    }
    for (const volume of Object.values(services).flatMap(service => service.volumes ?? [])) {
      expect(file.volumes).toHaveProperty(volume.split(':')[0] ?? '')
    }
  })

  test('behavior: processes that share one network listen on ports of their own, and the published ones are gateways', () => {
    const ports = Object.values(services).flatMap(({ environment }) =>
      Object.entries(environment).flatMap(([name, value]) => (/_PORT$/.test(name) ? [value] : [])),
    )
    expect(new Set(ports).size).toBe(ports.length)
    const gateways = Object.values(services).flatMap(({ environment }) => environment.HEURIST_GATEWAY_PORT ?? [])
    expect(services.infrastructure?.ports?.map(port => port.split(':')[1])).toEqual(gateways)
  })
})

describe('systemd', () => {
  const units = readdirSync(join(folder, 'systemd')).filter(name => name.endsWith('.service'))
  const setIn = (unit: string, key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(read(`systemd/${unit}`))?.[1] ?? ''
  const SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0

  test('behavior: there is one unit per role; its command exists, its jobs get their time to end, it is started again', () => {
    expect(units.sort()).toEqual(['gateway', 'node', 'router', 'sequencer'].map(role => `heurist-${role}@.service`))
    for (const unit of units) {
      const [, words = ''] = setIn(unit, 'ExecStart').split('heurist.ts ')
      checkCommand(words.replaceAll('%i', 'name').split(' '))
      expect(setIn(unit, 'Restart'), unit).toBe('always')
      expect(Number(setIn(unit, 'TimeoutStopSec')) * 1000, unit).toBeGreaterThan(defaultOf('HEURIST_DRAIN_MS') + 10_000)
    }
  })

  test('behavior: every variable of the environment file is a setting', () => {
    const names = [...read('systemd/heurist.env').matchAll(/^#?(\w+)=/gm)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(4)
    expect(names.filter(name => !settings.has(name))).toEqual([])
  })

  test.skipIf(!SYSTEMD)('behavior: systemd itself takes the units (skipped where systemd-analyze is not installed)', () => {
    const copies = mkdtempSync(join(tmpdir(), 'heurist-units-'))
    try {
      // The program lies elsewhere here, and systemd looks whether it can be run.
      for (const unit of units) writeFileSync(join(copies, unit), read(`systemd/${unit}`).replaceAll('/opt/heurist', ROOT))
      const { status, stderr } = spawnSync(
        'systemd-analyze',
        ['verify', '--man=no', ...units.map(unit => join(copies, unit.replace('@', '@0')))],
        {
          encoding: 'utf8',
        },
      )
      const ours = stderr.split('\n').filter(line => line.includes('heurist'))
      expect({ status, ours }).toEqual({ status: 0, ours: [] })
    } finally {
      rmSync(copies, { recursive: true, force: true })
    }
  })
})
