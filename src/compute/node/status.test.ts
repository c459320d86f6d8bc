import { describe, expect, test } from 'vitest'
import { ZERO_ADDRESS } from '#protocol'
import { nodeStatus, type StatusFacts } from './status.ts'
import { makePod, TEST_DEVICE } from './testing/fixtures.ts'

const pod = makePod()
const healthy: StatusFacts = {
  nodeId: ZERO_ADDRESS,
  nowMs: 65_000,
  routerUrl: 'ws://router',
  link: { phase: 'up', sinceMs: 5000, router: '0xabc', lastError: null },
  standing: { registered: true, jailed: false, owner: ZERO_ADDRESS, collateral: 10n ** 19n, minimumCollateral: 10n ** 19n },
  devices: [TEST_DEVICE],
  pods: [{ pod, objection: null }],
  replicas: [{ podId: pod.podId, manifestHash: pod.manifestHash, deviceId: 'cpu', state: 'warm', slots: 2, unitsPerSecond: 9 }],
  models: { describe: () => '/models/tiny.gguf' },
  sandboxes: { bwrap: { sandbox: null, problem: 'bubblewrap is not installed' }, container: { sandbox: null, problem: 'no podman' } },
  counts: { active: 1, done: 5, failed: 0, lastError: null },
}
const failing = (changes: Partial<StatusFacts>) => nodeStatus({ ...healthy, ...changes }).checks.filter(check => !check.ok)

describe('nodeStatus', () => {
  test('default: a healthy node has nothing to fix', () => {
    const { checks } = nodeStatus(healthy)
    expect(checks.filter(check => !check.ok || check.fix !== null)).toEqual([])
    expect(checks.map(check => check.name)).toEqual([
      'link',
      'registration',
      'collateral',
      'standing',
      'devices',
      'sandbox',
      'containers',
      'pod tiny',
      'jobs',
    ])
    expect(checks[5]?.detail).toContain('programs of others are refused: bubblewrap is not installed')
    expect(checks[0]?.detail).toContain('up for 60 s')
  })

  const cases: [string, Partial<StatusFacts>, string, RegExp][] = [
    ['no link', { link: { phase: 'waiting', sinceMs: 0, router: null, lastError: 'ECONNREFUSED' } }, 'link', /ECONNREFUSED/],
    ['an unreachable chain', { standing: 'connection refused' }, 'registration', /could not be asked/],
    [
      'too little collateral',
      { standing: { ...(healthy.standing as object), collateral: 9n * 10n ** 18n } as never },
      'collateral',
      /^9 of at least 10 HEU$/,
    ],
    ['a jailed node', { standing: { ...(healthy.standing as object), jailed: true } as never }, 'standing', /no routing/],
    ['a pod that does not fit', { pods: [{ pod, objection: 'needs 1 GPU' }] }, 'pod tiny', /needs 1 GPU/],
    [
      'a pod that fails to load',
      { replicas: [{ ...healthy.replicas[0]!, state: 'failed', reason: 'sha256 differs' }] },
      'pod tiny',
      /sha256 differs/,
    ],
    ['no pods', { pods: [] }, 'pods', /no pods/],
    ['nothing but failures', { counts: { active: 0, done: 0, failed: 2, lastError: 'NODE_DEADLINE: slow' } }, 'jobs', /NODE_DEADLINE/],
  ]
  for (const [label, changes, name, detail] of cases) {
    test(`behavior: ${label} is one failing check with a fix`, () => {
      expect(failing(changes)).toEqual([{ name, ok: false, detail: expect.stringMatching(detail), fix: expect.any(String) }])
    })
  }

  test.each([
    ['no room on cpu: all its 64 slots are taken (held by x)', /when others have gone/],
    ['sha256 differs', /Correct what the reason says/],
  ])('behavior: the fix of a pod that is not loaded because of "%s"', (reason, fix) => {
    const [check] = failing({ replicas: [{ ...healthy.replicas[0]!, state: 'failed', reason }] })
    expect(check?.fix).toMatch(fix)
  })
})
